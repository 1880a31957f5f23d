package handlers

import (
	"encoding/binary"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web/webtest"
)

// fieldsOf are what a browser would send of the form in a page: names and values, one after the other.
func fieldsOf(t *testing.T, page string) (list []string) {
	t.Helper()
	form := regexp.MustCompile(`(?s)<form class="form card".*?</form>`).FindString(page)
	for _, one := range regexp.MustCompile(`(?s)<input[^>]*>|<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>|<select[^>]* name="([^"]*)"[^>]*>.*?value="([^"]*)" selected`).FindAllStringSubmatch(form, -1) {
		name, value := one[1], one[2]
		switch {
		case one[3] != "":
			name, value = one[3], one[4]
		case strings.HasPrefix(one[0], "<input"):
			named, valued := regexp.MustCompile(` name="([^"]*)"`).FindStringSubmatch(one[0]), regexp.MustCompile(`(?s) value="([^"]*)"`).FindStringSubmatch(one[0])
			if named == nil || valued == nil || strings.Contains(one[0], `type="radio"`) {
				continue
			}
			name, value = named[1], valued[1]
		}
		list = append(list, html.UnescapeString(name), strings.ReplaceAll(html.UnescapeString(value), "\n", "\r\n"))
	}
	return list
}

// with changes some of the fields.
func with(fields []string, changes ...string) []string {
	fields = slices.Clone(fields)
	for i := 0; i < len(changes); i += 2 {
		at := slices.Index(fields, changes[i])
		if at < 0 {
			fields = append(fields, changes[i], changes[i+1])
			continue
		}
		fields[at+1] = changes[i+1]
	}
	return fields
}

