package engine

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// sender is a confirmed sender of the fixture's owner, and the texts that DNS would have for it.
func (w *fixture) sender() (domain.Sender, domain.SenderDomain, map[string]string) {
	w.Helper()
	s := domain.Sender{OwnerID: 1000, Name: "Цветы", Email: "news@shop.example", ReplyTo: "help@shop.example", ConfirmedAt: time.Now()}
	vault, err := emailauth.NewVault([]byte("secret"))
	if err != nil {
		w.Fatal(err)
	}
	if err := w.db.Senders().Create(w.Context(), &s, vault); err != nil {
		w.Fatal(err)
	}
	d, err := w.db.Senders().Domain(w.Context(), s.DomainID)
	if err != nil {
		w.Fatal(err)
	}
	texts := map[string]string{}
	for _, one := range d.Wanted() {
		texts[one.Name] = one.Value
	}
	return s, d, texts
}

// judge has the domain hold what DNS answers.
func (w *fixture) judge(d domain.SenderDomain, texts map[string]string) {
	w.Helper()
	var answers []emailauth.Texts
	for _, name := range d.Names() {
		var answer emailauth.Texts
		if text := texts[name]; text != "" {
			answer.Found = []string{text}
		}
		answers = append(answers, answer)
	}
	if _, err := w.db.Senders().Judge(w.Context(), d.ID, answers, time.Now()); err != nil {
		w.Fatal(err)
	}
}

// An owner's emails come from the owner's sender, signed with the keys of its domain as the records are when
// the run is planned; of a domain that is not green they come from the installation's address.
func TestEmailsComeFromTheSender(t *testing.T) {
	w := newFixture(t, smtptest.Script{KeepRaw: true})
	w.exec(`INSERT INTO clients (owner_id, email) VALUES (1000, 'client@example.org')`)
	s, d, texts := w.sender()
	m := w.mailing(domain.MailingForm{Audience: "all", SenderID: s.ID})
	rsaOnly := map[string]string{}
	for name, text := range texts {
		if !strings.Contains(name, emailauth.Ed25519) {
			rsaOnly[name] = text
		}
	}
	planned := []struct {
		name, from string
		texts      map[string]string
		signatures int
	}{
		{"green", "news@shop.example", texts, 2},
		{"without ed25519", "news@shop.example", rsaOnly, 1},
		{"not green", "noreply@example.org", nil, 0},
	}
	var runs []domain.Run
	for _, one := range planned {
		w.judge(d, one.texts)
		w.exec(`UPDATE runs SET created_at = created_at - interval '1 minute'`) // or it is refused as a double click
		runs = append(runs, w.run(m))
		if one.texts == nil {
			continue
		}
		w.start(1)
		w.closed(runs[len(runs)-1].ID)
		w.stop()
	}
	w.start(1)
	w.closed(runs[2].ID)
	emails := w.server.Emails()
	if len(emails) != len(planned) {
		t.Fatalf("%d emails", len(emails))
	}
	for i, one := range planned {
		raw := emails[i].Raw
		read, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		from, err := read.Header.AddressList("From")
		if err != nil || from[0].Address != one.from || from[0].Name != "Цветы" {
			t.Errorf("%s: from %v, %v", one.name, from, err)
		}
		if reply, err := read.Header.AddressList("Reply-To"); err != nil || reply[0].Address != "help@shop.example" {
			t.Errorf("%s: replies to %v, %v", one.name, reply, err)
		}
		list, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
			LookupTXT: func(name string) ([]string, error) { return []string{texts[name]}, nil }})
		if err != nil || len(list) != one.signatures {
			t.Fatalf("%s: %d signatures, %v", one.name, len(list), err)
		}
		for _, signature := range list {
			if signature.Err != nil || !emailauth.Aligned("shop.example", signature.Domain, true) {
				t.Errorf("%s: %s: %v", one.name, signature.Domain, signature.Err)
			}
		}
	}
}
