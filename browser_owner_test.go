package main_test

import (
	"context"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// clientsFlow adds, finds, changes and deletes clients.
func clientsFlow(c *crew) {
	owner, _ := c.member("Clara Owner", "user", "en")
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
		c.Errorf("the list after a reload: %s", list)
	}
	owner.follow("#client-rows a[href^='/clients/']")
	owner.follow("form[action='/logout'] button")
	owner.open("/clients")
	if at := owner.at(); !strings.HasPrefix(at, "/login?next=") {
		c.Error("signed out, /clients leads to", at)
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

// importFlow brings a list with mistakes, and takes it back.
func importFlow(c *crew) {
	owner, _ := c.member("Ingrid Owner", "user", "en")
	owner.prepare("Ann Smith <ann@example.org>", "News")
	owner.open("/clients/import")
	owner.do(chromedp.SetUploadFiles(field("file"), []string{write(c.T,
		"E-mail;Name;City\nfay@example.org;Fay Green;Leeds\nnobody;No Address;York\nfay@example.org;Again;\nann@example.org;Ann Smith;Leeds\n")}))
	owner.follow(save)
	mistakes := func() {
		owner.reads("[aria-label='with mistakes'] td:nth-child(2)", "nobody")
		for _, reason := range []string{"not a complete e-mail", "stands in line 2 already"} {
			owner.reads("[aria-label='with mistakes'] td:last-child", reason)
		}
	}
	mistakes()
	owner.act("button[name=do][value=check]")
	mistakes()
	owner.auditAs("import-checked")
	owner.act("button[name=do][value=start]")
	owner.reads("#import .badge", "done")
	mistakes()
	list := owner.at()
	owner.open("/clients")
	owner.reads("#client-rows tr", "Fay Green")
	owner.open(list)
	owner.do(chromedp.Click(chromedp.CSS("#import summary")))
	owner.follow("form[action$='/undo'] button")
	owner.reads("#import .badge", "undone")
	owner.open("/clients")
	if rows := owner.text("#client-rows"); strings.Contains(rows, "fay@") || !strings.Contains(rows, "ann@") {
		c.Errorf("the list after the undo: %s", rows)
	}
}

// messagesFlow writes a message and looks at it as a client will.
func messagesFlow(c *crew) {
	owner, email := c.member("Mark Owner", "user", "en")
	owner.open("/clients/several")
	owner.fill("addresses", "Eve Adams <eve@example.com>")
	owner.follow(save)
	owner.open("/messages")
	owner.act(".head a[href='/messages/new']")
	owner.see("main form.form")
	owner.act("main a[href$='start=promotion']")
	owner.see("main a[href$='start=promotion'][aria-current]")
	owner.auditAs("messages-new-in-place")
	if body := ask(owner, chromedp.Value(field("body"))); !strings.Contains(body, "](https://") {
		c.Errorf("the example: %s", body)
	}
	owner.fill("subject", "News for {{nickname}}")
	owner.fill("body", "Hello **{{name}}**")
	owner.act(save)
	owner.see("main [name=subject][aria-invalid=true]")
	owner.keeps("body", "Hello **{{name}}**")
	owner.fill("subject", "News for {{name}}")
	owner.act(save)
	owner.reads("main", "News for {{name}}")
	owner.open("/messages")
	owner.follow("#message-rows td a[href^='/messages/']")
	owner.previews()
	owner.act("form.search [hx-post]")
	owner.toast()
	c.letter(email, "News for ")

	owner.open("/messages")
	owner.act(rowOf("message", "News for {{name}}") + " a[href$='/edit']")
	owner.see("main form.form")
	owner.auditAs("messages-edit-in-place")
	owner.fill("subject", "More news for {{name}}")
	owner.act(save)
	owner.reads("main", "More news")
	owner.open("/messages")
	owner.remove(rowOf("message", "More news for {{name}}"))
}

// previews asks for the letter as a client gets it, in the frame, and then looks at it alone.
func (v *visitor) previews() {
	v.t.Helper()
	message := v.at()
	eve := ask(v, chromedp.Value(chromedp.CSS("select[name=client] option:last-child")))
	preview := message + "/preview?client=" + eve + "&scheme="
	v.set("client", eve)
	v.do(chromedp.Click(chromedp.CSS("form.search [type=submit]:not([formaction])")))
	v.until("the frame shows the letter", func(ctx context.Context, _ *chromedp.Target) (bool, error) {
		frames, err := chromedp.Targets(ctx) // what is in a sandbox is one of its own
		return slices.ContainsFunc(frames, func(one *target.Info) bool { return one.URL == v.site+preview+"light" }), err
	})
	v.do(chromedp.EmulateViewport(320, 640))
	for _, scheme := range []string{"light", "dark"} {
		v.look(preview + scheme)
		v.reads("body", "Hello Eve Adams")
		v.picture("letter-" + scheme)
		if ask(v, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
			v.t.Error("the letter is wider than a small phone")
		}
	}
	v.do(chromedp.EmulateViewport(1280, 900))
	v.open(message)
}
