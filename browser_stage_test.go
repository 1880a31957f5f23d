package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// The secrets of the links in testdata/pages.sql.
var verifyToken, resetToken = secret("verify"), secret("reset")

func secret(name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("0", 32-len(name)) + name))
}

// siteSecret is the program's.
const siteSecret = "of the walker, 32 characters long"

func unsubscribeToken(client int64) string {
	return domain.NewUnsubscribeTokens([]byte(siteSecret)).Token(client)
}

// A walk is one program, one browser with a few tabs, and what they found.
type walk struct {
	*testing.T
	server   *server
	db       *db.DB
	browser  context.Context
	language string
	mu       sync.Mutex
	titles   map[string]string // by language and title: the path
	looks    int
	axes     int
	problems int
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	url := dbtest.URL(t)
	opened, err := db.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	w := &walk{T: t, db: opened, titles: map[string]string{}}
	stage, err := os.ReadFile("testdata/pages.sql")
	if err != nil {
		t.Fatal(err)
	}
	w.exec(string(stage))
	w.server = serve(t, "serve", "DATABASE_URL="+url, "SECRET="+siteSecret, "SMTP_URL=inbox")
	w.imports()
	for range 10 { // the limit of wrong passwords
		w.post(visitors, "/login", "application/x-www-form-urlencoded", strings.NewReader("email="+tooMany+"&password=wrong"))
	}
	w.browser = newBrowser(t, "en")
	if err := chromedp.Do(w.browser); err != nil {
		t.Fatal(err)
	}
	return w
}

const tooMany = "too.many@example.com"

func (w *walk) exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.db.Pool.Exec(w.Context(), sql, args...); err != nil {
		w.Fatal(err)
	}
}

// imports brings one list that waits for its owner, and one that was imported.
func (w *walk) imports() {
	w.Helper()
	const list = "email;name;comment\nnew@example.com;New One;met\nnobody;No Address;\nnew@example.com;Again;\nold@example.com;" + "Old One;\n"
	for _, start := range []bool{false, true} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", fmt.Sprintf("a list of clients with a rather long name, started %v.csv", start))
		if err != nil {
			w.Fatal(err)
		}
		_, _ = io.WriteString(part, list)
		_ = form.Close()
		path := w.post(anOwner, "/clients/import", form.FormDataContentType(), &body)
		if start {
			answer := url.Values{"do": {"start"}, "columns": {"email", "full_name", "comment"}, "header": {"yes"}}.Encode()
			w.post(anOwner, path, "application/x-www-form-urlencoded", strings.NewReader(answer))
		}
	}
	for begun, done := time.Now(), 0; done == 0; time.Sleep(poll) {
		if err := w.db.Pool.QueryRow(w.Context(), "SELECT count(*) FROM imports WHERE status = 'done'").Scan(&done); err != nil || time.Since(begun) > patience {
			w.Fatal("the import is not done: ", err)
		}
	}
}

// post sends a form and gives where the answer leads.
func (w *walk) post(who int, path, kind string, form io.Reader) (location string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.url+path, form)
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.AddCookie(&http.Cookie{Name: "session", Value: secret(fmt.Sprint(who))})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	_ = response.Body.Close()
	return response.Header.Get("Location")
}

func (w *walk) tab() *visitor {
	w.Helper()
	ctx, closeTab := chromedp.NewContext(w.browser, chromedp.WithNewBrowserContext())
	w.Cleanup(closeTab)
	v := newVisitor(ctx, w.T, w.server.url)
	v.cookie("language", w.language)
	return v
}

// be is who the visitor is from now on.
func (v *visitor) be(who int) {
	v.t.Helper()
	if who != visitors {
		v.cookie("session", secret(fmt.Sprint(who)))
		return
	}
	v.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: "session", URL: v.site})
		return chromedp.Void{}, err
	})
}

func (v *visitor) cookie(name, value string) {
	v.t.Helper()
	v.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: v.site})
		return chromedp.Void{}, err
	})
}
