package browsertest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// save is the button of a form that has others besides.
const save = "main form.form [type=submit]:not([name], [formaction], details:not([open]) *)"

// mailingsFlow sends a mailing out of turn, stops it, and follows an email to the mailbox and back.
func mailingsFlow(s *suite) {
	owner, _ := s.member("Olga Owner", "user", "en")
	jane := s.address("jane")
	owner.prepare("Ivan Petrov <"+s.address("ivan")+">\nJane Roe <"+jane+">\n"+s.address("kim"), "Autumn news for {{name}}")

	owner.open("/mailings")
	owner.act(".head a[href='/mailings/new']")
	owner.see("main form.form")
	owner.auditAs("mailings-new-in-place")
	owner.set("start_at", "2031-01-31T09:00")
	owner.set("periodicity", "monthly")
	owner.act(save)
	owner.see("main [name=name][aria-invalid=true]")
	owner.keeps("start_at", "2031-01-31T09:00")
	owner.keeps("periodicity", "monthly")
	owner.fill("name", "Autumn")
	owner.choose("message_id", "Autumn news for {{name}}")
	owner.act(save)
	owner.reads("main", "Autumn")
	owner.open("/mailings")
	owner.menu(rowOf("mailing", "Autumn"))
	owner.act(rowOf("mailing", "Autumn") + " a[href$='/edit']")
	owner.see("main form.form")
	owner.fill("name", "Autumn emails")
	owner.act(save)
	owner.reads("main", "Autumn emails")

	owner.open("/mailings")
	owner.follow(rowOf("mailing", "Autumn emails") + " a[href$='/review']")
	owner.reads("main", "3 clients")
	owner.follow("form[action$='/launch'] button")
	owner.reads("main", "Stop")
	owner.open("/calendar?month=2031-01")
	owner.reads(".calendar li", "Autumn emails")
	owner.open("/mailings")
	owner.follow("#mailing-rows td a[href^='/mailings/']")
	mailing := owner.at()
	owner.follow("#acts a[href$='/review?do=run']")
	owner.follow("form[action$='/run'] button")
	owner.reads("#progress .count-accepted", "3")
	owner.reads("#all-runs tbody tr", "3")
	owner.audit()
	s.unsubscribe(jane)

	owner.open(mailing)
	owner.follow("#acts a[href$='/stop']")
	owner.follow("form[action$='/stop'] button")
	owner.reads("#status", "finished")
	owner.open("/attempts?mailing=" + strings.TrimPrefix(mailing, "/mailings/"))
	owner.reads("main tr", jane)
	owner.reads("main tr", "250")
	owner.follow("main tr a[href^='/runs/']")
	owner.reads(".count-accepted", "3")
	owner.reads(".count-open", "0")
	owner.open("/clients?q=jane")
	owner.reads("#client-rows tr", "unsubscribed")
	owner.open("/mailings")
	owner.remove(rowOf("mailing", "Autumn emails"))
}

// unsubscribe is done by a client who has nothing but the email.
func (s *suite) unsubscribe(email string) {
	s.Helper()
	if text := s.email(email, "Autumn news for Jane Roe"); !strings.Contains(text, "Hello Jane Roe") {
		s.Errorf("the email reads %s", text)
	}
	jane := s.visit("ru")
	jane.look(s.link(email, "Autumn news", "/unsubscribe/"))
	jane.audit()
	jane.follow(save)
	jane.see("main [role=status]")
}

// prepare adds clients and a message.
func (v *visitor) prepare(addresses, subject string) {
	v.t.Helper()
	v.open("/clients/several")
	v.fill("addresses", addresses)
	v.follow("main form [type=submit]")
	v.open("/messages/new")
	v.fill("subject", subject)
	v.compose("Hello {{name}}, here is what is new.")
	v.follow("main form [type=submit]")
}

// choose ticks the radio button beside the text.
func (v *visitor) choose(name, text string) {
	v.t.Helper()
	v.do(chromedp.Click(chromedp.Search(`//main//label[contains(., "` + text + `")]/input[@name="` + name + `"]`)))
}

// menu opens what else can be done with a row.
func (v *visitor) menu(row string) {
	v.t.Helper()
	v.click(row + " .more")
	v.see(row + " .more-list")
}
