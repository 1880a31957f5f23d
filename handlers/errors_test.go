package handlers

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/templates"
)

// refused checks that an answer says in the language what happened, what is kept and what to
// do, as a whole page or as a fragment with a toast.
func (a answer) refused(t *testing.T, lang string, status int, what, do string) answer {
	t.Helper()
	texts := errorTexts(t)
	kept := "errors." + strconv.Itoa(status) + "_kept"
	say := func(key string) string {
		before, _, _ := strings.Cut(texts.Say(lang, key), "<no value>") // of a number of minutes
		return before
	}
	for _, key := range []string{"errors." + strconv.Itoa(status) + "_title", what, kept, do} {
		a.is(t, status, html.EscapeString(say(key)))
	}
	if fragment := a.Request.Header.Get("HX-Request") != ""; fragment == strings.Contains(a.body, "<html") {
		t.Errorf("%s: a fragment: %t, but %.300s", a.Request.URL, fragment, a.body)
	} else if fragment {
		toast, _ := url.PathUnescape(a.Header.Get("HX-Trigger"))
		if !strings.HasPrefix(toast, `{"toast":"`+say(what)) || !strings.Contains(toast, say(do)) {
			t.Errorf("%s: toast %s", a.Request.URL, toast)
		}
	}
	if !strings.Contains(a.Header.Get("Vary"), "HX-Request") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v", a.Request.URL, a.Header)
	}
	return a
}

func errorTexts(t *testing.T) *templates.Texts {
	t.Helper()
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// everyWay asks in both languages, plainly and as htmx does.
func everyWay(t *testing.T, b *browser, ask func(t *testing.T, lang string, b *browser)) {
	t.Helper()
	for _, lang := range domain.Languages() {
		for _, one := range []*browser{b.with("Accept-Language", lang), b.with("Accept-Language", lang).htmx()} {
			t.Run(fmt.Sprint(lang, one.header["Hx-Request"]), func(t *testing.T) { ask(t, lang, one) })
		}
	}
}

func TestErrorPages(t *testing.T) {
	w := newEnv(t)
	visitor := w.visitor(t)
	anna := w.user(t, "anna", domain.RoleUser)
	signedIn := w.as(t, anna)
	everyWay(t, visitor, func(t *testing.T, lang string, b *browser) {
		b.get("/nowhere").refused(t, lang, 404, "errors.404_what", "errors.404_do")
		b.do("DELETE", "/login", nil).refused(t, lang, 405, "errors.405_what", "errors.405_do")
		b.post("/language", "language", "xx").refused(t, lang, 422, "account.language_unknown", "errors.422_do")
		b.with("Sec-Fetch-Site", "cross-site").post("/login").refused(t, lang, 403, "errors.cross_site", "errors.cross_site_do")
		b.with("Host", "evil.example").get("/").refused(t, lang, 400, "errors.400_what", "errors.400_do")
		b.post("/login", "email", strings.Repeat("x", 2<<20)).refused(t, lang, 413, "errors.413_what", "errors.413_do")
	})
	everyWay(t, signedIn, func(t *testing.T, lang string, b *browser) {
		_, err := w.db.Users().Update(t.Context(), anna.ID, func(u *domain.User) error { u.Language = lang; return nil })
		if err != nil {
			t.Fatal(err)
		}
		b.get("/admin/users").refused(t, lang, 403, "errors.forbidden", "errors.403_do")
		b.get("/clients/999999").refused(t, lang, 404, "errors.404_what", "errors.404_do")
	})
}

// A refusal for a while says how long, and keeps what was typed.
func TestTooManyPages(t *testing.T) {
	w := newEnv(t)
	visitor := w.visitor(t)
	for range 30 {
		visitor.post("/password/forgot", "email", "anna@people.example").is(t, 303)
	}
	everyWay(t, visitor, func(t *testing.T, lang string, b *browser) {
		got := b.post("/password/forgot", "email", "anna@people.example").refused(t, lang, 429, "account.too_many_emails", "errors.429_do")
		if after, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || after < 3000 || after > 3601 {
			t.Errorf("Retry-After: %s", got.Header.Get("Retry-After"))
		}
		if b.header.Get("HX-Request") == "" {
			got.is(t, 429, `<form method="post" action="/password/forgot">`, `<input type="hidden" name="email" value="anna@people.example">`)
		}
	})
	for range 300 {
		visitor.post("/password/forgot")
	}
	everyWay(t, visitor, func(t *testing.T, lang string, b *browser) {
		got := b.post("/login", "email", "anna@people.example", "password", "secret words")
		got.refused(t, lang, 429, "errors.too_many_requests", "errors.too_many_requests_do")
		if strings.Contains(got.body, "secret words") || got.Header.Get("Retry-After") == "" {
			t.Errorf("Retry-After %q, page %s", got.Header.Get("Retry-After"), got.body)
		}
	})
}

// A fault of ours shows a number, under which the log has the cause, and the cause to nobody else.
func TestFaultPages(t *testing.T) {
	w := newEnv(t)
	anna := w.user(t, "anna", domain.RoleUser)
	b := w.as(t, anna)
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `ALTER TABLE messages RENAME TO lost`); err != nil {
		t.Fatal(err)
	}
	everyWay(t, b, func(t *testing.T, lang string, b *browser) {
		_, err := w.db.Users().Update(t.Context(), anna.ID, func(u *domain.User) error { u.Language = lang; return nil })
		if err != nil {
			t.Fatal(err)
		}
		b.get("/messages").refused(t, lang, 500, "errors.500_what", "errors.500_do")
		got := b.post("/messages", "subject", `"Hi"`, "body", "one\ntwo").refused(t, lang, 500, "errors.500_what", "errors.500_do")
		if b.header.Get("HX-Request") == "" {
			got.is(t, 500, `name="subject" value="&#34;Hi&#34;"`, "value=\"one\ntwo\"")
		}
		number := regexp.MustCompile(`<code>(\w{10})</code>`).FindStringSubmatch(got.body)
		if number == nil || number[1] != got.Header.Get("X-Request-Id") || strings.Contains(got.body, "relation") {
			t.Fatalf("number %v in %s", number, got.body)
		}
		if logged := w.output.String(); !strings.Contains(logged, `msg="request failed" request_id=`+number[1]) || !strings.Contains(logged, "relation") {
			t.Errorf("no %s in the log: %s", number[1], logged)
		}
	})
}
