package main_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// accountsFlow registers, confirms the mailbox, changes the language, forgets the password.
func accountsFlow(t *testing.T, s *server) {
	ann := visit(t, s.url, "en")
	ann.open("/")
	ann.see("#stat-clients")
	ann.follow("header a[href='/register']")
	ann.follow("main form [type=submit]")
	ann.see("[name=email][aria-invalid=true]")
	ann.fill("name", "Ann Lee")
	ann.fill("email", "ann@example.com")
	ann.fill("password", password)
	ann.follow("main form [type=submit]")
	ann.reads("main", "ann@example.com")

	ann.look(ann.link("ann@example.com", "Confirm your mailbox", "/verify/"))
	ann.audit()
	ann.follow("main form [type=submit]")
	ann.see("a[href='/account']")
	ann.click(".toast button")
	ann.gone(".toast")

	ann.follow("button[name=language][value=ru]")
	if language := ask(ann, chromedp.Evaluate[string]("document.documentElement.lang")); language != "ru" {
		t.Error("after the switch the page is in", language)
	}
	ann.open("/account")
	ann.follow("button[name=language][value=en]")
	ann.follow("form[action='/logout'] button")

	ann.open("/login")
	ann.fill("email", "ann@example.com")
	ann.fill("password", "not the right one")
	ann.follow("main form [type=submit]")
	ann.reads("main form", "not right")
	ann.follow("a[href='/password/forgot']")
	ann.fill("email", "ann@example.com")
	ann.follow("main form [type=submit]")
	ann.look(ann.link("ann@example.com", "Choose a new password", "/password/reset/"))
	ann.audit()
	ann.fill("password", "another long one")
	ann.follow("main form [type=submit]")
	ann.open("/login")
	if ann.at() == "/login" {
		ann.fill("email", "ann@example.com")
		ann.fill("password", "another long one")
		ann.follow("main form [type=submit]")
	}
	ann.see("a[href='/account']")
}

// letter waits for a letter in the dev inbox, opens it and gives its text.
func (v *visitor) letter(to, subject string) string {
	v.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("main tr a")].find(a => a.innerText.includes(%q))?.getAttribute("href") ?? ""`, subject)
	for begun := time.Now(); time.Since(begun) < patience/2; {
		v.look("/inbox?q=" + to)
		if path := ask(v, chromedp.Evaluate[string](find)); path != "" {
			v.open(path)
			return ask(v, chromedp.TextContent(chromedp.CSS("pre.source")))
		}
	}
	v.t.Fatalf("no letter %q to %s", subject, to)
	return ""
}

// link is the address, on this site, of a link in a letter.
func (v *visitor) link(to, subject, path string) string {
	v.t.Helper()
	text := v.letter(to, subject)
	address := regexp.MustCompile(regexp.QuoteMeta(v.site+path) + `[A-Za-z0-9_.~-]+`).FindString(text)
	if address == "" {
		v.t.Fatalf("the letter has no link to %s:\n%s", path, text)
	}
	return strings.TrimPrefix(address, v.site)
}
