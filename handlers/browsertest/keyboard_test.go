package browsertest

import (
	"fmt"
	"strings"

	"skychimp/handlers/programtest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keyboardFlow works with nothing but keys. Whatever part of a page is replaced, the focus is
// where the work goes on.
func keyboardFlow(s *suite) {
	email := s.server.NewUser(s.T, "Karl Owner", "user")
	owner := s.visit("en")
	owner.open("/login")
	owner.tabTo("main [name=email]")
	owner.keys(email, kb.Tab, programtest.Password)
	owner.enter()
	owner.clientsByKeys()
	owner.messagesByKeys()
	owner.mailingsByKeys()
	owner.pagesByKeys()
	manager, _ := s.member("Klara Manager", "manager", "en")
	manager.switchByKeys("/manager/users?q=" + email)
	owner.signIn(email)
	owner.mailingByKeys()
	manager.switchByKeys("/manager/mailings?q=" + email)
}

func (v *visitor) clientsByKeys() {
	v.t.Helper()
	v.goByKeys("nav a[href='/clients']")
	v.hit(".head a[href='/clients/new']", kb.Enter)
	for _, name := range []string{"ann", "bob", "cleo"} {
		v.on("#new-client [name=email]")
		v.keys(name+"@example.com", kb.Tab, name, kb.Enter)
		v.see(rowOf("client", name))
	}
	v.on("#new-client [name=email]")
	v.hit(rowOf("client", "bob")+" a[href$='/edit']", kb.Enter)
	v.on("#client-rows [name=email]")
	v.keys(kb.End, "@", kb.Enter)
	v.on("#client-rows [name=email][aria-invalid=true]")
	v.keys(kb.End, kb.Backspace, kb.Tab, " Stone", kb.Enter)
	v.reads("#client-rows tr", "Stone")
	v.on(rowOf("client", "bob") + " *")

	v.hit(rowOf("client", "bob")+" a[hx-delete]", kb.Enter)
	v.on(rowOf("client", "ann") + " .actions a:first-child")
	v.keys(kb.Tab, kb.Enter)
	v.on(rowOf("client", "cleo") + " .actions a:first-child")
	v.keys(kb.Tab, kb.Enter)
	v.on(".head a[href='/clients/new']")
}

func (v *visitor) messagesByKeys() {
	v.t.Helper()
	v.goByKeys("nav a[href='/messages']")
	v.hit(".head a[href='/messages/new']", kb.Enter)
	v.see("main [name=subject]")
	v.on("main [name=subject]")
	v.keys("News for {{name}}", kb.Enter)
	v.see("main .rich[aria-invalid=true]")
	v.on("main .rich[aria-invalid=true]")
	v.keys("Hello {{name}}")
	v.hit(save, " ")
	v.hit(".head a[href$='/edit']", kb.Enter)
	v.see("main [name=subject]")
	v.on("main [name=subject]")
	v.keys("Good ", kb.Enter)
	v.see(".head a[href$='/edit']")
}

func (v *visitor) mailingsByKeys() {
	v.t.Helper()
	v.mailingByKeys()
	v.hit("#mailing-rows a[href$='/review']", kb.Enter)
	v.hit("form[action$='/launch'] button", " ")
	v.see("#acts a[href$='/review?do=run']")
	v.goByKeys("nav a[href='/mailings']")
	v.hit("#mailing-rows .more", kb.Enter)
	v.hit("#mailing-rows a[href$='/stop']", kb.Enter)
	v.reads("#mailing-rows .badge", "finished")
	v.on("#mailing-rows tr *")
	v.hit("#mailing-rows .more", kb.Enter)
	v.hit("#mailing-rows a[hx-delete]", kb.Enter)
	v.on(".head a[href='/mailings/new']")
}

// mailingByKeys chooses its message and its audience by the arrows.
func (v *visitor) mailingByKeys() {
	v.t.Helper()
	v.goByKeys("nav a[href='/mailings']")
	v.hit(".head a[href='/mailings/new']", kb.Enter)
	v.on("#new-mailing [name=name]")
	v.keys("By keys", kb.Tab, kb.ArrowDown, kb.Tab, kb.Tab, kb.Tab, kb.Tab, kb.ArrowDown) // message, several, posts, sender, audience
	v.on("#new-mailing [value=tags]:checked")
	v.keys(kb.ArrowUp)
	v.on("#new-mailing [value=all]:checked")
	v.hit("#new-mailing [type=submit]:not([name])", kb.Enter)
	v.on("#mailing-rows tr a")
}

// pagesByKeys turns the pages of a list.
func (v *visitor) pagesByKeys() {
	v.t.Helper()
	v.open("/clients/several")
	var addresses strings.Builder
	for n := range 30 {
		fmt.Fprintf(&addresses, "client%d@example.com\n", n)
	}
	v.set("addresses", addresses.String())
	v.hit(save, kb.Enter)
	v.see("a[rel=next]")
	for _, way := range []string{"next", "prev"} {
		v.hit("a[rel="+way+"]", kb.Enter)
		v.gone("a[rel=" + way + "]")
		v.on("#client-rows tr:first-child .pick")
	}
	v.do(chromedp.Evaluate[chromedp.Void](`history.back()`))
	v.gone("a[rel=next]")
}

// switchByKeys opens the dialog of a manager's switch, leaves it, stops something and lifts it.
func (v *visitor) switchByKeys(list string) {
	v.t.Helper()
	v.open(list)
	v.hit("button.switch", " ")
	v.on("[popover] [name=reason]")
	v.keys(kb.Escape)
	v.on("button.switch")
	v.keys(kb.Enter)
	v.on("[popover] [name=reason]")
	v.hit("[popover] [type=submit]", kb.Enter)
	v.on("[popover] [name=reason][aria-invalid=true]")
	v.keys("Complaints", kb.Tab, kb.Enter)
	v.on("button.switch[aria-pressed=true]")
	v.keys(" ")
	v.on("button.switch[aria-pressed=false]")
}
