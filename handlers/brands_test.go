package handlers

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
)

// A brand is saved on one page and shows in emails at once; nobody else has it.
func TestBrand(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	b.get("/messages").is(t, 200, `href="/brand"`)
	b.get("/brand").is(t, 200, "<html", `name="color" type="color" value="#1a5fc4"`, `name="image"`)
	revision := fieldsOf(t, b.get("/brand").body)
	good := with(revision, "name", "Tulip House", "color", "#ffd400", "font", "georgia", "address", "Main street 1\r\nDelft", "reason", "You left us your address.", "links", "t.me/tulips")
	b.post("/brand/preview", good...).is(t, 200, "border-top:4px solid #ffd400", "Main street 1<br>", "Georgia", "Telegram")
	b.post("/brand/preview", with(good, "color", "red")...).is(t, 422, "Enter a color")
	b.post("/brand", with(good, "color", "red", "links", "nowhere")...).is(t, 422, "Enter a color like #1a5fc4.", `“nowhere” isn&#39;t the address of a page.`, `value="Tulip House"`, `aria-invalid="true"`)
	b.post("/brand", good...).leads(t, "/brand")
	b.get("/brand").is(t, 200, `value="#ffd400"`, "https://t.me/tulips", "Main street 1\nDelft")
	b.post("/brand", good...).is(t, 409, "Main street 1") // from a page that was opened before
	other.get("/brand").is(t, 200, `value="#1a5fc4"`)

	m := fmt.Sprint("/messages/", w.message(t, ann.ID, "Hello", "**[Buy](https://example.com)**").ID)
	b.get(m+"/preview").is(t, 200, "Tulip House", "You left us your address.", "color:#1d2430", "Open in browser")

	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewNRGBA(image.Rect(0, 0, 400, 100))); err != nil {
		t.Fatal(err)
	}
	fresh := with(fieldsOf(t, b.get("/brand").body), "name", "Tulip House")
	b.sendFile("/brand", "image", logo.Bytes(), fresh...).leads(t, "/brand")
	page := b.get("/brand").is(t, 200, `<img src="/media/`, `name="no_logo"`).body
	b.get(m+"/preview").is(t, 200, `-400x100.png" alt="Tulip House" width="224" height="56"`)
	b.sendFile("/brand", "image", []byte("GIF89a"), fieldsOf(t, page)...).is(t, 422, "This is not a JPEG, PNG or WebP picture.", `<img src="/media/`)
	b.post("/brand", with(fieldsOf(t, page), "no_logo", "yes")...).leads(t, "/brand")
	if page := b.get("/brand").is(t, 200).body; strings.Contains(page, `<img src="/media/`) {
		t.Error("the logo is still there")
	}
	style := w.visitor(t).get("/brand/ffd400-eef1f5-georgia.css").is(t, 200, "--pico-primary-background:#ffd400", "font-family:Georgia")
	if got := style.Header.Get("Content-Type") + " " + style.Header.Get("Cache-Control"); !strings.Contains(got, "text/css") || !strings.Contains(got, "immutable") {
		t.Error(got)
	}
	for _, wrong := range []string{"/brand/ffd400-eef1f5-comic.css", "/brand/ffd400-eef1f5", "/brand/x.css", "/brand/ffd400-eef1f5;}.css"} {
		w.visitor(t).get(wrong).is(t, 404)
	}
}
