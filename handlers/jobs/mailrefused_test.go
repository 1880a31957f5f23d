package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// answeredMailbox is a worker with a mail server that answers recipients so, and a registration.
func answeredMailbox(t *testing.T, answer string) *MailWorker {
	t.Helper()
	server := smtptest.Start(t, smtptest.Script{On: smtptest.Answer(domain.StageRcpt, answer)})
	servers, err := smtp.ParseURLs(server.URL() + "?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	w, _ := mailbox(t)
	w.Log = slog.New(slog.DiscardHandler)
	w.Deliver = func(ctx context.Context, from, to string, email []byte) error {
		return DeliverOne(ctx, servers, from, to, email)
	}
	err = w.DB.Registrations().Create(t.Context(), domain.Registration{Email: "new@x.example", Language: "en", Timezone: "UTC"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A mailbox that does not exist was tried 25 times, with a new link each.
func TestRefusedSystemEmailIsFinal(t *testing.T) {
	w := answeredMailbox(t, "550 5.1.1 no such mailbox")
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := w.DB.Postgres().NewQueue(&river.Config{Queues: queues(false), Workers: workers, Logger: w.Log})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.StopAndCancel(context.WithoutCancel(t.Context())) })
	until(t, w.DB, "the email is tried", `SELECT EXISTS (SELECT FROM river_job WHERE kind = 'mail' AND errors IS NOT NULL)`)
	var state, kept string
	var attempts, tokens int
	err = w.DB.Postgres().Pool.QueryRow(t.Context(), `SELECT state, attempt, errors::text, (SELECT count(*) FROM tokens) FROM river_job WHERE kind = 'mail'`).
		Scan(&state, &attempts, &kept, &tokens)
	if err != nil || state != string(rivertype.JobStateCancelled) || attempts != 1 || tokens != 1 {
		t.Errorf("%s after %d tries with %d links: %v", state, attempts, tokens, err)
	}
	if !strings.Contains(kept, "550 5.1.1 no such mailbox") {
		t.Errorf("the job keeps %s", kept)
	}
}

func TestDelayedSystemEmailKeepsItsLink(t *testing.T) {
	w := answeredMailbox(t, "451 4.7.1 try again later")
	row := &rivertype.JobRow{ID: 3, CreatedAt: time.Now()}
	links := func() (n int) {
		if err := w.DB.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM tokens`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 3 {
		err := w.Work(t.Context(), &river.Job[domain.MailJob]{JobRow: row, Args: domain.MailJob{Email: domain.MailVerify, RegistrationID: 1}})
		delayed, ok := errors.AsType[*undelivered](err)
		if !ok || delayed.answer.Code != 451 || errors.Is(err, river.JobCancel(nil)) {
			t.Fatalf("%v", err)
		}
	}
	if n := links(); n != 1 {
		t.Errorf("%d links after three tries", n)
	}
	row.ID++
	_ = w.Work(t.Context(), &river.Job[domain.MailJob]{JobRow: row, Args: domain.MailJob{Email: domain.MailVerify, RegistrationID: 1}})
	if n := links(); n != 2 {
		t.Errorf("%d links of two jobs", n)
	}
}
