package main_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// contentFlow writes an article with the editor, looks at it before and after it is published,
// and reads it as a visitor.
func contentFlow(t *testing.T, s *server) {
	author := visit(t, s.url, "en")
	author.signIn(s.newUser(t, "Cora Content", "content"))
	author.open("/admin/posts/new")
	author.see(".editor-toolbar")
	author.follow(".actions button:first-of-type")
	author.see("[name=title][aria-invalid=true]")

	author.fill("title", "Five ways to say hello")
	author.do(chromedp.SendKeys(chromedp.CSS(".CodeMirror [contenteditable]"), "Say **hello** to everybody."))
	author.click(".editor-toolbar .togglePreview")
	author.reads(".editor-preview strong", "hello")
	author.auditAs("posts-editor-preview")
	author.do(chromedp.SetUploadFiles(chromedp.CSS("[name=image]"), []string{photo(t)}))
	author.follow("[name=publish][value=now]")
	author.reads("tr[id^='post-']", "Five ways to say hello")
	author.reads("tr[id^='post-'] .badge", "published")

	author.fill("q", "nothing like it")
	author.gone("tr[id^='post-']")
	author.fill("q", "FIVE")
	author.see("tr[id^='post-']")
	author.follow("tr[id^='post-'] td:first-child a")
	author.see(".article-picture")

	reader := visit(t, s.url, "ru")
	reader.open("/")
	reader.reads("article.post-card", "Five ways to say hello")
	reader.follow("article.post-card h3 a")
	reader.see(".article-picture")
	if at, views := reader.at(), reader.text(".article .views"); at != "/blog/five-ways-to-say-hello" || views != "1" {
		t.Errorf("%s views at %s", views, at)
	}
	reader.open("/blog")
	reader.see("article.post-card img")
	reader.narrow()
	for _, path := range []string{"/", "/blog", "/blog/five-ways-to-say-hello"} {
		reader.open(path)
		if wide := ask(reader, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
			t.Errorf("%s is wider than a phone", path)
		}
	}

	author.open("/admin/posts")
	author.click("tr[id^='post-'] a[hx-delete]")
	author.gone("tr[id^='post-']")
	reader.open("/blog")
	if list := reader.text("main"); strings.Contains(list, "Five ways") {
		t.Errorf("the deleted post is still there: %s", list)
	}
}

// narrow makes the visitor's screen that of a phone.
func (v *visitor) narrow() {
	v.t.Helper()
	v.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2)))
}

// photo is a file with a picture.
func photo(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 800, 600))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 3200)
	}
	img.Set(0, 0, color.White)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
