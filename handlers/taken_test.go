package handlers

import (
	"strings"
	"testing"
)

// An HTML email becomes a message with its look, and nothing of it that a mail program must not run.
func TestTakeHTML(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	source := `<html><head><title>Spring</title><style>.a{color:#c81e5a;position:fixed}</style></head><body bgcolor="#fff4e6"><table width="600"><tr><td class="a" style="background:url(https://evil.test/x)">Hello {{name}}</td></tr></table>` +
		`<a href="https://shop.test/x" style="color:#ffffff">Buy</a><script>alert(1)</script></body></html>`
	b.get("/messages/new").is(t, 200, `href="/messages/html"`)
	b.get("/messages/html").is(t, 200, `name="html"`, `name="file"`)
	b.post("/messages/html", "html", "just words").is(t, 422, "There is no HTML email here.", "just words")
	page := b.post("/messages/html", "html", source).is(t, 200, `value="Spring"`)
	b.sendFile("/messages/html", "file", []byte(source)).is(t, 200, `value="Spring"`)
	fields := fieldsOf(t, page.body)
	b.post("/messages", fields...).is(t, 303)
	email := b.get("/messages/1/preview").is(t, 200, "color: #c81e5a", `width="100%"`, "background-color: #fff4e6", "color:#ffffff!important", "Hello ann").body
	for _, gone := range []string{"position", "evil", "alert", "<script"} {
		if strings.Contains(email, gone) {
			t.Errorf("%s in\n%s", gone, email)
		}
	}
	b.get("/messages/1/edit").is(t, 200, "class=&#34;html&#34;")
}
