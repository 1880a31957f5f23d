package browsertest

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
func postsFlow(s *suite) {
	writer, _ := s.member("Walter Writer", "content", "en")
	writer.open("/admin/posts")
	writer.follow(".head a[href='/admin/posts/new']")
	writer.follow(save)
	writer.see("[name=title][aria-invalid=true]")
	writer.fill("title", "How emails arrive")
	writer.writeBody("They *arrive* in the morning.")
	writer.do(chromedp.SetUploadFiles(field("image"), []string{paint(s.T)}))
	writer.follow("button[name=publish][value=now]")
	writer.open("/admin/posts")
	writer.reads("main tr .badge", "published")
	writer.find("nothing like it")
	writer.gone("main tr[id]")
	writer.find("HOW EMAILS")
	writer.follow("main tr[id] a")
	writer.see("img.article-picture")

	reader := s.visit("ru")
	reader.open("/blog")
	reader.follow("article.post-card h3 a")
	reader.reads("h1", "How emails arrive")
	reader.see(".prose em")
	reader.see("img.article-picture")
	if at, views := reader.at(), reader.text(".article .views"); at != "/blog/how-emails-arrive" || views != "1" {
		s.Errorf("%s views at %s", views, at)
	}
	reader.open("/")
	reader.see("article.post-card")
	reader.do(chromedp.EmulateViewport(390, 844))
	for _, path := range []string{"/", "/blog", "/blog/how-emails-arrive"} {
		reader.open(path)
		if ask(reader, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
			s.Errorf("%s is wider than a phone", path)
		}
	}

	writer.open("/admin/posts")
	writer.remove(rowOf("post", "How emails arrive"))
	reader.open("/blog")
	reader.gone("article.post-card")
}

// writeBody writes a post: in the editor, which stands over the text field where scripts run.
func (v *visitor) writeBody(text string) {
	v.t.Helper()
	if v.plain {
		v.fill("body", text)
		return
	}
	v.click(".CodeMirror")
	v.do(chromedp.KeyEvent(text))
	v.click(".editor-toolbar .togglePreview")
	v.reads(".editor-preview em", "arrive")
	v.auditAs("posts-editor-preview")
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
