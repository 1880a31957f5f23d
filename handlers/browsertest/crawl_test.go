package browsertest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"skychimp/handlers/programtest"
)

// TestEveryRouteIsSeen: a new GET route needs a sight, or the reason why it has none.
func TestEveryRouteIsSeen(t *testing.T) {
	golden, err := os.ReadFile("../testdata/routes.golden")
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
			t.Errorf("the crawler sees %s, which is no route", s.route)
		}
	}
	for route := range routes {
		_, none := noPages[route]
		if strings.HasPrefix(route, "GET ") && seen[route] == none {
			t.Errorf("%s: seen %v, in noPages %v", route, seen[route], none)
		}
	}
}

// TestPages looks at every sight, and axe with all its rules, where it is wide, light and English, and with those that may
// judge otherwise there, where it is narrow, dark and Russian, whose words are longer. With SCREENSHOTS both look at every
// combination of language, width and theme, of which pictures are taken too.
func TestPages(t *testing.T) {
	c := newCrawl(t)
	for _, language := range []string{"en", "ru"} {
		c.language = language
		c.exec("UPDATE users SET language = $1", language)
		c.tabs()
		c.refusals()
	}
	t.Logf("%d sights, looked at %d times, by axe %d times, %d problems", len(sights)+2, c.looks, c.axes, c.problems)
}

// tabs shows all sights in two tabs, each with cookies of its own.
func (c *crawl) tabs() {
	todo := make(chan sight)
	go func() {
		defer close(todo)
		for _, s := range sights {
			todo <- s
		}
	}()
	var working sync.WaitGroup
	for range 2 {
		v := c.tab()
		working.Go(func() {
			for s := range todo {
				c.look(v, s)
			}
		})
	}
	working.Wait()
}

// refusals shows what only a broken database brings.
func (c *crawl) refusals() {
	v := c.tab()
	c.exec("ALTER TABLE inbox_emails RENAME TO inbox_emails_elsewhere")
	c.look(v, sight{"refusal", visitors, "/inbox?broken", 500, "", false})
	c.exec("ALTER TABLE inbox_emails_elsewhere RENAME TO inbox_emails")

	keeper, err := c.db.Postgres().Pool.Acquire(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	defer keeper.Release()
	const away = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	limit := func(connections int) {
		if _, err := keeper.Exec(c.Context(), fmt.Sprintf(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I CONNECTION LIMIT %d', current_database()); END $$`, connections)); err != nil {
			c.Fatal(err)
		}
	}
	limit(0)
	if _, err := keeper.Exec(c.Context(), away); err != nil {
		c.Fatal(err)
	}
	c.look(v, sight{"refusal", anOwner, "/mailings?away", 503, "", false})
	limit(-1)
	// What is looked at next needs several connections, which are made few at a time.
	back := func() bool { return c.answers("/readyz") && c.answers("/clients") && c.answers("/mailings") }
	if !programtest.Within(programtest.Timeout, back) {
		c.Fatal("the database does not come back")
	}
}

// look is one load of a page.
func (c *crawl) look(v *visitor, s sight) {
	c.Helper()
	if s.status == 0 {
		s.status = http.StatusOK
	}
	name := fmt.Sprintf("%s %s as %d (%s)", s.route, s.path, s.who, c.language)
	v.be(s.who)
	if got := v.show(s); got != s.status {
		v.note(fmt.Sprintf("answers %d, want %d", got, s.status))
	}
	for _, width := range v.widths(c.language) {
		if width != v.width {
			v.do(chromedp.EmulateViewport(width, 900))
			v.width = width
		}
		if !s.others {
			c.mu.Lock()
			c.looks++
			c.mu.Unlock()
			for _, problem := range ask(v, chromedp.Evaluate[[]string](inspection+"("+fmt.Sprintf("%q", c.language)+")")) {
				v.note(fmt.Sprintf("%d px: %s", width, problem))
			}
		}
		for _, theme := range []string{"light", "dark"} {
			c.combination(v, s, width, theme)
		}
	}
	if !s.others && s.send == "" {
		c.entitle(v, s)
	}
	if s.others {
		v.do(chromedp.Navigate("about:blank")) // before River UI asks for more as somebody else
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, problem := range v.problems {
		c.Errorf("%s: %s", name, problem)
		c.mu.Lock()
		c.problems++
		c.mu.Unlock()
	}
	v.problems = nil
}

// The widths of a desktop and of a phone.
const wide, narrow = 1280, 390

// lookRules are those of axe that colours, widths and longer words can break. All of them take as long again as the page.
var lookRules = []string{"color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"}

// everything asks for all combinations.
func everything() bool { return os.Getenv("SCREENSHOTS") != "" }

// widths are those to look at: with everything both, beginning with the one that the visitor has, because each change takes as
// long as loading the page does.
func (v *visitor) widths(language string) []int64 {
	switch {
	case everything() && v.width == wide:
		return []int64{wide, narrow}
	case everything():
		return []int64{narrow, wide}
	case language == "en":
		return []int64{wide}
	}
	return []int64{narrow}
}

// combination is one width and theme of a page that stands there.
func (c *crawl) combination(v *visitor, s sight, width int64, theme string) {
	c.Helper()
	if light := theme == "light"; !everything() && (s.others || light != (c.language == "en")) {
		return
	}
	v.theme(theme)
	if !s.others {
		c.mu.Lock()
		c.axes++
		c.mu.Unlock()
		var rules []string
		if width == narrow && !everything() {
			rules = lookRules
		}
		for _, violation := range v.violations(rules...) {
			v.note(fmt.Sprintf("axe, %d px, %s: %s", width, theme, violation))
		}
	}
	sent := map[bool]string{true: "-sent"}[s.send != ""]
	path := strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", verifyToken, "open", resetToken, "open", changeToken, "open", senderToken, "open").Replace(strings.Trim(s.path, "/"))
	v.picture(filepath.Join("pages", fmt.Sprintf("%s%s-%d-%s-%d-%s", path, sent, s.who, c.language, width, theme)))
}

// entitle holds that no two pages have one title.
func (c *crawl) entitle(v *visitor, s sight) {
	if strings.Contains(s.route, ":token") || s.route == "refusal" {
		return // one page for many
	}
	title := ask(v, chromedp.Title())
	kind := c.language + " " + title
	path, _, _ := strings.Cut(s.path, "?")
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, taken := c.titles[kind]; taken && other != path {
		v.note(fmt.Sprintf("has the title %q, and so has %s", title, other))
	}
	c.titles[kind] = path
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
		email := map[int]string{http.StatusTooManyRequests: tooMany, http.StatusForbidden: "refused@example.com"}[s.status]
		send := fmt.Sprintf(`(() => {
			const form = document.querySelector(%q);
			for (const field of form.querySelectorAll("textarea, input:not([type=hidden], [type=radio], [type=checkbox], [type=file])"))
				field.value = {email: %q, password: %q}[field.type] ?? "";
			HTMLFormElement.prototype.submit.call(form);
		})()`, s.send, email, map[bool]string{true: "the password of Vera"}[s.status == http.StatusForbidden])
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
	for (const list of document.querySelectorAll(".table.stack"))
		if (innerWidth < 640 && list.scrollWidth > list.clientWidth) {
			const wide = [...list.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > list.getBoundingClientRect().right + 0.5);
			found.push("a list is cut off by " + wide.slice(-2).map(short).join(" and "));
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
