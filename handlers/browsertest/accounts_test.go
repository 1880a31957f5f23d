package browsertest

import (
	"github.com/chromedp/chromedp"

	"skychimp/handlers/programtest"
)

// accountsFlow registers, confirms the mailbox, changes the language, forgets the password.
func accountsFlow(s *suite) {
	ann, email := s.visit("en"), s.address("ann")
	ann.open("/")
	ann.see("#stat-clients")
	ann.follow("header a[href='/register']")
	ann.fill("name", "Ann Lee")
	ann.follow(save)
	ann.see("[name=email][aria-invalid=true]")
	ann.keeps("name", "Ann Lee")
	ann.fill("email", email)
	ann.follow(save)
	ann.reads("main", email)

	ann.look(s.link(email, "Confirm your email", "/verify/"))
	ann.audit()
	ann.fill("password", "short")
	ann.follow(save)
	ann.see("[name=password][aria-invalid=true]")
	ann.fill("password", programtest.Password)
	ann.follow(save)
	ann.see("a[href='/account']")
	ann.gone("a[href='/inbox']") // it has no emails here
	ann.toast()

	ann.follow("button[name=language][value=ru]")
	if language := ask(ann, chromedp.Evaluate[string]("document.documentElement.lang")); language != "ru" {
		s.Error("after the switch the page is in", language)
	}
	ann.open("/account")
	ann.follow("button[name=language][value=en]")
	ann.follow("form[action='/logout'] button")

	ann.open("/login")
	ann.fill("email", email)
	ann.fill("password", "not the right one")
	ann.follow(save)
	ann.reads("main form", "Wrong email or password")
	ann.keeps("email", email)
	ann.follow("a[href='/password/forgot']")
	ann.fill("email", email)
	ann.follow(save)
	ann.look(s.link(email, "Choose a new password", "/password/reset/"))
	ann.audit()
	ann.fill("password", "another long one")
	ann.follow(save)
	ann.signInWith(email, "another long one")
}

// toast sees what the page says for a while. It can be closed; where no scripts run it stays, and
// so covers nothing.
func (v *visitor) toast() {
	v.t.Helper()
	v.see(".toast")
	if !v.plain {
		v.click(".toast button")
		v.gone(".toast")
		return
	}
	v.picture("toast-without-scripts")
	const covered = `[...document.querySelectorAll("main :is(a, button, input), .languages button")].filter(one => {
		one.scrollIntoView({block: "end"});
		const box = one.getBoundingClientRect();
		return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest(".toast");
	}).map(one => one.outerHTML)`
	for _, one := range ask(v, chromedp.Evaluate[[]string](covered)) {
		v.t.Errorf("a toast lies over %s", one)
	}
}
