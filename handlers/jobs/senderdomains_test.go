package jobs

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/resolver"
	"skychimp/handlers/resolver/dnstest"
)

// The mailbox of a sender is asked, in its owner's language, by a link that works once it is there.
func TestSenderIsAsked(t *testing.T) {
	w, work := mailbox(t)
	s, _ := newSender(t, w)
	emails := work(domain.MailJob{Email: domain.MailSender, SenderID: s.ID})
	if len(emails) != 1 || emails[0].to != "news@shop.example" || emails[0].GetHeader("Subject") != "Подтвердите почтовый ящик отправителя" {
		t.Fatalf("%+v", emails)
	}
	_, rest, _ := strings.Cut(emails[0].Text, "https://sky.example/senders/confirm/")
	secret, err := base64.RawURLEncoding.DecodeString(strings.Fields(rest + " .")[0])
	if err != nil || !strings.Contains(emails[0].Text, "ann@x.example") {
		t.Fatalf("%v in %s", err, emails[0].Text)
	}
	hash := sha256.Sum256(secret)
	if _, err := w.DB.Senders().Confirm(t.Context(), hash[:], time.Now()); err != nil {
		t.Fatal(err)
	}
	if emails := work(domain.MailJob{Email: domain.MailSender, SenderID: s.ID}); len(emails) != 0 {
		t.Errorf("a confirmed mailbox is asked again: %d", len(emails))
	}
}

// Domains are looked at once a day.
func TestSenderDomainsAreLookedAfter(t *testing.T) {
	w, _ := mailbox(t)
	s, d := newSender(t, w)
	dns := dnstest.New(t)
	worker := &SenderDomainsWorker{DB: w.DB, DNS: resolver.New(dns.Addr), Log: slog.New(slog.DiscardHandler)}
	look := func(want bool) {
		t.Helper()
		if err := worker.Work(t.Context(), &river.Job[domain.SenderDomainsJob]{}); err != nil {
			t.Fatal(err)
		}
		if got, err := w.DB.Senders().Domain(t.Context(), s.DomainID); err != nil || got.Green() != want {
			t.Errorf("green %v, %v", got.Green(), err)
		}
	}
	look(false)
	for _, one := range d.Wanted() {
		half := len(one.Value) / 2
		dns.Set(t, one.Name, `TXT "`+one.Value[:half]+`" "`+one.Value[half:]+`"`)
	}
	look(false) // it is not a day ago
	yesterday := func() {
		t.Helper()
		if _, err := w.DB.Postgres().Pool.Exec(t.Context(), `UPDATE sender_domains SET checked_at = checked_at - interval '25 hours'`); err != nil {
			t.Fatal(err)
		}
	}
	yesterday()
	look(true)
	dns.Set(t, d.Wanted()[0].Name)
	yesterday()
	look(false)
}

// SECRET_OLD opens keys once more, and they are sealed with SECRET; keys whose secret is lost are made anew.
func TestSenderKeysMoveToAnotherSecret(t *testing.T) {
	w, _ := mailbox(t)
	s, before := newSender(t, w)
	sealed := func() (d domain.SenderDomain) {
		t.Helper()
		if err := w.DB.Postgres().Bun.NewSelect().Model(&d).Where("id = ?", s.DomainID).Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		return d
	}
	reseal := func(lost bool, secrets ...[]byte) int {
		t.Helper()
		vault, err := emailauth.NewVault(secrets...)
		if err != nil {
			t.Fatal(err)
		}
		renewed, err := w.DB.Senders().Reseal(t.Context(), vault, lost)
		if err != nil {
			t.Fatal(err)
		}
		d := sealed()
		if _, old, err := vault.Open(d.RSASelector, d.RSAKey); renewed == 0 && (err != nil || old) {
			t.Errorf("after resealing: old %v, %v", old, err)
		}
		return renewed
	}
	if n := reseal(false, []byte("second"), []byte("first")); n != 0 || sealed().RSASelector != before.RSASelector {
		t.Errorf("%d keys were made anew", n)
	}
	if n := reseal(false, []byte("second")); n != 0 {
		t.Errorf("%d keys were made anew", n)
	}
	if n := reseal(false, []byte("third")); n != 1 || sealed().RSASelector != before.RSASelector {
		t.Errorf("%d keys cannot be opened, and are kept until the secret is said to be lost", n)
	}
	if n := reseal(true, []byte("third")); n != 1 || sealed().RSASelector == before.RSASelector {
		t.Errorf("%d keys were made anew", n)
	}
	if n := reseal(false, []byte("third")); n != 0 {
		t.Errorf("%d keys cannot be opened", n)
	}
}

func newSender(t *testing.T, w *MailWorker) (domain.Sender, domain.SenderDomain) {
	t.Helper()
	owner := domain.User{Email: "ann@x.example", Name: "Анна", Role: domain.RoleUser, Language: "ru", Timezone: "UTC"}
	if err := w.DB.Users().Create(t.Context(), &owner); err != nil {
		t.Fatal(err)
	}
	s := domain.Sender{OwnerID: owner.ID, Name: "Shop", Email: "news@shop.example"}
	vault, err := emailauth.NewVault([]byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Senders().Create(t.Context(), &s, vault); err != nil {
		t.Fatal(err)
	}
	d, err := w.DB.Senders().Domain(t.Context(), s.DomainID)
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}
