package handlers

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/db"
)

const inboxEmailText = "From: Ann <ann@example.com>\r\nTo: c@example.com\r\nSubject: =?utf-8?q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82?= <b>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlain <text>\r\n" +
	"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Rich</p><script>alert(1)</script><a href=\"http://localhost/verify/abc\">Confirm</a>\r\n--x--\r\n"

func TestInbox(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	b.get("/inbox").is(t, 200, "<html")
	for i, raw := range []string{inboxEmailText, "Subject: second\r\n\r\nbody", "\x00 no email at all \xff"} {
		if err := w.db.Inbox().Save(t.Context(), "ann@example.com", fmt.Sprintf("c%d@example.com", i), []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	list := b.get("/inbox").is(t, 200, "Привет &lt;b&gt;", "c0@example.com", "second", "3 emails", "<time datetime=")
	if strings.Index(list.body, "c2@") > strings.Index(list.body, "c0@") {
		t.Error("the newest email is not the first")
	}
	if a := b.htmx().get("/inbox?q=second").is(t, 200, "c1@example.com", "1 email"); strings.Contains(a.body, "c0@") || strings.Contains(a.body, "<html") {
		t.Errorf("%s", a.body)
	}
	emails, _, err := w.db.Inbox().List(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	path := func(l db.InboxEmail) string { return fmt.Sprint("/inbox/", l.ID) }
	page := b.get(path(emails[2])).is(t, 200, "<html", "Привет &lt;b&gt;", "Plain &lt;text&gt;", `sandbox="`, `src="`+path(emails[2])+`/html"`, "MIME-Version: 1.0")
	if strings.Contains(page.body, "<script>alert") {
		t.Error("the email's HTML stands in the page itself")
	}
	frame := b.get(path(emails[2])+"/html").is(t, 200, `<base target="_top">`, "<p>Rich</p>")
	policy := frame.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") || frame.Header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("policy %q", policy)
	}
	b.get(path(emails[1])).is(t, 200, "second", "body")
	b.get(path(emails[0])).is(t, 200, "no email at all")
	b.get("/inbox/999999").is(t, 404)
	b.get("/inbox/x").is(t, 404)
	for _, query := range []string{"page=x", "page=9000000000000000000", "q=%00%ff"} {
		b.get("/inbox?"+query).is(t, 200)
	}
	// Whoever comes through a proxy is not on this machine.
	b.with("X-Forwarded-For", "203.0.113.7").get("/inbox").is(t, 404)
}
