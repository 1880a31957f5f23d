package browsertest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// clientsFlow adds, finds, changes and deletes clients.
func clientsFlow(s *suite) {
	owner, _ := s.member("Clara Owner", "user", "en")
	owner.open("/clients")
	owner.act(".head a[href='/clients/new']")
	owner.see("main form.form")
	owner.auditAs("clients-new-in-place")
	owner.fill("email", "not an address")
	owner.fill("full_name", "Bob Stone")
	owner.act(save)
	owner.see("main [name=email][aria-invalid=true]")
	owner.keeps("email", "not an address")
	owner.keeps("full_name", "Bob Stone")
	owner.fill("email", "bob@example.com")
	owner.fill("tags", "friends, Berlin")
	owner.act(save)
	owner.reads("#client-rows tr", "bob@example.com")

	owner.open("/clients/several")
	owner.fill("addresses", "carol@example.com\nDora Day <dora@example.com>\nnobody\n")
	owner.follow(save)
	owner.see("[name=addresses][aria-invalid=true]")
	owner.fill("addresses", "carol@example.com\nDora Day <dora@example.com>\n")
	owner.follow(save)
	owner.reads("#client-rows tr", "Dora Day")
	owner.waitsStill()

	owner.find("dora")
	owner.gone(rowOf("client", "carol@example.com"))
	owner.reads("#client-rows tr", "dora@example.com")
	owner.find("")
	owner.act(rowOf("client", "carol@example.com") + " a[href$='/edit']")
	owner.see("main form.form")
	owner.auditAs("clients-edit-in-place")
	owner.fill("full_name", "Carol Ash")
	owner.act(save)
	owner.reads("main", "Carol Ash")

	owner.open("/clients")
	owner.remove(rowOf("client", "bob@example.com"))
	owner.open("/clients")
	if list := owner.text("#client-rows"); strings.Contains(list, "bob@") || !strings.Contains(list, "Carol Ash") {
		s.Errorf("the list after a reload: %s", list)
	}
	owner.follow("#client-rows a[href^='/clients/']")
	owner.follow("form[action='/logout'] button")
	owner.open("/clients")
	if at := owner.at(); !strings.HasPrefix(at, "/login?next=") {
		s.Error("signed out, /clients leads to", at)
	}
}

// waitsStill: where motion is not wanted, nothing moves while an answer is waited for.
func (v *visitor) waitsStill() {
	v.t.Helper()
	if v.plain {
		return
	}
	const wait = `document.querySelector("form.search").classList.toggle("htmx-request"),
		[getComputedStyle(document.body, "::after").content !== "none", document.getAnimations().length]`
	if got := ask(v, chromedp.Evaluate[[2]any](wait)); got != [2]any{true, 0.0} {
		v.t.Errorf("while it waits the page shows it: %v, with %v moving parts", got[0], got[1])
	}
	v.do(chromedp.Evaluate[chromedp.Void](wait))
}

// rowOf is the row of a list that has a link with these words in it.
func rowOf(noun, words string) string {
	return "tr[id^='" + noun + "-']:has([hx-confirm*='" + words + "'])"
}
