package handlers

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// costing does something and checks that the whole process took at most so many MB for it.
func costing(t *testing.T, most uint64, what string, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > most {
		t.Errorf("%s took %d MB", what, used)
	}
}

// packed is content through gzip or deflate, in this order.
func packed(t *testing.T, content []byte, encodings ...string) []byte {
	t.Helper()
	for _, encoding := range encodings {
		var b bytes.Buffer
		var to io.WriteCloser = gzip.NewWriter(&b)
		if encoding == "deflate" {
			to, _ = flate.NewWriter(&b, flate.BestCompression)
		}
		if _, err := to.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		content = b.Bytes()
	}
	return content
}

// A request of a few hundred bytes may not unfold, whatever it says that it is.
func TestCompressedRequests(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	form := append([]byte("email="), make([]byte, 60<<20)...)
	var parts bytes.Buffer
	writer := multipart.NewWriter(&parts)
	if err := writer.WriteField("_method", string(form)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	const urlencoded = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		path, kind string
		body       []byte
		encodings  []string
	}{
		{"/", urlencoded, packed(t, form, "gzip", "gzip", "gzip"), []string{"gzip, gzip, gzip"}},
		{"/login", urlencoded, packed(t, form, "gzip", "gzip"), []string{"", "gzip, gzip"}},
		{"/password/forgot", writer.FormDataContentType(), packed(t, parts.Bytes(), "gzip"), []string{"gzip"}},
		{"/clients/import", writer.FormDataContentType(), packed(t, parts.Bytes(), "deflate"), []string{"deflate"}},
		{"/unsubscribe/x", urlencoded, []byte("email=x"), []string{"identity"}},
		{"/none", urlencoded, packed(t, form, "gzip"), []string{"br"}},
	} {
		for _, chunked := range []bool{false, true} {
			request, err := http.NewRequestWithContext(t.Context(), "POST", w.url+test.path, bytes.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = http.Header{"Content-Type": {test.kind}, "Content-Encoding": test.encodings}
			if chunked {
				request.ContentLength = -1
			}
			costing(t, 30, fmt.Sprint(test.path, test.encodings, chunked), func() {
				response, err := b.client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				page, err := io.ReadAll(response.Body)
				if response.Body.Close(); err != nil {
					t.Fatal(err)
				}
				answer{response, string(page)}.is(t, 415, "The request was sent compressed")
			})
		}
	}
	b.get("/login").is(t, 200)
}

// No method, no address and no guard comes before it.
func TestNothingIsUnpacked(t *testing.T) {
	w := newEnv(t)
	for _, one := range append(routes(nouns{}), web.Route{Method: "POST", Path: "/none"}, web.Route{Method: "DELETE", Path: "/"}) {
		for _, encoding := range []string{"gzip", "deflate", "x"} {
			status, _ := w.wire(t, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Encoding: %s\r\nContent-Length: 1\r\n\r\n1",
				one.Method, strings.ReplaceAll(one.Path, ":", ""), encoding))
			if status != http.StatusUnsupportedMediaType {
				t.Errorf("%s %s: %d", one.Method, one.Path, status)
			}
		}
	}
}

// A form in parts ends its connection: what stands behind its last part would be the next request.
func TestBehindTheLastPart(t *testing.T) {
	w := newEnv(t)
	const hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	body := "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na\r\n--x--\r\n" + strings.Repeat(" ", 8192) + hidden
	status, goesOn := w.wire(t, fmt.Sprintf("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	if status == 0 || goesOn {
		t.Errorf("%d, and the connection goes on: %v", status, goesOn)
	}
}

// What programs in front of us may read as another request than we do is refused and ends the
// connection, so that nothing after it is taken for a request of somebody else.
func TestSmuggledRequests(t *testing.T) {
	w := newEnv(t)
	at, _ := url.Parse(w.url)
	const inner = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, head := range map[string]string{
		"length and chunks":     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":           "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
		"two lengths in one":    "Content-Length: 0, 44\r\n\r\n",
		"a signed length":       "Content-Length: +0\r\n\r\n",
		"almost chunks":         "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunks and more":       "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"two encodings":         "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bare LF in chunks":     "Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
		"bare LF after a size":  "Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n",
		"NUL in a name":         "X-A\x00: 1\r\nContent-Length: 0\r\n\r\n",
		"a space before colons": "Content-Length : 0\r\n\r\n",
		"NUL in a value":        "X-A: \x00\r\nContent-Length: 0\r\n\r\n",
		"bare LF after heads":   "X-A: 1\nContent-Length: 0\r\n\r\n",
		"a folded head":         "X-A: 1\r\n Content-Length: 44\r\n\r\n",
		"chunks of HTTP/1.0":    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a size too large":      "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nx\r\n0\r\n\r\n",
		"a signed size":         "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
		"a size in hex":         "Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
		"a length in hex":       "Content-Length: 0x0\r\n\r\n",
		"underscores in a size": "Transfer-Encoding: chunked\r\n\r\n0_1\r\nx\r\n0\r\n\r\n",
		"more than its size":    "Transfer-Encoding: chunked\r\n\r\n1\r\nxxx0\r\n\r\n",
		"two hosts":             "Host: evil.example\r\nContent-Length: 0\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "POST /logout HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n%s%s", at.Host, head, inner)
		from := bufio.NewReader(conn)
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, response.StatusCode)
		}
		if _, err := from.ReadByte(); err != io.EOF {
			t.Errorf("%s: the connection goes on", name)
		}
		_ = conn.Close()
	}
}

// A text that would unfold comes back in its form with words, and shows where it was saved before.
func TestUnfoldingTexts(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	writer := w.as(t, w.user(t, "cora", domain.RoleContent))
	body := "[a]: /" + strings.Repeat("b", 20_000) + "\n\n" + strings.Repeat("[a]", 58_000)
	saved := w.message(t, user.ID, "Bomb", body)
	post := w.publish(t, "Bomb", time.Now().Add(-time.Hour))
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `UPDATE posts SET body = $1`, body); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		b    *browser
		path string
		form []string
	}{
		{b, "/messages", nil},
		{b.htmx(), "/messages", nil},
		{b, fmt.Sprint("/messages/", saved.ID), []string{"_method", "PUT"}},
		{b, "/start/preview", nil},
		{writer, "/admin/posts", []string{"title", "Bomb"}},
		{writer, "/admin/posts/preview", []string{"title", "Bomb"}},
	} {
		costing(t, 60, test.path, func() {
			test.b.post(test.path, append(test.form, "subject", "Bomb", "body", body)...).is(t, 422, "Too many links")
		})
	}
	b.post("/messages", "subject", "Kept", "body", body).is(t, 422, "Too many links", `value="Kept"`, body[:30_000], `aria-invalid="true"`)
	for path, status := range map[string]int{
		fmt.Sprint("/messages/", saved.ID): 200, fmt.Sprint("/messages/", saved.ID, "/preview"): 422, "/blog": 200, "/": 200, "/blog/feed.xml": 200, "/blog/" + post.Slug: 200,
	} {
		costing(t, 60, path, func() { b.get(path).is(t, status) })
	}
}
