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
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
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
	return domain.UnsubscribeToken([]byte(siteSecret), client)
}

// TestEveryRouteIsSeen: a new GET route needs a sight, or the reason why it has none.
func TestEveryRouteIsSeen(t *testing.T) {
	golden, err := os.ReadFile("handlers/testdata/routes.golden")
	if err != nil {
		t.Fatal(err)
	}
	routes, seen := map[string]bool{"refusal": true}, map[string]bool{}
	for line := range strings.Lines(string(golden)) {
		words := strings.Fields(line)
		routes[words[0]+" "+words[1]] = true
	}
	for _, s := range sights {
		seen[s.route] = true
		if !routes[s.route] {
			t.Errorf("the walker sees %s, which is no route", s.route)
		}
	}
	for route := range routes {
		_, none := noPages[route]
		if strings.HasPrefix(route, "GET ") && seen[route] == none {
			t.Errorf("%s: seen %v, in noPages %v", route, seen[route], none)
		}
	}
}

// TestPages looks at every sight in both languages, at two widths and in both themes. With
// SCREENSHOTS it takes a picture of each combination, and axe looks at all of them.
func TestPages(t *testing.T) {
	w := newWalk(t)
	for _, language := range []string{"en", "ru"} {
		w.language = language
		w.exec("UPDATE users SET language = $1", language)
		w.tabs()
		w.refusals()
	}
	t.Logf("%d sights, %d combinations, %d of them seen by axe, %d problems", len(sights)+2, w.looks, w.axes, w.problems)
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
	w.server = serve(t, "serve", "DATABASE_URL="+url, "SECRET="+siteSecret)
	w.imports()
	for range 10 { // the limit of wrong passwords
		w.post(visitors, "/login", "application/x-www-form-urlencoded", strings.NewReader("email="+tooMany+"&password=wrong"))
	}
	w.browser = newBrowser(t, 10*time.Minute, "en")
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
	for begun, done := time.Now(), 0; done == 0; {
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

// tabs shows all sights in two tabs, each with cookies of its own.
func (w *walk) tabs() {
	todo := make(chan sight)
	go func() {
		defer close(todo)
		for _, s := range sights {
			todo <- s
		}
	}()
	var working sync.WaitGroup
	for range 2 {
		v := w.tab()
		working.Go(func() {
			for s := range todo {
				w.look(v, s)
			}
		})
	}
	working.Wait()
}

func (w *walk) tab() *visitor {
	w.Helper()
	ctx, closeTab := chromedp.NewContext(w.browser, chromedp.WithNewBrowserContext())
	w.Cleanup(closeTab)
	v := newVisitor(ctx, w.T, w.server.url)
	v.cookie("language", w.language)
	return v
}

// refusals shows what only a broken database brings.
func (w *walk) refusals() {
	v := w.tab()
	w.exec("ALTER TABLE inbox_letters RENAME TO inbox_letters_elsewhere")
	w.look(v, sight{"refusal", visitors, "/inbox?broken", 500, "", false})
	w.exec("ALTER TABLE inbox_letters_elsewhere RENAME TO inbox_letters")

	keeper, err := w.db.Pool.Acquire(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	defer keeper.Release()
	const away = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	limit := func(connections int) {
		if _, err := keeper.Exec(w.Context(), fmt.Sprintf(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I CONNECTION LIMIT %d', current_database()); END $$`, connections)); err != nil {
			w.Fatal(err)
		}
	}
	limit(0)
	if _, err := keeper.Exec(w.Context(), away); err != nil {
		w.Fatal(err)
	}
	w.look(v, sight{"refusal", anOwner, "/mailings?away", 503, "", false})
	limit(-1)
}

// look is one load of a page, seen at both widths and in both themes.
func (w *walk) look(v *visitor, s sight) {
	w.Helper()
	if s.status == 0 {
		s.status = http.StatusOK
	}
	name := fmt.Sprintf("%s %s as %d (%s)", s.route, s.path, s.who, w.language)
	v.be(s.who)
	if got := v.show(s); got != s.status {
		v.note(fmt.Sprintf("answers %d, want %d", got, s.status))
	}
	for _, width := range []int64{390, 1280} {
		v.do(chromedp.EmulateViewport(width, 900))
		if !s.others {
			for _, problem := range ask(v, chromedp.Evaluate[[]string](inspection+"("+fmt.Sprintf("%q", w.language)+")")) {
				v.note(fmt.Sprintf("%d px: %s", width, problem))
			}
		}
		for _, theme := range []string{"light", "dark"} {
			w.combination(v, s, width, theme)
		}
	}
	if !s.others && s.send == "" {
		w.entitle(v, s)
	}
	if s.others {
		v.do(chromedp.Navigate("about:blank")) // River UI would go on asking, as whoever comes next
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, problem := range v.problems {
		w.Errorf("%s: %s", name, problem)
		w.mu.Lock()
		w.problems++
		w.mu.Unlock()
	}
	v.problems = nil
}

// combination is one width and theme of a page that stands there. To save time axe looks at one
// of the light ones, and at the colours of a dark one, because a theme changes nothing else.
func (w *walk) combination(v *visitor, s sight, width int64, theme string) {
	w.Helper()
	all := os.Getenv("SCREENSHOTS") != ""
	chosen := w.language == "en" && (width == 1280) == (theme == "light")
	rules := ""
	if !all && theme == "dark" {
		rules = "color-contrast"
	}
	w.mu.Lock()
	w.looks++
	w.mu.Unlock()
	if !all && (s.others || !chosen) {
		return
	}
	v.theme(theme)
	if !s.others {
		w.mu.Lock()
		w.axes++
		w.mu.Unlock()
		for _, violation := range v.violations(rules) {
			v.note(fmt.Sprintf("axe, %d px, %s: %s", width, theme, violation))
		}
	}
	sent := map[bool]string{true: "-sent"}[s.send != ""]
	path := strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", verifyToken, "open", resetToken, "open").Replace(strings.Trim(s.path, "/"))
	v.picture(filepath.Join("pages", fmt.Sprintf("%s%s-%d-%s-%d-%s", path, sent, s.who, w.language, width, theme)))
}

// entitle holds that no two pages have one title.
func (w *walk) entitle(v *visitor, s sight) {
	if strings.Contains(s.route, ":token") || s.route == "refusal" {
		return // one page for many
	}
	title := ask(v, chromedp.Title())
	kind := w.language + " " + title
	path, _, _ := strings.Cut(s.path, "?")
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, taken := w.titles[kind]; taken && other != path {
		v.note(fmt.Sprintf("has the title %q, and so has %s", title, other))
	}
	w.titles[kind] = path
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

// show opens a sight and gives the status of the answer.
func (v *visitor) show(s sight) int {
	v.t.Helper()
	if s.send == "" {
		v.expect(s.status)
		v.look(s.path)
	} else {
		v.expect(http.StatusGone) // of a dead link
		v.look(s.path)
		v.expect(s.status)
		email := map[bool]string{true: tooMany}[s.status == http.StatusTooManyRequests]
		send := fmt.Sprintf(`(() => {
			const form = document.querySelector(%q);
			for (const field of form.querySelectorAll("textarea, input:not([type=hidden], [type=radio], [type=checkbox], [type=file])"))
				field.value = field.type === "email" ? %q : "";
			HTMLFormElement.prototype.submit.call(form);
		})()`, s.send, email)
		ask(v, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Evaluate[chromedp.Void](send)))
	}
	return ask(v, chromedp.Evaluate[int](`performance.getEntriesByType("navigation")[0].responseStatus`))
}

func (v *visitor) expect(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expects = int64(status)
}

// inspection finds what is wrong with a page besides what axe sees.
const inspection = `(language => {
	const found = [], root = document.documentElement;
	const short = element => element.outerHTML.slice(0, 160);
	if (root.lang !== language) found.push("lang is " + root.lang);
	if (document.querySelectorAll("h1").length !== 1) found.push(document.querySelectorAll("h1").length + " h1");
	if (root.scrollWidth > root.clientWidth) {
		const wide = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 0.5);
		found.push("scrolls sideways: " + root.scrollWidth + " px, for " + wide.slice(-2).map(short).join(" and "));
	}
	for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
		const named = field.labels?.length || field.ariaLabel || field.getAttribute("aria-labelledby");
		if (!named && field.checkVisibility()) found.push("no label: " + short(field));
	}
	for (const marked of document.querySelectorAll("[aria-invalid=true]")) {
		const texts = (marked.getAttribute("aria-describedby") ?? "").split(" ").map(id => document.getElementById(id)?.innerText);
		if (!texts.some(text => text)) found.push("says not what is wrong: " + short(marked));
	}
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	for (const id of new Set(ids)) if (ids.filter(other => other === id).length > 1) found.push("id " + id + " stands there twice");
	return found;
})`
