package engine

import (
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/jobs/bounces"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// report is what a mail server says of one recipient, in the form of RFC 3464; of an empty one it is an
// automatic reply.
func report(to, recipient, action, status, diagnosis string) string {
	if recipient == "" {
		return "From: ivan@example.org\r\nTo: " + to + "\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n"
	}
	return strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.net
To: %s
Subject: Delivery Status Notification
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

About your email.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; %s
Action: %s
Status: %s
Diagnostic-Code: smtp; %s

--b--
`, to, recipient, action, status, diagnosis), "\n", "\r\n")
}

// The address that an email unsubscribes at does so, in whatever case an email comes to it, and for nobody else.
func TestAnEmailToItsAddressUnsubscribes(t *testing.T) {
	w := newFixture(t, smtptest.Script{KeepRaw: true})
	w.bounceDomain = "bounces.example.org"
	run := w.plan(2)
	w.start(2)
	w.closed(run.ID)
	w.stop()
	intake := &bounces.Intake{Domain: w.bounceDomain, Secrets: [][]byte{[]byte("secret")}, Log: slog.New(slog.NewTextHandler(w.Output(), nil)),
		Receive: w.db.Bounces().Receive, Unsubscribe: w.db.Preferences().Stop}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go intake.Serve(t.Context(), listener)
	for _, email := range w.server.Emails() {
		raw := strings.ReplaceAll(string(email.Raw), "\r\n ", " ")
		if !strings.Contains(raw, "\r\nList-Id: \"Owner\" <owner-1000.example.org>\r\n") ||
			!strings.Contains(raw, fmt.Sprintf("\r\nFeedback-ID: %d:1000:mailing:%s\r\n", run.ID, domain.FeedbackSender([]byte("secret"), "example.org"))) {
			t.Errorf("%.2000s", raw)
		}
		if email.To != "client1@example.org" {
			continue
		}
		_, mailbox, _ := strings.Cut(raw, "<mailto:")
		mailbox, _, _ = strings.Cut(mailbox, "?subject=unsubscribe>")
		for _, to := range []string{mailbox, strings.ToUpper(mailbox)} {
			if err := smtp.SendMail(listener.Addr().String(), nil, "client1@example.org", []string{to}, []byte("Subject: unsubscribe\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := w.count(`SELECT count(*) FROM clients WHERE suppressed_reason = 'unsubscribed' AND email = 'client1@example.org'`); n != 1 {
		t.Error("client1 still gets emails")
	}
	if n := w.count(`SELECT count(*) FROM clients WHERE suppressed_at IS NULL`); n != 1 {
		t.Errorf("%d clients still get emails", n)
	}
}

// Emails go out, some come back: what comes back marks and suppresses, and the sum of the run stays.
func TestWhatComesBackFindsItsDelivery(t *testing.T) {
	w := newFixture(t, smtptest.Script{DSN: true})
	w.bounceDomain = "bounces.example.org"
	run := w.plan(6)
	w.start(2)
	w.closed(run.ID)
	w.stop()

	intake := &bounces.Intake{Domain: w.bounceDomain, Secrets: [][]byte{[]byte("secret")}, Log: slog.New(slog.NewTextHandler(w.Output(), nil)),
		Receive: w.db.Bounces().Receive}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go intake.Serve(t.Context(), listener)
	for _, email := range w.server.Emails() {
		token := strings.TrimSuffix(strings.TrimPrefix(email.From, "b+"), "@bounces.example.org")
		if _, seq, ok := domain.ParseReturnToken(token, []byte("secret")); !ok || email.To != fmt.Sprintf("client%d@example.org", seq) {
			t.Errorf("%s has the envelope sender %s", email.To, email.From)
		}
		if email.MessageID != "<"+token+"@example.org>" || !strings.HasSuffix(email.Params, " RET=HDRS ENVID="+token) {
			t.Errorf("%s has the Message-ID %s and %q behind MAIL", email.To, email.MessageID, email.Params)
		}
		says := map[string][]string{
			"client1@example.org": {"client1@example.org", "failed", "5.1.1", "550 5.1.1 no such user"},
			"client2@example.org": {"client2@example.org", "failed", "5.2.2", "552 5.2.2 mailbox full"},
			"client3@example.org": {"client3@example.org", "delayed", "4.4.1", "451 4.4.1 no answer"},
			"client4@example.org": {"client4@example.org", "relayed", "2.0.0", "250 ok"},
			"client5@example.org": {"", "", "", ""},
			"client6@example.org": {"elsewhere@example.net", "failed", "5.1.1", "550 5.1.1 no such user"},
		}[email.To]
		for range 2 { // some servers say it twice
			text := report(email.From, says[0], says[1], says[2], says[3])
			if err := smtp.SendMail(listener.Addr().String(), nil, "", []string{strings.ToUpper(email.From)}, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	row, err := w.db.Runs().Get(t.Context(), 0, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.wantCounts(row, domain.Counts{Planned: 6, Accepted: 6})
	if row.Bounced != 3 || row.Complained != 0 {
		t.Errorf("%d bounced, %d complained", row.Bounced, row.Complained)
	}
	if n := w.count(`SELECT count(*) FROM returns`); n != 6 {
		t.Errorf("%d emails are kept", n)
	}
	var kinds []string
	rows, err := w.db.Postgres().Pool.Query(t.Context(), `SELECT d.email || ' ' || r.kind || ' ' || c.suppressed_reason FROM returns r
		JOIN deliveries d ON d.run_id = r.run_id AND d.seq = r.seq JOIN clients c ON c.id = d.client_id ORDER BY d.email`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, one)
	}
	want := []string{"client1@example.org hard bounced", "client2@example.org soft ", "client3@example.org delayed ",
		"client4@example.org other ", "client5@example.org reply ", "client6@example.org soft "}
	if !slices.Equal(kinds, want) {
		t.Errorf("%q", kinds)
	}
}
