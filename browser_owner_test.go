package main_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// clientsFlow adds, finds, changes and deletes clients in place.
func clientsFlow(t *testing.T, s *server) {
	owner := visit(t, s.url, "en")
	owner.signIn(s.newUser(t, "Clara Owner", "user"))
	owner.open("/clients")

	owner.click(".head a[href='/clients/new']")
	owner.see("#new-client form")
	owner.auditAs("clients-new-in-place")
	owner.fill("email", "not an address")
	owner.click("#new-client [type=submit]")
	owner.see("#new-client [name=email][aria-invalid=true]")
	owner.fill("email", "bob@example.com")
	owner.fill("full_name", "Bob Stone")
	owner.fill("tags", "friends, Berlin")
	owner.click("#new-client [type=submit]")
	owner.reads("#client-rows tr", "bob@example.com")

	owner.open("/clients/several")
	owner.fill("addresses", "carol@example.com\nDora Day <dora@example.com>\nnobody\n")
	owner.follow("main form [type=submit]")
	owner.see("[name=addresses][aria-invalid=true]")
	owner.fill("addresses", "carol@example.com\nDora Day <dora@example.com>\n")
	owner.follow("main form [type=submit]")
	owner.reads("#client-rows tr", "Dora Day")

	owner.fill("q", "dora")
	owner.gone(rowOf("client", "carol@example.com"))
	owner.reads("#client-rows tr", "dora@example.com")
	owner.fill("q", "")
	owner.see(rowOf("client", "carol@example.com"))

	owner.click(rowOf("client", "carol@example.com") + " a[hx-get]")
	owner.see("#client-rows form")
	owner.auditAs("clients-edit-in-place")
	owner.fill("full_name", "Carol Ash")
	owner.do(chromedp.KeyEvent(kb.Enter))
	owner.reads("#client-rows tr", "Carol Ash")
	owner.until("the focus is in the saved row", chromedp.Evaluate[bool](`document.activeElement.closest("#client-rows tr")?.innerText.includes("Carol Ash") ?? false`))

	owner.click(rowOf("client", "bob@example.com") + " a[hx-delete]")
	owner.gone(rowOf("client", "bob@example.com"))
	owner.open("/clients")
	if list := owner.text("#client-rows"); strings.Contains(list, "bob@") || !strings.Contains(list, "Carol Ash") {
		t.Errorf("the list after a reload: %s", list)
	}
	owner.follow("#client-rows a[href^='/clients/']")
	owner.follow("form[action='/logout'] button")
	owner.open("/clients")
	if at := owner.at(); !strings.HasPrefix(at, "/login?next=") {
		t.Error("signed out, /clients leads to", at)
	}
}

// rowOf is the row of a list that has a link with these words in it.
func rowOf(noun, words string) string {
	return "tr[id^='" + noun + "-']:has([hx-confirm*='" + words + "'])"
}

// messagesFlow writes a message and looks at it as a client will.
func messagesFlow(t *testing.T, s *server) {
	owner := visit(t, s.url, "en")
	owner.signIn(s.newUser(t, "Mark Owner", "user"))
	owner.open("/clients/several")
	owner.fill("addresses", "Eve Adams <eve@example.com>")
	owner.follow("main form [type=submit]")

	owner.open("/messages")
	owner.click(".head a[href='/messages/new']")
	owner.see("#new-message form")
	owner.click("#new-message a[href$='start=promotion']")
	owner.see("#new-message a[href$='start=promotion'][aria-current]")
	owner.auditAs("messages-new-in-place")
	if body := ask(owner, chromedp.Value(field("body"))); !strings.Contains(body, "](https://") {
		t.Errorf("the example: %s", body)
	}
	owner.fill("subject", "News for {{nickname}}")
	owner.fill("body", "Hello **{{name}}**")
	owner.click("#new-message [type=submit]")
	owner.see("#new-message [name=subject][aria-invalid=true]")
	owner.fill("subject", "News for {{name}}")
	owner.click("#new-message [type=submit]")
	owner.reads("#message-rows tr", "News for {{name}}")

	owner.follow("#message-rows td a[href^='/messages/']")
	message := owner.at()
	owner.click("form.search [hx-post]")
	owner.see(".toast")
	eve := ask(owner, chromedp.Value(chromedp.CSS("select[name=client] option:last-child")))
	owner.do(chromedp.EmulateViewport(320, 640))
	for _, scheme := range []string{"light", "dark"} {
		owner.look(message + "/preview?client=" + eve + "&scheme=" + scheme)
		owner.reads("body", "Hello Eve Adams")
		owner.picture("letter-" + scheme)
		if ask(owner, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
			t.Error("the letter is wider than a small phone")
		}
	}
	owner.do(chromedp.EmulateViewport(1280, 900))

	owner.open("/messages")
	owner.click(rowOf("message", "News for {{name}}") + " a[hx-get]")
	owner.see("#message-rows form")
	owner.auditAs("messages-edit-in-place")
	owner.fill("subject", "More news for {{name}}")
	owner.click("#message-rows form [type=submit]")
	owner.reads("#message-rows tr", "More news")
	owner.click(rowOf("message", "More news for {{name}}") + " a[hx-delete]")
	owner.gone(rowOf("message", "More news for {{name}}"))
}
