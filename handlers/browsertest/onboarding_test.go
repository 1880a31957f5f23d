package browsertest

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"skychimp/handlers/programtest"
)

// The way from registration to the button that launches the first mailing, which stands under its review, is never
// longer than this.
const maxScreens, maxClicks = 6, 8

// A newcomer counts screens and clicks. Newcomers click into each
// field that the page has not put the cursor into, or press keys only.
type newcomer struct {
	*visitor
	keys            bool
	suite           *suite      // has the mailbox
	acted           atomic.Bool // since the last page
	previewed       atomic.Bool
	screens, clicks int
	seen            []string
}

// startFlow is done by mouse, without JavaScript, and by keyboard alone.
func startFlow(s *suite) {
	for _, way := range []struct {
		name            string
		scripts, keys   bool
		email, language string
	}{
		{"by mouse", true, false, "mia@example.com", "en"},
		{"without JavaScript", false, false, "nia@example.com", "ru"},
		{"by keyboard", true, true, "pia@example.com", "en"},
	} {
		n := &newcomer{visitor: s.visit(way.language), keys: way.keys, suite: s}
		n.check(chromedp.Listen(n.ctx, n.count))
		if !way.scripts {
			n.withoutScripts()
		}
		n.launchFirst(way.email, strings.ReplaceAll(way.name, " ", ""))
		s.Logf("registration to the first launched mailing, %s: %d screens, %d clicks (%s)",
			way.name, n.screens, n.clicks, strings.Join(n.seen, ", "))
		if n.screens > maxScreens || n.clicks > maxClicks {
			s.Errorf("%s: more than %d screens or %d clicks", way.name, maxScreens, maxClicks)
		}
		if way.scripts {
			n.startHome()
		}
	}
}

// launchFirst registers, adds clients, changes the example a little and sends it.
func (n *newcomer) launchFirst(email, client string) {
	n.t.Helper()
	n.acted.Store(true)
	n.open("/register")
	n.write("name", "Mia "+client)
	n.write("email", email)
	n.press("main form [type=submit]")

	link := n.suite.link(email, "", "/verify/")
	n.clicks++ // on the link in the email
	n.acted.Store(true)
	n.look(link)
	n.audit()
	n.write("password", programtest.Password)
	n.press("main form [type=submit]")
	n.write("addresses", "Eve Adams <eve@"+client+".example>\nmax@"+client+".example; Max; met in Riga")
	n.press("main form [type=submit]")
	n.see("#review")
	n.auditAs("start-email")
	n.write("subject", "Good news for {{name}}")
	for begun := time.Now(); n.axe != "" && !n.previewed.Load(); {
		if time.Since(begun) > programtest.Timeout {
			n.check(errors.New("the preview does not follow"))
		}
		n.settle()
	}
	n.press("#review")
	n.auditAs("start-review")
	n.press("main form[action$='/launch'] [type=submit]")
	n.screens-- // the page of the mailing that was launched
	n.reads("#progress .count-accepted", "2")
	n.reads("#progress .log", "eve@"+client+".example")
	n.suite.email("eve@"+client+".example", "Good news for Eve Adams")
}

// startHome: who has launched a mailing is at home.
func (n *newcomer) startHome() {
	n.t.Helper()
	n.open("/start")
	n.reads("main", "2 of 2 sent")
	n.auditAs("start-home")
}

// count notes every page that the browser loads into its window, and that the preview did. Where
// nothing was done before, a page without JavaScript has asked for itself again.
func (n *newcomer) count(event any) {
	if asked, ok := event.(*network.EventRequestWillBeSent); ok && strings.HasSuffix(asked.Request.URL, "/start/preview") {
		n.previewed.Store(true)
	}
	if shown, ok := event.(*page.EventFrameNavigated); ok && shown.Frame.ParentID == "" && n.acted.Swap(false) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.screens++
		n.seen = append(n.seen, changing.ReplaceAllString(strings.TrimPrefix(shown.Frame.URL, n.site), "…"))
	}
}

// write types over what stands in a field.
func (n *newcomer) write(name, value string) {
	n.t.Helper()
	selector := "main [name='" + name + "']"
	n.see(selector)
	if !n.has(selector) {
		n.reach(selector)
	}
	n.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`), insert(value))
}

// press uses a button that leads to another page.
func (n *newcomer) press(selector string) {
	n.t.Helper()
	n.settle()
	n.acted.Store(true)
	if !n.keys {
		n.clicks++
		n.visitor.follow(selector)
		return
	}
	n.reach(selector)
	ask(n.visitor, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.KeyEvent(kb.Enter)))
	n.audit()
}

// reach comes to an element: by a click, or by the Tab key.
func (n *newcomer) reach(selector string) {
	n.t.Helper()
	if !n.keys {
		n.clicks++
		n.do(chromedp.Click(chromedp.CSS(selector)))
		return
	}
	n.tabTo(selector)
}
