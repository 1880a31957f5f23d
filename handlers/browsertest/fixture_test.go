package browsertest

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
	"skychimp/handlers/programtest"
)

// The secrets of the links in testdata/pages.sql.
var verifyToken, resetToken, changeToken, senderToken = secret("verify"), secret("reset"), secret("change"), secret("sender")

func secret(name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("0", 32-len(name)) + name))
}

// siteSecret is the program's.
const siteSecret = "of the crawler, 32 characters long"

func unsubscribeToken(client int64) string {
	return domain.NewUnsubscribeTokens([]byte(siteSecret)).Token(client)
}

// A crawl is one program, one browser with a few tabs, and what they found.
type crawl struct {
	*testing.T
	server   *programtest.Program
	db       *db.DB
	browser  context.Context
	language string
	mu       sync.Mutex
	titles   map[string]string // by language and title: the path
	looks    int
	axes     int
	problems int
}

func newCrawl(t *testing.T) *crawl {
	t.Helper()
	url := dbtest.URL(t)
	opened, err := db.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	c := &crawl{T: t, db: opened, titles: map[string]string{}}
	fixture, err := os.ReadFile("testdata/pages.sql")
	if err != nil {
		t.Fatal(err)
	}
	c.exec(string(fixture))
	c.server = programtest.Serve(t, "serve", "DATABASE_URL="+url, "SECRET="+siteSecret, "SMTP_URL=inbox")
	c.imports()
	for range 10 { // the limit of wrong passwords
		c.post(visitors, "/login", "application/x-www-form-urlencoded", strings.NewReader("email="+tooMany+"&password=wrong"))
	}
	c.browser = newBrowser(t, "en")
	if err := chromedp.Do(c.browser); err != nil {
		t.Fatal(err)
	}
	return c
}

const tooMany = "too.many@example.com"

func (c *crawl) exec(sql string, args ...any) {
	c.Helper()
	if _, err := c.db.Postgres().Pool.Exec(c.Context(), sql, args...); err != nil {
		c.Fatal(err)
	}
}

// imports brings one list that waits for its owner, and one that was imported.
func (c *crawl) imports() {
	c.Helper()
	const list = "email;name;comment\nnew@example.com;New One;met\nnobody;No Address;\nnew@example.com;Again;\nold@example.com;" + "Old One;\n"
	for _, start := range []bool{false, true} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", fmt.Sprintf("a list of clients with a rather long name, started %v.csv", start))
		if err != nil {
			c.Fatal(err)
		}
		_, _ = io.WriteString(part, list)
		_ = form.Close()
		path := c.post(anOwner, "/clients/import", form.FormDataContentType(), &body)
		if start {
			answer := url.Values{"do": {"start"}, "columns": {"email", "full_name", "comment"}, "header": {"yes"}}.Encode()
			c.post(anOwner, path, "application/x-www-form-urlencoded", strings.NewReader(answer))
		}
	}
	for begun, done := time.Now(), 0; done == 0; time.Sleep(programtest.Poll) {
		if err := c.db.Postgres().Pool.QueryRow(c.Context(), "SELECT count(*) FROM imports WHERE status = 'done'").Scan(&done); err != nil || time.Since(begun) > programtest.Timeout {
			c.Fatal("the import is not done: ", err)
		}
	}
}

// post sends a form and gives where the answer leads.
func (c *crawl) post(who int, path, kind string, form io.Reader) (location string) {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.server.URL+path, form)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.AddCookie(&http.Cookie{Name: "session", Value: secret(fmt.Sprint(who))})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	_ = response.Body.Close()
	return response.Header.Get("Location")
}

func (c *crawl) tab() *visitor {
	c.Helper()
	ctx, closeTab := chromedp.NewContext(c.browser, chromedp.WithNewBrowserContext())
	c.Cleanup(closeTab)
	v := newVisitor(ctx, c.T, c.server.URL)
	v.cookie("language", c.language)
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

// answers tells whether the owner gets the page.
func (c *crawl) answers(path string) bool {
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.server.URL+path, http.NoBody)
	if err != nil {
		c.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: "session", Value: secret(fmt.Sprint(anOwner))})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// signupCode is that of a sign-up in testdata/pages.sql.
func signupCode(id int64) string {
	s := domain.Signup{ID: id, FormID: 1, CreatedAt: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	return s.Code([]byte(siteSecret))
}
