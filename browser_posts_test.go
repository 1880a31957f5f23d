package main_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// postsFlow publishes a post with a picture, which a visitor then reads.
func postsFlow(t *testing.T, s *server) {
	writer := visit(t, s.url, "en")
	writer.signIn(s.newUser(t, "Walter Writer", "content"))
	writer.open("/admin/posts")
	writer.follow(".head a[href='/admin/posts/new']")
	writer.follow("main form [type=submit]:not([name])")
	writer.see("[name=title][aria-invalid=true]")
	writer.fill("title", "How letters arrive")
	// The editor stands over the text field.
	writer.click(".CodeMirror")
	writer.do(chromedp.KeyEvent("They *arrive* in the morning."))
	writer.click(".editor-toolbar .togglePreview")
	writer.reads(".editor-preview em", "arrive")
	writer.auditAs("posts-editor-preview")
	writer.do(chromedp.SetUploadFiles(field("image"), []string{paint(t)}))
	writer.follow("button[name=publish][value=now]")
	writer.open("/admin/posts")
	writer.reads("main tr .badge", "published")
	writer.fill("q", "nothing like it")
	writer.gone("main tr[id]")
	writer.fill("q", "HOW LETTERS")
	writer.follow("main tr[id] a")
	writer.see("img.article-picture")

	reader := visit(t, s.url, "ru")
	reader.open("/blog")
	reader.follow("article.post-card h3 a")
	reader.reads("h1", "How letters arrive")
	reader.see(".prose em")
	reader.see("img.article-picture")
	if at, views := reader.at(), reader.text(".article .views"); at != "/blog/how-letters-arrive" || views != "1" {
		t.Errorf("%s views at %s", views, at)
	}
	reader.open("/")
	reader.see("article.post-card")
	reader.do(chromedp.EmulateViewport(390, 844))
	for _, path := range []string{"/", "/blog", "/blog/how-letters-arrive"} {
		reader.open(path)
		if ask(reader, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
			t.Errorf("%s is wider than a phone", path)
		}
	}

	writer.open("/admin/posts")
	writer.click(rowOf("post", "How letters arrive") + " a[hx-delete]")
	writer.gone(rowOf("post", "How letters arrive"))
	reader.open("/blog")
	reader.gone("article.post-card")
}

// paint makes a picture for a post.
func paint(t *testing.T) string {
	t.Helper()
	canvas := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			canvas.Set(x, y, color.RGBA{R: uint8(x * 255 / 640), G: 120, B: uint8(y * 255 / 360), A: 255})
		}
	}
	name := filepath.Join(t.TempDir(), "picture.png")
	file, err := os.Create(name)
	if err == nil {
		err = png.Encode(file, canvas)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}
