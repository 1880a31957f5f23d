package handlers

import (
	"bytes"
	"encoding/binary"
	"image/gif"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web/webtest"
)

// send posts a form with a file named upload in the field image, unless it is nil.
func (b *browser) send(path string, upload []byte, values ...string) answer {
	b.t.Helper()
	return b.sendFile(path, "image", upload, values...)
}

// sendFile is send for another field.
func (b *browser) sendFile(path, field string, upload []byte, values ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(values); i += 2 {
		_ = form.WriteField(values[i], values[i+1])
	}
	if upload != nil {
		file, _ := form.CreateFormFile(field, "upload")
		_, _ = file.Write(upload)
	}
	_ = form.Close()
	request, err := http.NewRequestWithContext(b.t.Context(), "POST", b.base+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header = b.header.Clone()
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		b.t.Fatal(err)
	}
	return answer{response, text.String()}
}

// only is the one post there is.
func (w *env) only(t testing.TB) domain.Post {
	t.Helper()
	list, total, err := w.db.Posts().List(t.Context(), db.PostFilter{Now: time.Now()})
	if err != nil || total != 1 {
		t.Fatalf("%d posts, %v", total, err)
	}
	post, err := w.db.Posts().Get(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return post
}

func (w *env) author(t testing.TB) *browser {
	t.Helper()
	return w.as(t, w.user(t, "author", domain.RoleContent))
}

func TestPostLife(t *testing.T) {
	w := newEnv(t)
	author, reader := w.author(t), w.visitor(t)
	author.get("/admin/posts").is(t, 200, "No posts yet")
	author.get("/admin/posts/new").is(t, 200, `name="title"`, `name="body"`, `name="image"`, `name="published_at"`)

	author.post("/admin/posts", "title", "Щука и ёж", "body", "Текст").leads(t, "/admin/posts")
	post := w.only(t)
	if post.Slug != "shchuka-i-yozh" || post.PublishedAt != nil || post.AuthorID == 0 {
		t.Errorf("%+v", post)
	}
	author.get("/admin/posts").is(t, 200, "is saved as a draft", `id="post-1"`, "Draft", `class="views">0<`)
	reader.get("/blog/shchuka-i-yozh").is(t, 404)
	author.get("/admin/posts/1").is(t, 200, "Only content managers", "<p>Текст</p>")
	author.get("/admin/posts/1/preview").is(t, 200, "<p>Текст</p>")

	author.post("/admin/posts/1", "_method", "PUT", "title", "Pike", "body", "Text", "published_at", "2099-01-31T10:00").leads(t, "/admin/posts")
	if post = w.only(t); post.Slug != "shchuka-i-yozh" || post.Title != "Pike" || post.State(time.Now()) != domain.Scheduled {
		t.Errorf("%+v", post)
	}
	author.get("/admin/posts/1/edit").is(t, 200, `value="2099-01-31T10:00"`, "Scheduled")
	reader.get("/blog/shchuka-i-yozh").is(t, 404)

	author.post("/admin/posts/1", "_method", "PUT", "title", "Pike", "body", "Text", "published_at", "not a date", "publish", "now").leads(t, "/admin/posts")
	reader.get("/blog/shchuka-i-yozh").is(t, 200, "Pike")

	// Seconds that the form doesn't show stay as they are; a field that isn't sent keeps its value.
	first := *w.only(t).PublishedAt
	author.post("/admin/posts/1", "_method", "PUT", "title", "Pike", "body", "Longer", "published_at", first.UTC().Format(domain.WallFormat)).leads(t, "/admin/posts")
	author.post("/admin/posts/1", "_method", "PUT", "title", "Pike", "body", "Longer still").leads(t, "/admin/posts")
	if post = w.only(t); !post.PublishedAt.Equal(first) || post.Body != "Longer still" {
		t.Errorf("published at %v, before %v", post.PublishedAt, first)
	}

	author.post("/admin/posts/1", "_method", "PUT", "title", "Pike", "body", "Text", "publish", "draft").leads(t, "/admin/posts")
	reader.get("/blog/shchuka-i-yozh").is(t, 404)

	author.get("/admin/posts/1/delete").is(t, 200, "for good")
	author.post("/admin/posts/1", "_method", "DELETE").leads(t, "/admin/posts")
	author.post("/admin/posts/1", "_method", "DELETE").is(t, 404)
	author.get("/admin/posts/1").is(t, 404)
}

func TestPostInTheAuthorsZone(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "author", domain.RoleContent)
	_, err := w.db.Users().Update(t.Context(), user.ID, func(u *domain.User) error { u.Timezone = "Asia/Tokyo"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	author := w.as(t, user)
	author.post("/admin/posts", "title", "A", "body", "B", "published_at", "2031-05-01T08:00").leads(t, "/admin/posts")
	if at := w.only(t).PublishedAt; at == nil || at.UTC().Format(time.RFC3339) != "2031-04-30T23:00:00Z" {
		t.Errorf("%v", at)
	}
	author.get("/admin/posts/1/edit").is(t, 200, `value="2031-05-01T08:00"`, "Asia/Tokyo")
}

func TestPostRefused(t *testing.T) {
	w := newEnv(t)
	author := w.author(t)
	for _, b := range []*browser{author, author.htmx()} {
		page := b.post("/admin/posts", "title", "", "body", "Kept <b>", "published_at", "tomorrow").is(t, 422,
			"Enter a title.", "Kept &lt;b&gt;", `value="tomorrow"`, "a date and time for the publication",
			`aria-invalid="true"`, `aria-describedby="field-title-problem"`, `id="field-title-problem"`)
		if strings.Contains(page.body, "<html") != (b == author) {
			t.Error("the frame doesn't fit the request")
		}
	}
	author.post("/admin/posts/99", "_method", "PUT", "title", "A", "body", "B").is(t, 404)
	author.post("/admin/posts/x", "_method", "PUT", "title", "A", "body", "B").is(t, 404)
}

func TestPostGuards(t *testing.T) {
	w := newEnv(t)
	w.publish(t, "One", time.Now())
	for role, status := range map[domain.Role]int{
		domain.RoleUser: 403, domain.RoleManager: 403, domain.RoleContent: 200, domain.RoleAdmin: 200,
	} {
		b := w.as(t, w.user(t, string(role), role))
		for _, path := range []string{"/admin/posts", "/admin/posts/new", "/admin/posts/1", "/admin/posts/1/edit", "/admin/posts/1/delete"} {
			b.get(path).is(t, status)
		}
		if status == 403 {
			b.post("/admin/posts", "title", "A", "body", "B").is(t, 403)
			b.post("/admin/posts/1", "_method", "DELETE").is(t, 403)
			b.post("/admin/posts/preview", "body", "B").is(t, 403)
		}
	}
	w.visitor(t).get("/admin/posts").leads(t, "/login?next=%2Fadmin%2Fposts")
	w.visitor(t).post("/admin/posts", "title", "A", "body", "B").is(t, 303)
	w.only(t)
}

var keptPicture = regexp.MustCompile(`name="picture" value="([0-9a-f]{32}\.jpg)"`)

func TestPostPicture(t *testing.T) {
	w := newEnv(t)
	author := w.author(t)
	photo := webtest.WithExif(webtest.JPEG(t, webtest.Quarters(1600, 900)), webtest.Exif(binary.LittleEndian, 1))

	// Refused for its title: the picture is kept, and the next form needs no file.
	page := author.send("/admin/posts", photo, "title", "", "body", "Kept").is(t, 422, "Enter a title.", "Kept")
	kept := keptPicture.FindStringSubmatch(page.body)
	if kept == nil {
		t.Fatal("the picture is lost")
	}
	author.send("/admin/posts", nil, "title", "Leaf", "body", "Text", "publish", "now", "picture", kept[1]).leads(t, "/admin/posts")
	if image := w.only(t).Image; image != kept[1] {
		t.Fatalf("picture %q", image)
	}
	w.visitor(t).get("/blog/leaf").is(t, 200, strings.Replace(kept[1], ".", "-600.", 1), strings.Replace(kept[1], ".", "-1200.", 1))
	served := w.visitor(t).get("/media/"+strings.Replace(kept[1], ".", "-1200.", 1)).is(t, 200)
	if served.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || served.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%v", served.Header)
	}
	if strings.Contains(served.body, "SpyCam") {
		t.Error("the camera's name is still in it")
	}

	// A bad file next to good fields: the error stands beside its field, the old picture stays.
	var animation bytes.Buffer
	if err := gif.Encode(&animation, webtest.Quarters(4, 4), nil); err != nil {
		t.Fatal(err)
	}
	for text, upload := range map[string][]byte{
		"not a JPEG, PNG or WebP": animation.Bytes(),
		"more than 25 megapixels": webtest.PNGHeader(6500, 4000),
		"larger than 10 MB":       append(bytes.Clone(photo), make([]byte, 11<<20)...),
		"damaged":                 photo[:len(photo)/2],
	} {
		author.send("/admin/posts/1", upload, "_method", "PUT", "title", "New title", "body", "New text").is(t, 422,
			text, `id="field-image-problem"`, "New title", "New text", kept[1])
	}
	if post := w.only(t); post.Title != "Leaf" || post.Image != kept[1] {
		t.Errorf("%+v", post)
	}

	author.send("/admin/posts/1", webtest.PNG(t, webtest.Quarters(40, 20)), "_method", "PUT", "title", "Leaf", "body", "Text").leads(t, "/admin/posts")
	if image := w.only(t).Image; image == kept[1] || image == "" {
		t.Errorf("picture %q", image)
	}
	for _, forged := range []string{"../secret.jpg", strings.Repeat("0", 32) + ".jpg"} {
		author.send("/admin/posts", nil, "title", "", "body", "B", "picture", forged).is(t, 422)
		if strings.Contains(author.send("/admin/posts", nil, "title", "", "body", "B", "picture", forged).body, `name="picture"`) {
			t.Errorf("%s is taken", forged)
		}
	}
	author.send("/admin/posts/1", nil, "_method", "PUT", "title", "Leaf", "body", "Text", "remove_image", "yes").leads(t, "/admin/posts")
	if image := w.only(t).Image; image != "" {
		t.Errorf("picture %q", image)
	}
	for _, path := range []string{"/media/nothing.jpg", "/media/" + strings.Repeat("0", 32) + "-600.jpg", "/media/..%2f..%2fsecret", "/media/%00"} {
		w.visitor(t).get(path).is(t, 404)
	}
}

func TestPostPreviewOfForm(t *testing.T) {
	w := newEnv(t)
	author := w.author(t)
	author.post("/admin/posts/preview", "title", "A", "body", "*B*").is(t, 200, "not saved yet", "<em>B</em>", "<html")
	author.post("/admin/posts/preview", "_method", "PUT", "title", "A", "body", "*B*").is(t, 200, "<em>B</em>")
	if page := author.htmx().post("/admin/posts/preview", "body", "*B*").is(t, 200, "<em>B</em>").body; strings.Contains(page, "<html") {
		t.Error("htmx got the frame")
	}
	if _, total, err := w.db.Posts().List(t.Context(), db.PostFilter{}); err != nil || total != 0 {
		t.Errorf("%d posts, %v", total, err)
	}
}

func TestPostList(t *testing.T) {
	w := newEnv(t)
	author := w.author(t)
	w.publish(t, "Alpha", time.Now().Add(-time.Hour))
	w.publish(t, "Beta", time.Now().Add(time.Hour))
	author.post("/admin/posts", "title", "Gamma", "body", "Text").is(t, 303)
	for query, want := range map[string]string{
		"": "Gamma Beta Alpha", "?q=ALPH": "Alpha", "?status=draft": "Gamma", "?status=scheduled": "Beta",
		"?status=published": "Alpha", "?q=a&status=scheduled": "Beta", "?q=zeta": "", "?page=9": "Gamma Beta Alpha", "?page=-9999999999999999999": "Gamma Beta Alpha", "?q=%00Alp%ff": "Alpha",
	} {
		for _, b := range []*browser{author, author.htmx()} {
			page := b.get("/admin/posts"+query).is(t, 200)
			var found []string
			for _, title := range []string{"Gamma", "Beta", "Alpha"} {
				if strings.Contains(page.body, ">"+title+"</a>") {
					found = append(found, title)
				}
			}
			if strings.Join(found, " ") != want || strings.Contains(page.body, "<html") != (b == author) {
				t.Errorf("%q: %q", query, found)
			}
			if vary := page.Header.Get("Vary"); !strings.Contains(vary, "HX-Request") {
				t.Errorf("Vary: %s", vary)
			}
		}
	}
	gone := author.htmx().do("DELETE", "/admin/posts/1", nil).is(t, 200)
	if gone.body != "" {
		t.Errorf("%q", gone.body)
	}
	author.get("/admin/posts/1").is(t, 404)
}
