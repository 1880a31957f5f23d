package handlers

import (
	"strings"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestUnsubscribePage(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	c := w.client(t, user.ID, "client@example.com")
	path := "/unsubscribe/" + domain.NewUnsubscribeTokens([]byte(password)).Token(c.ID)
	b := w.visitor(t)
	suppressed := func() bool {
		t.Helper()
		got, err := w.db.Clients().Get(t.Context(), user.ID, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Suppressed()
	}
	a := b.get(path).is(t, 200, "Stop emails from ann to c…@example.com?", `method="post"`, `action="`+path+`"`)
	if suppressed() || strings.Contains(a.body, "client@example.com") {
		t.Error("looking at the page changes or tells something")
	}
	b.with("Accept-Language", "ru").get(path).is(t, 200, "Больше не присылать письма")
	if _, err := w.db.Brands().Update(t.Context(), user.ID, func(b *domain.Brand) error { b.Color = "#7a1fa2"; return nil }); err != nil {
		t.Fatal(err)
	}
	b.get(path).is(t, 200, "--accent:#7a1fa2")
	// As a mail program posts it (RFC 8058): from anywhere, without cookies.
	program := w.visitor(t).with("Origin", "https://mail.example.net").with("Sec-Fetch-Site", "cross-site")
	for range 2 {
		program.post(path, "List-Unsubscribe", "One-Click").is(t, 200, "c…@example.com gets no more emails from ann.", "--accent:#7a1fa2", `name="reason" value="too_many"`, `value="undo"`)
		if !suppressed() {
			t.Fatal("still gets emails")
		}
	}
	b.get(path).is(t, 200, "gets no more emails")
	owner.get("/clients").is(t, 200, "Unsubscribed")
	if err := w.db.Clients().Delete(t.Context(), user.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.get(path).is(t, 200, "This address gets no more emails.")
	b.post(path).is(t, 200, "This address gets no more emails.")
}

// The link of a client that was deleted and brought in again means its address.
func TestUnsubscribeOutlivesTheClient(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	other, _ := w.owner(t, "bob")
	old := w.client(t, user.ID, "client@example.com")
	if err := w.db.Clients().Delete(t.Context(), user.ID, old.ID); err != nil {
		t.Fatal(err)
	}
	again, stranger := w.client(t, user.ID, "CLIENT@example.com"), w.client(t, other.ID, "client@example.com")
	path := "/unsubscribe/" + domain.NewUnsubscribeTokens([]byte(password)).Token(old.ID)
	for range 2 {
		w.visitor(t).post(path+").%20").is(t, 200, "This address gets no more emails.")
		if !w.suppressed(t, again) || w.suppressed(t, stranger) {
			t.Error("the address still gets emails of this owner, or none of another")
		}
	}
	if err := w.db.Clients().Delete(t.Context(), user.ID, again.ID); err != nil {
		t.Fatal(err)
	}
	if third := w.client(t, user.ID, "client@example.com"); !w.suppressed(t, third) {
		t.Error("brought in a third time, the address gets emails again")
	}
}

func (w *env) suppressed(t *testing.T, c domain.Client) bool {
	t.Helper()
	got, err := w.db.Clients().Get(t.Context(), c.OwnerID, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got.Suppressed()
}

// A changed SECRET leaves the links in emails that were sent working.
func TestUnsubscribeOldSecret(t *testing.T) {
	d, old := dbtest.New(t), []byte("the secret of before, 32 characters")
	w := envOn(t, d, func(c *Config) { c.SecretOld = old })
	user, _ := w.owner(t, "ann")
	c := w.client(t, user.ID, "client@example.com")
	for _, secret := range []string{password, string(old)} {
		w.visitor(t).get("/unsubscribe/"+domain.NewUnsubscribeTokens([]byte(secret)).Token(c.ID)).is(t, 200, "c…@example.com")
	}
	w.visitor(t).get("/unsubscribe/"+domain.NewUnsubscribeTokens([]byte("another secret")).Token(c.ID)).is(t, 404)
}

func TestUnsubscribeWrongToken(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	c := w.client(t, user.ID, "client@example.com")
	b := w.visitor(t)
	token := domain.NewUnsubscribeTokens([]byte(password)).Token(c.ID)
	for _, wrong := range []string{
		token[:len(token)-2] + "xx", token + "A", token + ".-", "1", "%00", domain.NewUnsubscribeTokens([]byte("another secret")).Token(c.ID),
	} {
		b.get("/unsubscribe/"+wrong).is(t, 404)
		b.post("/unsubscribe/"+wrong).is(t, 404)
	}
	b.get("/unsubscribe/test").is(t, 200, "This link comes from a test email.")
	b.post("/unsubscribe/test").is(t, 200)
	if got, err := w.db.Clients().Get(t.Context(), user.ID, c.ID); err != nil || got.Suppressed() {
		t.Errorf("%+v, %v", got, err)
	}
}