func TestComposer(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	const body = "# Tulips\nHello, {{name}}!\n\n* a\n* b\n\n***\n\n> q\n\n|a|\n|-|\n|b|\n\n**[Order](https://example.com)**\n"
	m := w.message(t, user.ID, "Hello", body)
	path := fmt.Sprint("/messages/", m.ID)
	edit := fieldsOf(t, b.get(path+"/edit").is(t, 200, `name="b0.text"`, "Edit as Markdown").body)
	stored := func() string {
		t.Helper()
		got, err := w.db.Messages().Get(t.Context(), user.ID, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Body
	}
	// Nothing changed: nothing changes.
	b.post(path, edit...).leads(t, path)
	if got := stored(); got != body {
		t.Errorf("saved %q", got)
	}
	// Each button keeps what was typed and saves nothing.
	typed := with(edit, "b0.text", "New <tulips>", "b5.url", "example.com/order")
	added := b.post("/messages/compose?id="+fmt.Sprint(m.ID), with(typed, "do", "add:1:picture")...).
		is(t, 200, "<html", `value="New &lt;tulips&gt;"`, `value="example.com/order"`, "block-new", `name="b1.picture"`, "autofocus")
	if got := stored(); got != body {
		t.Errorf("a button saved %q", got)
	}
	fields := with(fieldsOf(t, added.body), "b1.picture", "https://example.com/t.jpg", "b1.alt", "Red tulips")
	for _, do := range []string{"down:1", "up:2", "down:0", "remove:99", "add:99:text", "add:1:nothing", "nonsense"} {
		fields = fieldsOf(t, b.post("/messages/compose?id="+fmt.Sprint(m.ID), with(fields, "do", do)...).is(t, 200).body)
	}
	fields = fieldsOf(t, b.post("/messages/compose?id="+fmt.Sprint(m.ID), with(fields, "do", "remove:4")...).is(t, 200).body)
	b.post(path, fields...).leads(t, path)
	want := "![Red tulips](https://example.com/t.jpg)\n\n# New <tulips>\n\nHello, {{name}}!\n\n* a\n* b\n\n***\n\n|a|\n|-|\n|b|\n\n**[Order](example.com/order)**"
	if got := stored(); strings.TrimSpace(got) != want {
		t.Errorf("saved %q\nwant %q", got, want)
	}
	// htmx gets the composer alone.
	fragment := b.htmx().do("PUT", "/messages/compose?id="+fmt.Sprint(m.ID), with(fields, "do", "add:0:product")).is(t, 200, `name="b0.price"`)
	if !strings.HasPrefix(fragment.body, fmt.Sprintf(`<div id="message-%d-composer"`, m.ID)) {
		t.Error(fragment.body)
	}
	// As Markdown and back, and a plain body as ever.
	markdown := b.post("/messages/compose?id="+fmt.Sprint(m.ID), with(fields, "do", "markdown")...).is(t, 200, "Edit as blocks", "# New &lt;tulips&gt;\n")
	fields = with(fieldsOf(t, markdown.body), "body", "## Other\r\n\r\ntext", "do", "blocks")
	b.post("/messages/compose?id="+fmt.Sprint(m.ID), fields...).is(t, 200, `value="Other"`, "Edit as Markdown")
	edit = fieldsOf(t, b.get(path+"/edit").is(t, 200).body)
	b.post(path, with(edit, "body", "all new")...).leads(t, path)
	if got := stored(); got != "all new" {
		t.Errorf("a body of its own was saved as %q", got)
	}
}

func TestComposerNew(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	fields := fieldsOf(t, b.get("/messages/new").is(t, 200, `name="b0.text"`).body)
	fields = with(fields, "subject", "Tulips")
	b.post("/messages", fields...).is(t, 422, "Write the text of the email.", `name="b0.text" rows="3" aria-invalid="true" aria-describedby="message-0-composer-b0.text-problem"`)
	for at, kind := range []string{"heading", "picture", "button", "columns", "product", "list", "quote", "divider", "footer", "markdown"} {
		fields = fieldsOf(t, b.post("/messages/compose", with(fields, "do", fmt.Sprint("add:", at+1, ":", kind))...).is(t, 200).body)
	}
	fields = with(fields, "b0.text", "Hello", "b1.text", "Spring", "b2.picture", "https://example.com/t.jpg", "b2.alt", "a", "b3.text", "Order", "b3.url", "nowhere",
		"b4.text", "left", "b4.right.text", "right", "b5.name", "Tulips", "b5.price", "990 ₽", "b6.text", "- one", "b7.text", "wise", "b9.text", "We", "b10.text", "`x`")
	b.post("/messages", fields...).is(t, 422, "“nowhere” isn&#39;t an address a link can lead to", `value="nowhere" autocomplete="off" placeholder="example.com" aria-invalid="true"`)
	b.post("/messages", with(fields, "b3.url", "shop.example")...).is(t, 303)
	list, _, err := w.db.Messages().List(t.Context(), user.ID, "", db.PageOf(1))
	want := "Hello\n\n## Spring\n\n![a](https://example.com/t.jpg)\n\n**[Order](shop.example)**\n\n<!-- columns -->\n\nleft\n\n<!-- column -->\n\nright\n\n<!-- /columns -->\n\n" +
		"<!-- product -->\n\n### Tulips\n\n**990 ₽**\n\n<!-- /product -->\n\n- one\n\n> wise\n\n---\n\n<!-- footer -->\n\nWe\n\n<!-- /footer -->\n\n`x`"
	if err != nil || len(list) != 1 || strings.TrimSpace(list[0].Body) != want {
		t.Fatalf("%+v, %v", list, err)
	}
	preview := b.get(fmt.Sprint("/messages/", list[0].ID, "/preview")).is(t, 200, `<table class="columns" role="presentation"`, `<td class="column"`, `<table class="product"`, `<div class="footer"`)
	if strings.Contains(preview.body, "<!-- col") {
		t.Error("comments in the email")
	}
	long := strings.Repeat("a b\n\n", 20_000)
	m := w.message(t, user.ID, "Long", long)
	b.get(fmt.Sprint("/messages/", m.ID, "/edit")).is(t, 200, "Edit as blocks") // too long for blocks
}

func TestComposerAtStart(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	b.get("/start?start=news").is(t, 200, `name="b1.text"`, "block-picture", "block-heading", "/pictures/news-1072x440.png", `hx-post="/messages/links"`)
	b.post("/start/compose", "subject", "Hi", "blocks", "0", "body", "", "when", "now", "do", "add:0:quote").is(t, 200, "<html", `value="Hi"`, "block-quote")
	if a := b.htmx().post("/start/compose", "blocks", "0", "do", "add:0:quote").is(t, 200, "block-quote"); !strings.HasPrefix(a.body, `<div id="composer"`) {
		t.Error(a.body)
	}
	b.post("/start", "subject", "Hi", "blocks", "1", "body", "", "b0.kind", "text", "b0.source", "", "b0.text", "Hello", "when", "now", "periodicity", "once", "timezone", "UTC", "do", "keep").leads(t, "/start")
	b.get("/start").is(t, 200, "Hello</textarea>")
}

func TestPicturesOfMessages(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	photo := webtest.WithExif(webtest.JPEG(t, webtest.Quarters(2000, 1500)), webtest.Exif(binary.BigEndian, 6))
	a := b.sendFile("/messages/pictures", "image", photo).is(t, 200)
	path := strings.TrimPrefix(a.body, b.base)
	if !regexp.MustCompile(`^/media/[0-9a-f]{32}-1200x1600\.jpg$`).MatchString(path) || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%q %v", a.body, a.Header)
	}
	served := other.get(path).is(t, 200)
	if served.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || served.Header.Get("Content-Type") != "image/jpeg" || strings.Contains(served.body, "SpyCam") {
		t.Error(served.Header)
	}
	b.sendFile("/messages/pictures", "image", []byte("GIF89a")).is(t, 422, "This is not a JPEG, PNG or WebP picture.")
	b.sendFile("/messages/pictures", "image", nil).is(t, 422, "Choose a picture.")

	// Without scripts, as a part of the form; what was refused is said at its block.
	fields := fieldsOf(t, b.post("/messages/compose", "blocks", "0", "body", "", "do", "add:0:columns").is(t, 200, "Earlier pictures", `src="`+path+`"`).body)
	fields = with(fields, "b0.text", "kept")
	page := b.sendFile("/messages/compose", "b0.right.file", photo, with(fields, "do", "upload-right:0")...).is(t, 200, "<html", "kept", `name="b0.right.picture" type="text" value="`+a.body)
	b.sendFile("/messages/compose", "b0.file", []byte("x"), with(fieldsOf(t, page.body), "do", "upload:0")...).is(t, 422, "This is not a JPEG", "kept", a.body)
	b.post("/messages/compose", with(fieldsOf(t, page.body), "do", "use:0:"+strings.TrimPrefix(path, "/media/"))...).is(t, 200, `name="b0.picture" type="text" value="`+a.body)
	b.post("/messages/compose", with(fields, "do", "use:0:../x")...).is(t, 200, `name="b0.picture" type="text" value=""`)
	if empty := other.get("/messages/new").is(t, 200).body; strings.Contains(empty, "Earlier pictures") {
		t.Error("somebody else's shelf")
	}
	// Outlook gets a width that fits.
	m := fieldsOf(t, b.post("/messages/compose", "subject", "Hi", "blocks", "0", "body", "", "do", "add:0:picture").body)
	b.post("/messages", with(m, "b0.picture", a.body, "b0.alt", "Tulips")...).is(t, 303)
	b.get("/messages/1/preview").is(t, 200, `width="536" height="715"`, `alt="Tulips"`)
}

