package handlers

import (
	"net/url"
	"strings"
	"testing"

	"skychimp/domain"
)

func TestCrossSiteRequests(t *testing.T) {
	w := newEnv(t)
	b := w.as(t, w.user(t, "anna", domain.RoleUser))
	tests := []struct {
		name, value string
		status      int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "same-origin", 303},
		{"Sec-Fetch-Site", "none", 303},
		{"Origin", "https://evil.example", 403},
		{"Origin", "null", 403},
		{"Origin", w.url, 303},
		{"X-None", "", 303}, // no browser
	}
	for _, test := range tests {
		for _, asked := range []*browser{b, b.htmx()} {
			want := test.status
			if asked != b && want == 303 {
				want = 200
			}
			got := asked.with(test.name, test.value).post("/account", "name", "Anna")
			if got.StatusCode != want {
				t.Errorf("%s: %s answers %d, want %d", test.name, test.value, got.StatusCode, want)
			}
		}
	}
	b.with("Sec-Fetch-Site", "cross-site").get("/account").is(t, 200)
	// A mail program's button comes from anywhere.
	if got := b.with("Sec-Fetch-Site", "cross-site").post("/unsubscribe/x").StatusCode; got == 403 {
		t.Error("unsubscribing asks where the request comes from")
	}
}

func TestHosts(t *testing.T) {
	w := newEnv(t)
	at, _ := url.Parse(w.url)
	for host, status := range map[string]int{
		at.Host: 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:8080": 200, "evil.example": 400, "127.0.0.1.evil.example": 400,
	} {
		if got := w.visitor(t).with("Host", host).get("/").StatusCode; got != status {
			t.Errorf("host %s: %d, want %d", host, got, status)
		}
	}
	w.visitor(t).with("Host", "10.1.2.3:8080").get("/healthz").is(t, 200)
	w.visitor(t).with("X-Forwarded-Host", "evil.example").get("/").is(t, 200) // no proxy is trusted
}

func TestAnswers(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	got := b.get("/").is(t, 200, "<html")
	for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Request-Id", "Etag"} {
		if got.Header.Get(header) == "" {
			t.Errorf("no %s", header)
		}
	}
	if policy := got.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows what it should not: %s", policy)
	}
	if fragment := b.htmx().get("/").is(t, 200); strings.Contains(fragment.body, "<html") || !strings.Contains(fragment.Header.Get("Vary"), "HX-Request") {
		t.Errorf("htmx gets %s, Vary %s", fragment.body, fragment.Header.Get("Vary"))
	}
	b.with("If-None-Match", got.Header.Get("Etag")).get("/").is(t, 304)
	missing, other := b.get("/nowhere").is(t, 404, "<html"), b.get("/clients-of-nobody/7").is(t, 404)
	if strings.ReplaceAll(missing.body, "/nowhere", "") != strings.ReplaceAll(other.body, "/clients-of-nobody/7", "") {
		t.Error("404 differs from 404")
	}
	if allow := b.do("DELETE", "/login", nil).is(t, 405).Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %s", allow)
	}
	b.do("HEAD", "/login", nil).is(t, 200)
	b.htmx().with("HX-Current-URL", w.url+"/account?a=1").get("/account").is(t, 401)
	if to := b.htmx().with("HX-Current-URL", w.url+"/account?a=1").get("/account").Header.Get("HX-Redirect"); to != "/login?next=%2Faccount%3Fa%3D1" {
		t.Errorf("HX-Redirect: %s", to)
	}
	b.post("/login", "email", strings.Repeat("x", 2<<20)).is(t, 413, "<html")
	signedIn := w.as(t, w.user(t, "anna", domain.RoleUser)).get("/account").is(t, 200)
	if cache := signedIn.Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control of a signed-in page: %s", cache)
	}
}

func TestStaticFiles(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	page := b.get("/").is(t, 200).body
	_, path, _ := strings.Cut(page, `<link rel="stylesheet" href="`)
	path, _, _ = strings.Cut(path, `"`)
	got := b.get(path).is(t, 200, ":root")
	if cache := got.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/css") {
		t.Errorf("%s, %s", cache, got.Header.Get("Content-Type"))
	}
	old := b.get("/static/000000000000/css/app.css").is(t, 200)
	if cache := old.Header.Get("Cache-Control"); cache != "no-cache" {
		t.Errorf("an old address is kept: %s", cache)
	}
	for _, path := range []string{"/static/x/css/none.css", "/static/x/", "/static/x/css", "/static/x/../static.go", "/static/x/vendor/.gitkeep"} {
		b.get(path).is(t, 404)
	}
}
