package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/jhillyerd/enmime/v2"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/handlers/jobs/engine"
	"skychimp/templates"
)

// sent is one email as the mail server gets it.
type sent struct {
	from, to string
	*enmime.Envelope
}

// mailbox is a worker whose emails stay here.
func mailbox(t *testing.T) (*MailWorker, func(domain.MailJob) []sent) {
	t.Helper()
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	var got []sent
	w := &MailWorker{DB: dbtest.New(t), Settings: engine.Settings{
		From: mail.Address{Name: "SkyChimp", Address: "noreply@sky.example"}, BaseURL: "https://sky.example", Translate: texts.Say,
	}}
	w.Deliver = func(_ context.Context, from, to string, email []byte) error {
		envelope, err := enmime.ReadEnvelope(bytes.NewReader(email))
		got = append(got, sent{from, to, envelope})
		return err
	}
	return w, func(job domain.MailJob) []sent {
		t.Helper()
		got = nil
		if err := w.Work(t.Context(), &river.Job[domain.MailJob]{JobRow: &rivertype.JobRow{}, Args: job}); err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// The month in numbers, in the owner's language, with the way to its page and the way to stop it.
func TestMonthlyEmail(t *testing.T) {
	w, work := mailbox(t)
	for _, tt := range []struct {
		language, subject string
		says              []string
	}{
		{"en", "Your results of January 2031", []string{"Emails accepted: 1,900 (95.0%). Refused: 100.", "Bounced: 10. Unsubscribed: 7. Complaints: 5.", "Most emails: Offers (1,900).",
			"Clients who get emails now: 2. Change in the month: +2.", "See all results", "account page"}},
		{"ru", "Ваши итоги: Январь 2031", []string{"1\u202f900", "95,0 %", "Offers", "Отписались: 7"}},
	} {
		owner := dbtest.NewOwner(t, w.DB, tt.language)
		dbtest.Exec(t, w.DB, "UPDATE users SET language = $2, timezone = 'UTC' WHERE id = $1", owner, tt.language)
		dbtest.NewClients(t, w.DB, owner, 2)
		dbtest.Exec(t, w.DB, "UPDATE client_days SET day = '2031-01-20' WHERE owner_id = $1", owner)
		m := dbtest.NewLaunched(t, w.DB, owner, nil)
		dbtest.Exec(t, w.DB, "UPDATE mailings SET name = 'Offers' WHERE id = $1", m.ID)
		dbtest.Exec(t, w.DB, `INSERT INTO mailing_days (owner_id, day, mailing_id, hour, planned, accepted, failed, bounced, complained, unsubscribed)
			SELECT $1, day::date, $2, 9, 1000, 950, 50, 5, n, n + 1 FROM unnest(ARRAY['2030-12-31', '2031-01-01', '2031-01-31', '2031-02-01']) WITH ORDINALITY AS days (day, n)`, owner, m.ID)
		emails := work(domain.MailJob{Email: domain.MailMonthly, UserID: owner, Month: "2031-01-01"})
		if len(emails) != 1 || emails[0].to != tt.language+"@owners.example" {
			t.Fatalf("%s: %+v", tt.language, emails)
		}
		one := emails[0]
		if one.GetHeader("Subject") != tt.subject || one.GetHeader("Auto-Submitted") != "auto-generated" {
			t.Errorf("%s: %s", tt.language, one.GetHeader("Subject"))
		}
		for _, part := range []string{one.Text, html.UnescapeString(one.HTML)} {
			for _, says := range append(tt.says, "https://sky.example/results?from=2031-01-01&to=2031-01-31", "https://sky.example/account") {
				if !strings.Contains(part, says) {
					t.Errorf("%s: no %q in %s", tt.language, says, part)
				}
			}
		}
	}
}

func TestSystemEmails(t *testing.T) {
	w, work := mailbox(t)
	user := domain.User{Email: "anna@x.example", Name: "Анна", Role: domain.RoleUser, Language: "ru", Timezone: "UTC"}
	if err := w.DB.Users().Create(t.Context(), &user); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"new@x.example", "ANNA@x.example"} {
		err := w.DB.Registrations().Create(t.Context(), domain.Registration{Email: email, Name: "Мэлори", Language: "ru", Timezone: "UTC"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		job                    domain.MailJob
		to, subject, link, not string
		purpose                domain.TokenPurpose
	}{
		{domain.MailJob{Email: domain.MailVerify, RegistrationID: user.ID + 1}, "new@x.example", "Подтвердите email", "/verify/", "Мэлори", domain.TokenVerify},
		{domain.MailJob{Email: domain.MailVerify, RegistrationID: user.ID + 2}, user.Email, "У вас уже есть аккаунт", "/login", "Мэлори", ""},
		{domain.MailJob{Email: domain.MailReset, UserID: user.ID}, user.Email, "Задайте новый пароль", "/password/reset/", "Мэлори", domain.TokenReset},
		{domain.MailJob{Email: domain.MailKnown, UserID: user.ID}, user.Email, "У вас уже есть аккаунт", "/login", "Мэлори", ""},
	}
	for _, test := range tests {
		emails := work(test.job)
		if len(emails) != 1 {
			t.Fatalf("%s: %d emails", test.job.Email, len(emails))
		}
		one := emails[0]
		if one.from != "noreply@sky.example" || one.to != test.to || one.GetHeader("Subject") != test.subject ||
			one.GetHeader("Auto-Submitted") != "auto-generated" {
			t.Errorf("%s: %s to %s: %s", test.job.Email, one.from, one.to, one.GetHeader("Subject"))
		}
		if strings.Contains(one.Text+one.HTML+one.GetHeader("To"), test.not) {
			t.Errorf("%s carries words that a stranger may have typed: %s", test.job.Email, one.Text)
		}
		_, rest, ok := strings.Cut(one.Text, "https://sky.example"+test.link)
		if !ok || !strings.Contains(one.HTML, "https://sky.example"+test.link) {
			t.Errorf("%s: no link in %s", test.job.Email, one.Text)
		}
		if test.purpose == "" {
			continue
		}
		secret, err := base64.RawURLEncoding.DecodeString(strings.Fields(rest)[0])
		hash := sha256.Sum256(secret)
		whose, missing := w.DB.Tokens().User(t.Context(), hash[:], test.purpose, time.Now())
		if test.purpose == domain.TokenVerify {
			var registration domain.Registration
			registration, missing = w.DB.Registrations().ByToken(t.Context(), hash[:], time.Now())
			whose.Email = registration.Email
		}
		if err != nil || missing != nil || whose.Email != test.to {
			t.Errorf("%s: the link %s does not work: %v, %v", test.job.Email, rest, err, missing)
		}
	}
	// Strangers ask for addresses that nobody has here; accounts are deleted meanwhile.
	for _, job := range []domain.MailJob{{Email: domain.MailReset}, {Email: domain.MailVerify}, {Email: domain.MailVerify, RegistrationID: 404}, {Email: domain.MailKnown, UserID: 404}} {
		if emails := work(job); len(emails) != 0 {
			t.Errorf("%+v writes to %s", job, emails[0].to)
		}
	}
}

// Of a new address both mailboxes hear: the old one by name, the new one without words that a stranger may have
// typed, and whoever has an account there is told so instead.
func TestEmailsOfAnEmailChange(t *testing.T) {
	w, work := mailbox(t)
	anna := domain.User{Email: "anna@x.example", Name: "Мэлори", Role: domain.RoleUser, Language: "ru", Timezone: "UTC"}
	other := domain.User{Email: "other@x.example", Name: "Other", Role: domain.RoleUser, Language: "en", Timezone: "UTC"}
	for _, user := range []*domain.User{&anna, &other} {
		if err := w.DB.Users().Create(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(email string) (id int64) {
		t.Helper()
		if err := w.DB.EmailChanges().Create(t.Context(), domain.EmailChange{UserID: anna.ID, Email: email}, time.Now()); err != nil {
			t.Fatal(err)
		}
		change, err := w.DB.EmailChanges().Of(t.Context(), anna.ID)
		if err != nil {
			t.Fatal(err)
		}
		return change.ID
	}
	for _, test := range []struct {
		asked             string
		kind              domain.MailKind
		to, subject, link string
		named             bool
	}{
		{"new@x.example", domain.MailOldEmail, anna.Email, "Это ваш новый адрес?", "/account/email/", true},
		{"new@x.example", domain.MailNewEmail, "new@x.example", "Подтвердите новый адрес", "/account/email/", false},
		{"Anna@x.example", domain.MailNewEmail, "Anna@x.example", "Подтвердите новый адрес", "/account/email/", false},
		{"OTHER@x.example", domain.MailOldEmail, anna.Email, "Это ваш новый адрес?", "/account/email/", true},
		{"OTHER@x.example", domain.MailNewEmail, other.Email, "You already have an account", "/login", false},
	} {
		id := ask(test.asked)
		emails := work(domain.MailJob{Email: test.kind, EmailChangeID: id})
		if len(emails) != 1 {
			t.Fatalf("%s: %d emails", test.kind, len(emails))
		}
		one := emails[0]
		if one.to != test.to || one.GetHeader("Subject") != test.subject {
			t.Errorf("%s of %s: to %s: %s", test.kind, test.asked, one.to, one.GetHeader("Subject"))
		}
		if named := strings.Contains(one.Text+one.HTML+one.GetHeader("To"), anna.Name); named != test.named {
			t.Errorf("%s to %s has the name of who asked: %v\n%s", test.kind, one.to, named, one.Text)
		}
		_, rest, ok := strings.Cut(one.Text, "https://sky.example"+test.link)
		if !ok {
			t.Fatalf("%s: no link in %s", test.kind, one.Text)
		}
		if test.link == "/login" {
			continue
		}
		secret, _ := base64.RawURLEncoding.DecodeString(strings.Fields(rest)[0])
		hash := sha256.Sum256(secret)
		if change, err := w.DB.EmailChanges().ByToken(t.Context(), hash[:], time.Now()); err != nil || change.ID != id {
			t.Errorf("%s: the link %s is of %+v, %v", test.kind, rest, change, err)
		}
	}
	before := ask("new@x.example")
	ask("newer@x.example") // takes the place of the one before
	for _, kind := range []domain.MailKind{domain.MailOldEmail, domain.MailNewEmail} {
		if emails := work(domain.MailJob{Email: kind, EmailChangeID: before}); len(emails) != 0 {
			t.Errorf("%s of what nobody asks for any more goes to %s", kind, emails[0].to)
		}
	}
}

// A link works whatever SECRET it was made with: a job that is tried again after a change of SECRET writes another
// one, and both lead to the same account.
func TestLinksOutliveSecret(t *testing.T) {
	w, work := mailbox(t)
	anna := domain.User{Email: "anna@x.example", Name: "Anna", Role: domain.RoleUser, Language: "en", Timezone: "UTC"}
	if err := w.DB.Users().Create(t.Context(), &anna); err != nil {
		t.Fatal(err)
	}
	links := map[string]bool{}
	for _, secret := range []string{"the secret of before, thirty-two bytes", "the secret of before, thirty-two bytes", "another secret of thirty-two bytes"} {
		w.Secret = []byte(secret)
		one := work(domain.MailJob{Email: domain.MailReset, UserID: anna.ID})[0]
		_, rest, _ := strings.Cut(one.Text, "https://sky.example/password/reset/")
		links[strings.Fields(rest)[0]] = true
	}
	if len(links) != 2 {
		t.Errorf("%d links: each SECRET has one", len(links))
	}
	for link := range links {
		secret, _ := base64.RawURLEncoding.DecodeString(link)
		hash := sha256.Sum256(secret)
		if user, err := w.DB.Tokens().User(t.Context(), hash[:], domain.TokenReset, time.Now()); err != nil || user.ID != anna.ID {
			t.Errorf("%s is of %+v, %v", link, user, err)
		}
	}
}

func TestTestEmail(t *testing.T) {
	w, work := mailbox(t)
	owner := domain.User{Email: "anna@x.example", Name: "Anna", Role: domain.RoleUser, Language: "en", Timezone: "UTC", VerifiedAt: time.Now()}
	if err := w.DB.Users().Create(t.Context(), &owner); err != nil {
		t.Fatal(err)
	}
	message := domain.Message{OwnerID: owner.ID}
	message.Change(domain.MessageForm{Subject: "News for {{name}}", Body: "**Hello**, {{name}}!"}, time.Now())
	if err := w.DB.Messages().Create(t.Context(), &message); err != nil {
		t.Fatal(err)
	}
	client := domain.Client{OwnerID: owner.ID}
	if err := client.Change(domain.ClientForm{Email: "bob@x.example", FullName: "Bob"}); err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Clients().Create(t.Context(), &client); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]int64{"Anna": 0, "Bob": client.ID} {
		emails := work(domain.MailJob{Email: domain.MailTest, UserID: owner.ID, MessageID: message.ID, ClientID: id})
		if len(emails) != 1 {
			t.Fatalf("%d emails", len(emails))
		}
		one := emails[0]
		if one.to != owner.Email || one.GetHeader("Subject") != "News for "+name || !strings.Contains(one.HTML, "<strong>Hello</strong>, "+name) {
			t.Errorf("as %s to %s: %s\n%s", name, one.to, one.GetHeader("Subject"), one.HTML)
		}
	}
	if emails := work(domain.MailJob{Email: domain.MailTest, UserID: owner.ID, MessageID: 404}); len(emails) != 0 {
		t.Errorf("a deleted message went out")
	}
}
