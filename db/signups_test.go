package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func newForm(t *testing.T, d *db.DB, owner int64, change func(*domain.FormInput)) db.PublicForm {
	t.Helper()
	own, err := d.Forms().Choices(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	in := domain.FormInput{Name: "News", Agreement: "I agree.", Tags: "web"}
	if change != nil {
		change(&in)
	}
	f := domain.Form{OwnerID: owner}
	if err := f.Change(in, own, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := d.Forms().Create(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	return dbtest.Must[db.PublicForm](t)(d.Forms().ByToken(t.Context(), strings.ToUpper(f.Token)))
}

func signUp(t *testing.T, d *db.DB, form db.PublicForm, email, name string, at time.Time) {
	t.Helper()
	s, err := form.SignUp(domain.SignupInput{Email: email, FullName: name}, form.Own, at)
	if err != nil {
		t.Fatal(err)
	}
	s.Language = "en"
	if err := d.Signups().Keep(t.Context(), form, s); err != nil {
		t.Fatal(err)
	}
}

// waits is the sign-up of an address that waits in the form.
func waits(t *testing.T, d *db.DB, form db.PublicForm, email string) domain.Signup {
	t.Helper()
	id := dbtest.Number(t, d, `SELECT id FROM signups WHERE form_id = $1 AND lower(email) = lower($2) AND confirmed_at IS NULL`, form.ID, email)
	return dbtest.Must[domain.Signup](t)(d.Signups().Get(t.Context(), form.ID, id))
}

// One confirmation per address and 24 hours, and whoever sends the form again changes what waits.
func TestSignupsAskOnceADay(t *testing.T) {
	d, now := dbtest.New(t), time.Now().Truncate(time.Microsecond)
	owner := dbtest.NewOwner(t, d, "ann")
	form := newForm(t, d, owner, func(in *domain.FormInput) { in.Fields = []string{"full_name"} })
	other := newForm(t, d, owner, nil)
	ask := func(id int64, at time.Time) (db.Question, time.Duration) {
		t.Helper()
		q, wait, err := d.Signups().Ask(t.Context(), id, at)
		if err != nil {
			t.Fatal(err)
		}
		return q, wait
	}
	jobs := func() (all, asking int64) {
		return dbtest.Number(t, d, `SELECT count(*) FROM river_job WHERE kind = 'mail'`), dbtest.Number(t, d, `SELECT count(*) FROM river_job WHERE kind = 'mail' AND args ? 'signup_id'`)
	}
	signUp(t, d, form, "eve@example.com", "Eve", now)
	signUp(t, d, form, "EVE@example.com", "Mallory", now.Add(time.Minute))
	if all, asking := jobs(); all != 2 || asking != 1 {
		t.Errorf("%d jobs, %d of them write", all, asking)
	}
	s := waits(t, d, form, "eve@example.com")
	code := s.Code([]byte("secret"))
	if s.FullName != "Mallory" || !s.CreatedAt.Equal(now) || !s.SentAt.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v", s)
	}
	if q, wait := ask(s.ID, now); wait != 0 || q.Email != "EVE@example.com" || q.Token != form.Token || q.From.Name == "" || q.From.Email != "" {
		t.Errorf("%v %+v", wait, q)
	}
	if _, wait := ask(s.ID, now.Add(time.Hour)); wait != 0 {
		t.Error("a job that is tried again has to wait")
	}
	// Another form, and another spelling of the mailbox, have to wait for a day.
	signUp(t, d, other, "eve+shop@example.com", "", now.Add(time.Hour))
	second := waits(t, d, other, "eve+shop@example.com")
	if _, wait := ask(second.ID, now.Add(time.Hour)); wait != 23*time.Hour {
		t.Errorf("waits %v", wait)
	}
	if _, wait := ask(second.ID, now.Add(24*time.Hour)); wait != 0 {
		t.Errorf("waits %v", wait)
	}
	// After a day it may be asked once more, by a link that is the same.
	signUp(t, d, form, "eve@example.com", "Eve", now.Add(25*time.Hour))
	if all, asking := jobs(); all != 4 || asking != 3 {
		t.Errorf("%d jobs, %d of them write", all, asking)
	}
	if s = waits(t, d, form, "eve@example.com"); !s.AskedAt.IsZero() || !s.Signed(code, []byte("secret")) {
		t.Errorf("%+v", s)
	}
	dbtest.Exec(t, d, `UPDATE forms SET closed_at = now() WHERE id = $1`, form.ID)
	_, _, err := d.Signups().Ask(t.Context(), s.ID, now.Add(48*time.Hour))
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	if err := d.Registrations().Prune(t.Context(), now.Add(7*24*time.Hour+2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM signups`); n != 1 {
		t.Errorf("%d sign-ups after 7 days", n)
	}
	if err := d.Registrations().Prune(t.Context(), now.Add(8*24*time.Hour+2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM signups`); n != 0 {
		t.Errorf("%d sign-ups after 8 days", n)
	}
}

// Ten instances at once: one sign-up, one email, one client, one consent.
func TestSignupsAtOnce(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	owner := dbtest.NewOwner(t, d, "ann")
	form, other := newForm(t, d, owner, nil), newForm(t, d, owner, nil)
	at := func(do func(n int) error) {
		var all sync.WaitGroup
		for n := range 10 {
			all.Go(func() {
				if err := do(n); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	at(func(n int) error {
		s, err := []db.PublicForm{form, other}[n%2].SignUp(domain.SignupInput{Email: "eve@example.com"}, form.Own, now)
		s.Language = "en"
		if err != nil {
			return err
		}
		return d.Signups().Keep(t.Context(), []db.PublicForm{form, other}[n%2], s)
	})
	if n := dbtest.Number(t, d, `SELECT count(*) FROM river_job WHERE args ? 'signup_id'`); n != 2 {
		t.Errorf("%d jobs", n)
	}
	one, two := waits(t, d, form, "eve@example.com"), waits(t, d, other, "eve@example.com")
	asked := make(chan time.Duration, 10)
	at(func(n int) error {
		_, wait, err := d.Signups().Ask(t.Context(), []int64{one.ID, two.ID}[n%2], now)
		asked <- wait
		return err
	})
	close(asked)
	waited := 0
	for wait := range asked {
		if wait > 0 {
			waited++
		}
	}
	if waited != 5 {
		t.Errorf("%d of the two forms' questions wait", waited)
	}
	at(func(n int) error {
		return d.Signups().Confirm(t.Context(), []db.PublicForm{form, other}[n%2], []int64{one.ID, two.ID}[n%2], db.Confirmation{At: now})
	})
	if clients, consents := dbtest.Number(t, d, `SELECT count(*) FROM clients`), dbtest.Number(t, d, `SELECT count(*) FROM consents`); clients != 1 || consents != 2 {
		t.Errorf("%d clients, %d consents", clients, consents)
	}
	if sums := dbtest.Numbers(t, d, `SELECT unnest(ARRAY[sum(signups), sum(confirmed), sum(refused)]) FROM form_days`); fmt.Sprint(sums) != "[10 2 0]" {
		t.Errorf("sums %v", sums)
	}
}

// Confirming never takes anything away from who was there.
func TestConfirmKeepsWhatIsThere(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	owner, stranger := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.Exec(t, d, `INSERT INTO topics (id, owner_id, name) VALUES (5, $1, 'News'), (6, $1, 'Offers'), (7, $1, 'Jobs')`, owner)
	known := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "eve@example.com", FullName: "Eve", Tags: "vip"})
	theirs := dbtest.NewClient(t, d, stranger, domain.ClientForm{Email: "eve@example.com"})
	dbtest.Suppress(t, d, theirs.ID)
	dbtest.Exec(t, d, `UPDATE clients SET left_topics = '{5,7}' WHERE id = $1`, known.ID)
	form := newForm(t, d, owner, func(in *domain.FormInput) { in.Fields, in.Topics = []string{"full_name"}, []string{"5", "6"} })
	s, err := form.SignUp(domain.SignupInput{Email: "eve@example.com", FullName: "Mallory", Topics: []string{"5"}}, form.Own, now)
	s.Language, s.IP, s.Page = "en", "203.0.113.0/24", "https://shop.example/a"
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Signups().Keep(t.Context(), form, s); err != nil {
		t.Fatal(err)
	}
	s = waits(t, d, form, "eve@example.com")
	for range 2 {
		if err := d.Signups().Confirm(t.Context(), form, s.ID, db.Confirmation{IP: "198.51.100.0/24", At: now}); err != nil {
			t.Fatal(err)
		}
	}
	c := dbtest.Must[domain.Client](t)(d.Clients().Get(t.Context(), owner, known.ID))
	if c.FullName != "Eve" || strings.Join(c.Tags, " ") != "vip web" {
		t.Errorf("%+v", c)
	}
	// It has had Offers so far, and keeps them; Jobs is not in the form.
	if left := dbtest.Numbers(t, d, `SELECT unnest(left_topics) FROM clients WHERE id = $1`, known.ID); fmt.Sprint(left) != "[7]" {
		t.Errorf("left %v", left)
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM clients WHERE id = $1 AND suppressed_at IS NOT NULL`, theirs.ID); n != 1 {
		t.Error("another owner's client gets emails again")
	}
	proofs := dbtest.Must[[]db.Proof](t)(d.Consents().Of(t.Context(), owner, known.ID))
	if len(proofs) != 1 || proofs[0].Agreement != "I agree." || proofs[0].Version != 1 || proofs[0].IP != "203.0.113.0/24" || proofs[0].ConfirmedIP != "198.51.100.0/24" ||
		proofs[0].Page != "https://shop.example/a" || proofs[0].FormID != form.ID || strings.Join(proofs[0].Topics, "") != "News" {
		t.Errorf("%+v", proofs)
	}
	if none := dbtest.Must[[]db.Proof](t)(d.Consents().Of(t.Context(), stranger, known.ID)); len(none) > 0 {
		t.Error("another owner reads the proof")
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM signups WHERE email <> '' OR full_name <> '' OR ip <> ''`); n != 0 {
		t.Error("a confirmed sign-up keeps what was typed")
	}
	// A new version of the text, and a form that is gone, leave the proof as it was.
	if _, err := d.Forms().Update(t.Context(), owner, form.ID, func(f *domain.Form) error { f.Agreement = "Else."; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.Forms().Delete(t.Context(), owner, form.ID); err != nil {
		t.Fatal(err)
	}
	if proofs = dbtest.Must[[]db.Proof](t)(d.Consents().Of(t.Context(), owner, known.ID)); len(proofs) != 1 || proofs[0].Agreement != "I agree." || proofs[0].FormName != "News" {
		t.Errorf("%+v", proofs)
	}
}

// With a client goes all that its address has left in forms.
func TestErasedSignups(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	owner := dbtest.NewOwner(t, d, "ann")
	form, other := newForm(t, d, owner, nil), newForm(t, d, owner, nil)
	signUp(t, d, form, "Eve@example.com", "", now)
	if err := d.Signups().Confirm(t.Context(), form, waits(t, d, form, "eve@example.com").ID, db.Confirmation{At: now}); err != nil {
		t.Fatal(err)
	}
	signUp(t, d, other, "EVE@example.com", "", now)
	client := dbtest.Number(t, d, `SELECT id FROM clients`)
	if latest := dbtest.Must[[]db.LatestSignup](t)(d.Forms().Latest(t.Context(), form.ID)); len(latest) != 1 || latest[0].ClientID != client || latest[0].Waits {
		t.Errorf("%+v", latest)
	}
	if err := d.Clients().Delete(t.Context(), owner, client); err != nil {
		t.Fatal(err)
	}
	if n := dbtest.Number(t, d, `SELECT (SELECT count(*) FROM consents) + (SELECT count(*) FROM signups WHERE email <> '')`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestFormsOfAnOwner(t *testing.T) {
	d := dbtest.New(t)
	owner, stranger := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	form := newForm(t, d, owner, nil)
	_, err := d.Forms().Get(t.Context(), stranger, form.ID)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	_, err = d.Forms().Update(t.Context(), stranger, form.ID, func(*domain.Form) error { return nil })
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	dbtest.Refused(t, d.Forms().Delete(t.Context(), stranger, form.ID), domain.NotFound, "errors.not_found")
	if rows := dbtest.Must[[]db.FormRow](t)(d.Forms().List(t.Context(), stranger)); len(rows) > 0 {
		t.Error("another owner sees the form")
	}
	f := domain.Form{OwnerID: owner, Name: "x", Agreement: "y", SenderID: 99}
	dbtest.Refused(t, d.Forms().Create(t.Context(), &f), domain.Invalid, "senders.unknown")
	dbtest.Exec(t, d, `INSERT INTO forms (owner_id, token, name, agreement) SELECT $1, 'x' || i, 'n', 'a' FROM generate_series(2, 100) AS i`, owner)
	f = domain.Form{OwnerID: owner, Name: "x", Agreement: "y"}
	dbtest.Refused(t, d.Forms().Create(t.Context(), &f), domain.Conflict, "forms.many")
	dbtest.Exec(t, d, `UPDATE users SET blocked_at = now() WHERE id = $1`, owner)
	_, err = d.Forms().ByToken(t.Context(), form.Token)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
}
