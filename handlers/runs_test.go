package handlers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// sent plans a run for the owner's clients and records an outcome for each of them in turn.
func (w *env) sent(t *testing.T, m domain.Mailing, outcomes ...domain.Outcome) domain.Run {
	t.Helper()
	w.act(t, m, launch)
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, m.StartLocal, false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	self, err := outbox.New(w.db.Postgres()).Instances().Register(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close(t.Context())
	emails, err := outbox.New(w.db.Postgres()).Batches().Fetch(t.Context(), self.ID, run.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	var results []outbox.Result
	for i, outcome := range outcomes {
		r := outbox.Result{Instance: self.ID, RunID: run.ID, Seq: emails[i].Seq, ClientID: emails[i].ClientID, Email: emails[i].Email,
			N: 1, At: time.Now(), Outcome: outcome}
		switch outcome {
		case domain.OutcomeAccepted:
			r.Status, r.Code, r.Answer = domain.Accepted, 250, "2.0.0 Ok"
		case domain.OutcomeFailed:
			r.Status, r.Code, r.Answer = domain.Failed, 550, "5.1.1 <nobody>"
		case domain.OutcomeDeferred:
			r.Status, r.Code, r.Answer, r.RetryAt = domain.Deferred, 451, "4.7.1 Later", time.Now().Add(time.Hour)
		}
		if r.Status != domain.Accepted {
			r.Class = domain.NewAnswer(domain.StageRcpt, r.Code, r.Answer).Class()
		}
		results = append(results, r)
	}
	to := outbox.New(w.db.Postgres()).NewRecorder()
	defer to.Close(t.Context())
	if err := errors.Join(to.Record(t.Context(), results), outbox.New(w.db.Postgres()).Batches().Complete(t.Context(), results)); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRunPage(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	for i := range 4 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i))
	}
	run := w.sent(t, w.mailing(t, user.ID), domain.OutcomeAccepted, domain.OutcomeFailed, domain.OutcomeDeferred)
	path := fmt.Sprint("/runs/", run.ID)
	b.get(path).is(t, 200, "<html", "c0@example.com", "250 2.0.0 Ok", "550 5.1.1 &lt;nobody&gt;", "451 4.7.1 Later", "c3@example.com",
		`class="count-accepted">1<`, `class="count-failed">1<`, `class="count-open">2<`, "1 email will be retried", pathOf(domain.Mailing{ID: run.MailingID}))
	failed := b.get(path+"?outcome=failed").is(t, 200, "c1@example.com", `value="failed" selected`)
	if strings.Contains(failed.body, "c0@example.com") {
		t.Error("the filter lets accepted ones through")
	}
	b.get(path+"?outcome=expired").is(t, 200, "No recipients to show.")
	for _, query := range []string{"outcome=%00", "page=x", "page=9000000000000000000"} {
		b.get(path+"?"+query).is(t, 200)
	}
	foreign, none := other.get(path).is(t, 404), other.get("/runs/999999").is(t, 404)
	strip := func(a answer) string { return strings.ReplaceAll(a.body, a.Request.URL.RequestURI(), "") }
	if strip(foreign) != strip(none) {
		t.Error("the answers tell what exists")
	}
	other.get("/runs/x").is(t, 404)
	w.visitor(t).get(path).is(t, 303)
}

