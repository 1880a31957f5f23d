package jobs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/domain/emailauth"
)

// The email to the mailbox of a sign-up carries nothing that anybody typed about it, and comes from the owner's domain
// when that proves itself.
func TestSignupEmail(t *testing.T) {
	w, work := mailbox(t)
	w.Secret = []byte("first")
	user := domain.User{Email: "anna@x.example", Name: "Анна", Role: domain.RoleUser, Language: "ru", Timezone: "UTC"}
	if err := w.DB.Users().Create(t.Context(), &user); err != nil {
		t.Fatal(err)
	}
	vault, err := emailauth.NewVault(w.Secret)
	if err != nil {
		t.Fatal(err)
	}
	w.Vault = vault
	sender := domain.Sender{OwnerID: user.ID, Name: "Цветы Анны", Email: "news@shop.example", ConfirmedAt: time.Now()}
	if err := w.DB.Senders().Create(t.Context(), &sender, vault); err != nil {
		t.Fatal(err)
	}
	f := domain.Form{OwnerID: user.ID}
	err = f.Change(domain.FormInput{Name: "Heading of the owner", Text: "Buy now", Agreement: "Words of the owner", Fields: []string{"full_name"}, SenderID: sender.ID}, domain.FormChoices{}, time.Now())
	if err == nil {
		err = w.DB.Forms().Create(t.Context(), &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.DB.Brands().Update(t.Context(), user.ID, func(b *domain.Brand) error {
		b.Name, b.Logo, b.Color, b.Address, b.Reason, b.Links = "Words of a brand", "logo-120x40.png", "#7a1fa2", "Words, 1", "Words", []string{"https://words.example"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	signUp := func(email string) domain.Signup {
		t.Helper()
		form, err := w.DB.Forms().ByToken(t.Context(), f.Token)
		if err != nil {
			t.Fatal(err)
		}
		s, err := form.SignUp(domain.SignupInput{Email: email, FullName: "Buy at evil.example"}, form.Own, time.Now())
		s.Language = "en"
		if err == nil {
			err = w.DB.Signups().Keep(t.Context(), form, s)
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err = w.DB.Signups().Get(t.Context(), f.ID, dbtest.Number(t, w.DB, `SELECT max(id) FROM signups`))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := signUp("eve@x.example")
	job := domain.MailJob{Email: domain.MailSignup, SignupID: s.ID}
	emails := work(job)
	if len(emails) != 1 {
		t.Fatalf("%d emails", len(emails))
	}
	one := emails[0]
	link := "https://sky.example/f/" + f.Token + "/confirm/" + s.Code(w.Secret)
	if one.to != "eve@x.example" || one.from != "noreply@sky.example" || one.GetHeader("Auto-Submitted") != "auto-generated" || !strings.Contains(one.Text, link) || !strings.Contains(one.HTML, link) ||
		one.GetHeader("Subject") != "Confirm your subscription: Цветы Анны" || !strings.Contains(one.GetHeader("From"), "noreply@sky.example") || !strings.Contains(one.GetHeader("Reply-To"), "news@shop.example") {
		t.Errorf("%s: %v\n%s", one.to, one.Root.Header, one.Text)
	}
	for _, look := range []string{"#7a1fa2", `src="https://sky.example/media/logo-120x40.png"`} {
		if !strings.Contains(one.HTML, look) {
			t.Errorf("the email has no %s of the brand: %s", look, one.HTML)
		}
	}
	for _, typed := range []string{"evil", "Buy", "Heading", "Words", "words", "eve"} {
		if strings.Contains(one.Text+one.HTML, typed) {
			t.Errorf("the email carries %q", typed)
		}
	}
	// A job that is tried again writes the same; another sign-up of the mailbox waits for a day.
	if again := work(job); len(again) != 1 || !strings.Contains(again[0].Text, link) {
		t.Error("the next try of a job writes something else")
	}
	dbtest.Exec(t, w.DB, `UPDATE sender_domains SET green_at = now(), records = '[]'`)
	other := signUp("eve+2@x.example")
	err = w.Work(t.Context(), &river.Job[domain.MailJob]{JobRow: &rivertype.JobRow{}, Args: domain.MailJob{Email: domain.MailSignup, SignupID: other.ID}})
	snoozed, ok := errors.AsType[*rivertype.JobSnoozeError](err)
	if !ok || snoozed.Duration < 23*time.Hour {
		t.Errorf("another sign-up of the mailbox: %v", err)
	}
	third := signUp("bob@x.example")
	if emails = work(domain.MailJob{Email: domain.MailSignup, SignupID: third.ID}); len(emails) != 1 || !strings.Contains(emails[0].GetHeader("From"), "<news@shop.example>") ||
		!strings.Contains(emails[0].GetHeader("DKIM-Signature"), "d=shop.example") {
		t.Errorf("from a green domain: %v", emails)
	}
	for _, nobody := range []int64{0, 999} {
		if emails = work(domain.MailJob{Email: domain.MailSignup, SignupID: nobody}); len(emails) > 0 {
			t.Error("somebody gets an email of no sign-up")
		}
	}
	dbtest.Exec(t, w.DB, `UPDATE signups SET confirmed_at = now() WHERE id = $1`, third.ID)
	if emails = work(domain.MailJob{Email: domain.MailSignup, SignupID: third.ID}); len(emails) > 0 {
		t.Error("who has confirmed is asked again")
	}
}
