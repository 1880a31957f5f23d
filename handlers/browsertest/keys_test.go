package browsertest

import (
	"fmt"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"skychimp/handlers/programtest"
)

// goByKeys follows a link to another page.
func (v *visitor) goByKeys(selector string) {
	v.t.Helper()
	v.tabTo(selector)
	v.enter()
}

// enter presses the key where it leads to another page.
func (v *visitor) enter() {
	v.t.Helper()
	ask(v, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.KeyEvent(kb.Enter)))
}

// hit comes to an element by the Tab key, and presses another one there.
func (v *visitor) hit(selector, key string) {
	v.t.Helper()
	v.see(selector)
	v.tabTo(selector)
	v.keys(key)
}

func (v *visitor) keys(keys ...string) {
	v.t.Helper()
	for _, one := range keys {
		v.settle()
		v.do(chromedp.KeyEvent(one))
	}
}

// tabTo presses the Tab key until the element has the focus: backwards where it stands before.
func (v *visitor) tabTo(selector string) {
	v.t.Helper()
	v.settle()
	before := fmt.Sprintf(`(document.activeElement.compareDocumentPosition(document.querySelector(%q)) & Node.DOCUMENT_POSITION_PRECEDING) > 0`, selector)
	key := chromedp.KeyEvent(kb.Tab)
	if ask(v, chromedp.Evaluate[bool](before)) {
		key = chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	for range 200 {
		if v.has(selector) {
			return
		}
		v.do(key)
	}
	v.check(fmt.Errorf("no Tab leads to %s", selector))
}

// on waits until the focus is on such an element.
func (v *visitor) on(selector string) {
	v.t.Helper()
	for begun := time.Now(); !ask(v, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement.matches(%q)`, selector))); time.Sleep(programtest.Poll) {
		if time.Since(begun) > programtest.Timeout {
			v.check(fmt.Errorf("the focus is not on %s but on %s", selector, ask(v, chromedp.Evaluate[string](`document.activeElement.outerHTML.slice(0, 300)`))))
		}
	}
}

// has tells whether the first such element has the focus.
func (v *visitor) has(selector string) bool {
	v.t.Helper()
	return ask(v, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, selector)))
}