// What was refused is shown with its meaning; the addresses that a run found dead get emails again at one button.
func TestRefusalsOfARun(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	manager := w.as(t, w.user(t, "max", domain.RoleManager))
	for i := range 4 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i))
	}
	run := w.sent(t, w.mailing(t, user.ID), domain.OutcomeAccepted, domain.OutcomeFailed, domain.OutcomeFailed, domain.OutcomeDeferred)
	path := fmt.Sprint("/runs/", run.ID)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := w.db.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`UPDATE clients SET suppressed_at = now(), suppressed_reason = CASE email WHEN 'c3@example.com' THEN 'unsubscribed' ELSE 'bounced' END, suppressed_run = $1
		WHERE owner_id = $2 AND email <> 'c0@example.com'`, run.ID, user.ID)
	if err := outbox.New(w.db.Postgres()).Runs().DeferDomain(t.Context(), run.ID, outbox.DomainHold{Domain: "held.example",
		Answer: domain.NewAnswer(domain.StageRcpt, 550, "5.7.26 <unauthenticated>"), Until: time.Now().Add(time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	b.get(path).is(t, 200, "<b>No such address.</b>", "The mailbox does not exist.", "What mail servers refused", "held.example is paused for this run.",
		"550 5.7.26 &lt;unauthenticated&gt;", "<b>Sender not verified.</b>", "2 clients get no more emails", `action="`+path+`/unsuppress"`)
	b.get("/attempts").is(t, 200, "<b>No such address.</b>", "<b>Too many at once.</b>")
	b.post("/language", "language", "ru")
	b.get(path).is(t, 200, "Нет такого адреса", "2 клиента больше не получают писем")
	b.post("/language", "language", "en")
	if page := manager.get(path).is(t, 200, "2 clients get no more emails"); strings.Contains(page.body, "unsuppress") {
		t.Error("a manager is offered what only the owner may")
	}
	foreign, none := other.post(path+"/unsuppress").is(t, 404), other.post("/runs/999999/unsuppress").is(t, 404)
	if strip := func(a answer) string { return strings.ReplaceAll(a.body, a.Request.URL.RequestURI(), "") }; strip(foreign) != strip(none) {
		t.Error("the answers tell what exists")
	}
	manager.post(path+"/unsuppress").is(t, 403)
	b.post(path+"/unsuppress").is(t, 303)
	if page := b.get(path).is(t, 200, "2 clients get emails again."); strings.Contains(page.body, "get no more emails") {
		t.Error("the button stays")
	}
	var left string
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT string_agg(email, ' ') FROM clients WHERE suppressed_at IS NOT NULL`).Scan(&left); err != nil || left != "c3@example.com" {
		t.Errorf("suppressed are %q, want who has unsubscribed: %v", left, err)
	}
	b.post(path+"/unsuppress").is(t, 303) // twice as well as once
}

func TestAttemptsPage(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	bob, other := w.owner(t, "bob")
	w.client(t, ann.ID, "first@example.com")
	w.client(t, ann.ID, "second@example.com")
	w.client(t, bob.ID, "bobs@example.com")
	news := w.mailing(t, ann.ID)
	w.sent(t, news, domain.OutcomeAccepted, domain.OutcomeFailed)
	emails := w.mailing(t, ann.ID, func(f *domain.MailingForm) { f.Name = "Emails" })
	w.sent(t, emails, domain.OutcomeAccepted)
	w.sent(t, w.mailing(t, bob.ID), domain.OutcomeAccepted)
	manager := w.as(t, w.user(t, "max", domain.RoleManager))
	tests := []struct {
		name        string
		browser     *browser
		query       string
		sees, lacks string
	}{
		{"own", b, "", "second@example.com", "bobs@"},
		{"accepted", b, "status=accepted", "first@example.com", "second@"},
		{"failed", b, "status=failed", "550 5.1.1 &lt;nobody&gt;", "first@"},
		{"a mailing", b, fmt.Sprint("mailing=", emails.ID), "Emails", "second@"},
		{"a mailing and a status", b, fmt.Sprint("status=failed&mailing=", emails.ID), "No attempts match", "first@"},
		{"a foreign mailing", other, fmt.Sprint("mailing=", news.ID), "No attempts match", "first@"},
		{"another's own", other, "", "bobs@example.com", "first@"},
		{"everybody's", manager, "", "bobs@example.com", "nobody@"},
		{"everybody's failed", manager, "status=failed", "second@example.com", "bobs@"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, one := range []*browser{tt.browser, tt.browser.htmx()} {
				a := one.get("/attempts?"+tt.query).is(t, 200, tt.sees)
				if strings.Contains(a.body, tt.lacks) || strings.Contains(a.body, "<html") != (one == tt.browser) {
					t.Errorf("%.2000s", a.body)
				}
			}
		})
	}
	for _, query := range []string{"mailing=x", "mailing=-1", "status=%00%ff", "page=x", "page=9000000000000000000"} {
		b.get("/attempts?"+query).is(t, 200)
	}
	w.as(t, w.user(t, "carl", domain.RoleContent)).get("/attempts").is(t, 403)
}
