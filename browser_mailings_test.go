package main_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// save is the button of a form that has others besides.
const save = "main form [type=submit]:not([name], [formaction])"

// mailingsFlow sends a mailing and follows it to the mailbox and back.
func mailingsFlow(t *testing.T, s *server) {
	owner := visit(t, s.url, "en")
	owner.signIn(s.newUser(t, "Olga Owner", "user"))
	owner.prepare("Ivan Petrov <ivan@example.net>\nJane Roe <jane@example.net>\nKim Lee <kim@example.net>", "Autumn news for {{name}}")

	owner.open("/mailings")
	owner.click(".head a[href='/mailings/new']")
	owner.see("#new-mailing form")
	owner.auditAs("mailings-new-in-place")
	owner.click("#new-mailing [type=submit]:not([name], [formaction])")
	owner.see("#new-mailing [name=name][aria-invalid=true]")
	owner.fill("name", "Autumn")
	owner.choose("message_id", "Autumn news for {{name}}")
	owner.set("start_at", "2026-01-01T09:00")
	owner.click("#new-mailing [type=submit]:not([name], [formaction])")
	owner.reads("#mailing-rows tr", "Autumn")

	owner.click(rowOf("mailing", "Autumn") + " a[hx-get]")
	owner.see("#mailing-rows form")
	owner.fill("name", "Autumn letters")
	owner.click("#mailing-rows form [type=submit]:not([name], [formaction])")
	owner.reads("#mailing-rows tr", "Autumn letters")

	owner.follow("#mailing-rows td a[href^='/mailings/']")
	mailing := owner.at()
	owner.follow("form[action$='/launch'] button")
	owner.reads("#progress .count-accepted", "3")
	owner.gone("#progress[hx-get]")
	owner.audit()
	owner.open("/attempts?mailing=" + strings.TrimPrefix(mailing, "/mailings/"))
	owner.reads("main tr", "jane@example.net")
	owner.reads("main tr", "250")
	owner.follow("main tr a[href^='/runs/']")
	owner.reads(".count-accepted", "3")
	owner.reads(".count-open", "0")

	jane := visit(t, s.url, "en")
	letter := jane.letter("jane@example.net", "Autumn news for Jane Roe")
	if !strings.Contains(letter, "Hello Jane Roe") {
		t.Errorf("the letter reads %s", letter)
	}
	jane.look(jane.link("jane@example.net", "Autumn news", "/unsubscribe/"))
	jane.audit()
	jane.follow("main form [type=submit]")
	jane.see("main [role=status]")
	owner.open("/clients?q=jane")
	owner.reads("#client-rows tr", "unsubscribed")

	owner.open("/mailings/new")
	owner.fill("name", "Never")
	owner.choose("message_id", "Autumn news for {{name}}")
	owner.set("start_at", "2031-01-31T09:00")
	owner.set("periodicity", "monthly")
	owner.follow(save)
	owner.open("/mailings")
	owner.click(rowOf("mailing", "Never") + " form[action$='/launch'] button")
	owner.reads("#mailing-rows tr", "Stop")
	owner.open("/calendar?month=2031-01")
	owner.reads(".calendar li", "Never")
	owner.open("/mailings")
	owner.click(rowOf("mailing", "Never") + " a[hx-delete]")
	owner.gone(rowOf("mailing", "Never"))
}

// plainFlow does the same by plain forms, in a browser that runs no scripts.
func plainFlow(t *testing.T, s *server) {
	owner := visit(t, s.url, "en")
	owner.withoutScripts()
	owner.signIn(s.newUser(t, "Paul Owner", "user"))
	owner.prepare("Lena Fox <lena@example.net>", "Plain news for {{name}}")
	owner.open("/clients/new")
	owner.fill("email", "nowhere")
	owner.follow("main form [type=submit]")
	owner.see("[name=email][aria-invalid=true]")
	owner.fill("email", "max@example.net")
	owner.follow("main form [type=submit]")
	owner.open("/clients?q=max")
	owner.follow(rowOf("client", "max@example.net") + " a[href$='/delete']")
	owner.follow("main form [type=submit]")
	owner.open("/clients")
	owner.follow(rowOf("client", "lena@example.net") + " a[href$='/edit']")
	owner.fill("comment", "reads everything")
	owner.follow("main form [type=submit]")

	owner.open("/mailings/new")
	owner.fill("name", "Plain")
	owner.choose("message_id", "Plain news for {{name}}")
	owner.set("start_at", "2026-01-01T09:00")
	owner.follow(save)
	owner.open("/mailings")
	owner.follow("main td a[href^='/mailings/']")
	owner.follow("form[action$='/launch'] button")
	owner.letter("lena@example.net", "Plain news for Lena Fox")
	lena := visit(t, s.url, "ru")
	lena.withoutScripts()
	lena.look(lena.link("lena@example.net", "Plain news", "/unsubscribe/"))
	lena.follow("main form [type=submit]")
	lena.see("main [role=status]")
	owner.open("/clients")
	owner.reads("#client-rows tr", "unsubscribed")
	owner.follow("form[action='/logout'] button")
	owner.see("a[href='/login']")
}

// prepare adds clients and a message.
func (v *visitor) prepare(addresses, subject string) {
	v.t.Helper()
	v.open("/clients/several")
	v.fill("addresses", addresses)
	v.follow("main form [type=submit]")
	v.open("/messages/new")
	v.fill("subject", subject)
	v.fill("body", "Hello {{name}}, here is what is new.")
	v.follow("main form [type=submit]")
}

// choose picks the option of a select by its text.
func (v *visitor) choose(name, text string) {
	v.t.Helper()
	option := `//main//select[@name="` + name + `"]/option[contains(., "` + text + `")]`
	v.set(name, ask(v, chromedp.Value(chromedp.Search(option), chromedp.NodeReady)))
}
