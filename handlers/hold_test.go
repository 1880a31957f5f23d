package handlers

import (
	"strings"
	"testing"

	"skychimp/domain"
)

// Every page says in words that nothing is sent, and to whom may act what to do.
func TestHoldOnPages(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	m := w.mailing(t, user.ID)
	w.client(t, user.ID, "bob@x.example")
	manager := w.as(t, w.user(t, "max", domain.RoleManager))
	if a := owner.get("/mailings").is(t, 200); strings.Contains(a.body, "on hold") {
		t.Error("a hold that is none")
	}
	if _, err := w.db.Installation().Locate(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Installation().HoldOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/mailings", "/clients", "/account", "/help"} {
		owner.get(path).is(t, 200, "Sending is on hold for maintenance. Your mailings will resume")
	}
	owner.get("/nowhere").is(t, 404, "Sending is on hold")
	owner.with("Accept-Language", "ru").get("/mailings").is(t, 200, "on hold") // the account's language is English
	manager.get("/manager/mailings").is(t, 200, "Someone ran skychimp hold on", "skychimp hold off", "<time datetime=")
	if a := w.visitor(t).get("/").is(t, 200); strings.Contains(a.body, "on hold") {
		t.Error("a visitor is told")
	}
	owner.post(pathOf(m)+"/run").is(t, 409, "Sending is on hold")
	if err := w.db.Installation().HoldOff(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	owner.post(pathOf(m)+"/run").leads(t, pathOf(m)+"?after=0")
}