func TestAdviceOnMessages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	for _, email := range []string{"c@example.com", "d@example.com"} {
		if err := w.db.Clients().Create(t.Context(), &domain.Client{OwnerID: user.ID, Email: email, Tags: []string{}}); err != nil {
			t.Fatal(err)
		}
	}
	b.get("/messages/new").is(t, 200, "Nothing to fix", `hx-post="/messages/advice"`)
	b.get("/messages/new?start=promotion").is(t, 200, "https://example.com is a sample address", "2 clients have no name")
	a := b.htmx().do("PUT", "/messages/advice", []string{"subject", "Hi", "body", "![](https://skychimp.test/t.jpg)"}).is(t, 200, "A picture has no description")
	if strings.Contains(a.body, "no name") {
		t.Error(a.body)
	}
}

func TestPreheaderOfMessages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	m := w.message(t, user.ID, "Hello", "A text that is long enough to stand beside the subject.")
	path := fmt.Sprint("/messages/", m.ID)
	b.post(path, "_method", "PUT", "subject", "Hello", "body", "text", "preheader", "For {{nmae}}").is(t, 422, `value="For {{nmae}}"`, "There is no field “nmae”")
	b.post(path, "_method", "PUT", "subject", "Hello", "body", "text", "preheader", " Only for you ").leads(t, path)
	b.get(path+"/edit").is(t, 200, `name="preheader" type="text" value="Only for you"`)
	b.get(path+"/preview").is(t, 200, "Only for you")
	b.post(path, "_method", "PUT", "subject", "Hello", "body", "other").leads(t, path) // who doesn't send it keeps it
	b.get(path+"/preview").is(t, 200, "Only for you", "other")
	b.post("/messages/preview", "subject", "Hi", "body", "text", "preheader", "Typed for {{name}}", "scheme", "dark").is(t, 200, ">Typed for ann</div>", "@media all{")
	b.post("/messages/preview", "subject", "Hi {{nmae}}", "body", "text").is(t, 422, "There is no field “nmae”")
}

func TestDraftsOfMessages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	m := w.message(t, user.ID, "Hello", "saved")
	draft, edit := fmt.Sprint("/messages/draft?id=", m.ID), fmt.Sprint("/messages/", m.ID, "/edit")
	other.htmx().post(draft, "subject", "x", "body", "x").is(t, 404)
	typed := with(fieldsOf(t, b.get(edit).is(t, 200, `hx-post="`+draft+`"`).body), "subject", "Typed {{nmae}}", "b0.text", "not saved")
	b.htmx().do("PUT", draft, typed).is(t, 200, "Draft saved", "<time")
	b.get(edit).is(t, 200, "unsaved draft", edit+"?draft=yes", `value="Hello"`)
	other.get("/messages/new").is(t, 200, `name="subject"`)
	b.get(edit+"?draft=yes").is(t, 200, `value="Typed {{nmae}}"`, "not saved</textarea>", "Draft saved")
	if got, err := w.db.Messages().Get(t.Context(), user.ID, m.ID); err != nil || got.Body != "saved" {
		t.Error(got, err)
	}
	b.post(draft, with(typed, "_method", "PUT", "do", "discard")...).leads(t, edit)
	if page := b.get(edit).is(t, 200, `value="Hello"`); strings.Contains(page.body, "unsaved draft") {
		t.Error("still there")
	}
	b.htmx().post("/messages/draft", "subject", "New", "body", "new").is(t, 200)
	b.get("/messages/new").is(t, 200, "unsaved draft")
	b.post("/messages", "subject", "New", "body", "new").is(t, 303)
	if page := b.get("/messages/new").is(t, 200); strings.Contains(page.body, "unsaved draft") {
		t.Error("a saved message left its draft")
	}
}
