package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"skychimp/handlers/programtest"
)

// A visitor is a person at a browser. Every page they come to is checked: no
// error in the console, nothing that the content security policy blocks, no part that fails
// to load, and nothing that axe finds, in light and in dark.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	site     string
	axe      string // empty: axe looks at nothing
	plain    bool   // without JavaScript
	width    int64  // of the window, where a test has changed it
	mu       sync.Mutex
	problems []string
	expects  int64 // the status of 500 or more that is right this time
}

// audited are the pages that axe has seen; each is looked at once, not on every visit.
var audited sync.Map

// visit opens a browser of its own. Language is what it asks for.
func visit(t *testing.T, site, language string) *visitor {
	t.Helper()
	return newVisitor(newBrowser(t, language), t, site)
}

// sparing keeps the browser from starting a new process for each page, which took a third of the time.
const sparing = "SpareRendererForSitePerProcess,ProactivelySwapBrowsingInstance,BackForwardCache,RenderDocument,Translate"

// newBrowser is a browser that starts when it is first used, and ends with the test.
func newBrowser(t *testing.T, language string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.DisableGPU, chromedp.WindowSize(1280, 900), chromedp.Flag("lang", language),
		chromedp.Flag("accept-lang", language), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-features", sparing), chromedp.UserDataDir(t.TempDir()))
	// The same browser without its windows takes half the CPU.
	if shell, err := exec.LookPath("chromium-headless-shell"); err == nil {
		options = append(options, chromedp.ExecPath(shell))
	}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() { closeTab(); closeAllocator() })
	return ctx
}

// newVisitor takes a tab.
func newVisitor(ctx context.Context, t *testing.T, site string) *visitor {
	t.Helper()
	axe, err := os.ReadFile("../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal("run `npm ci`: ", err)
	}
	v := &visitor{t: t, ctx: ctx, site: site, axe: string(axe)}
	v.check(chromedp.Listen(ctx, v.watch))
	v.theme("light")
	t.Cleanup(v.report)
	return v
}

// watch notes what must not happen on any page.
func (v *visitor) watch(event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		v.note("exception: " + event.ExceptionDetails.Text + " " + fmt.Sprint(event.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError {
			args, _ := json.Marshal(event.Args)
			v.note("console.error: " + string(args))
		}
	case *log.EventEntryAdded:
		// The browser also logs each answer of 400 and more, which tests ask for on purpose.
		if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork {
			v.note(fmt.Sprintf("console: %s: %s (%s)", event.Entry.Source, event.Entry.Text, event.Entry.URL))
		}
	case *page.EventJavascriptDialogOpening: // "Delete this?": yes
		go func() {
			_, _ = chromedp.Call(v.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *network.EventResponseReceived:
		status := event.Response.Status
		if status >= 500 && status != v.mayAnswer() || status >= 400 && event.Type != network.ResourceTypeDocument && event.Type != network.ResourceTypeXHR {
			v.note(fmt.Sprintf("%s answers %d", event.Response.URL, status))
		}
	}
}

func (v *visitor) mayAnswer() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.expects
}

func (v *visitor) note(problem string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problems = append(v.problems, problem)
}

// report fails the test for what was noted, and shows where the visitor was when it failed.
func (v *visitor) report() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, problem := range v.problems {
		v.t.Error(problem)
	}
}

func (v *visitor) check(err error) {
	v.t.Helper()
	if err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx, programtest.Timeout/10)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	v.t.Fatalf("%v\nat %s:\n%s", err, where, text)
}

// do takes steps in the browser, each of which must work within a while.
func (v *visitor) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, programtest.Timeout)
	defer cancel()
	v.check(chromedp.Do(ctx, steps...))
}

func ask[T any](v *visitor, question chromedp.Action[T]) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, programtest.Timeout)
	defer cancel()
	answer, err := chromedp.Run(ctx, question)
	v.check(err)
	return answer
}

// open goes to a page of the site.
func (v *visitor) open(path string) {
	v.t.Helper()
	v.look(path)
	v.audit()
}

// look goes to what is no page of ours to audit, such as an email.
func (v *visitor) look(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.site + path))
}

// follow clicks what leads to another page and waits for it.
func (v *visitor) follow(selector string) {
	v.t.Helper()
	v.settle()
	ask(v, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector))))
	v.audit()
}

// click clicks what changes the page in place.
func (v *visitor) click(selector string) {
	v.t.Helper()
	v.see(selector)
	v.settle()
	v.do(chromedp.Click(chromedp.CSS(selector)))
}

// settle waits until htmx has made what it swapped in work in place, and all has its last colour;
// before that, links and buttons lead to other pages, as they do without JavaScript.
func (v *visitor) settle() {
	v.t.Helper()
	const busy = `document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added") !== null ||
		document.getAnimations().some(one => one.playState === "running")`
	v.until("the page has settled", chromedp.Evaluate[bool]("!("+busy+")"))
}

// until asks the page again and again, because one without JavaScript reports no changes.
func (v *visitor) until(what string, question chromedp.Action[bool]) {
	v.t.Helper()
	for begun := time.Now(); !ask(v, question); time.Sleep(programtest.Poll) {
		if time.Since(begun) > programtest.Timeout {
			v.check(fmt.Errorf("waited in vain until %s", what))
		}
	}
}

// fill puts a value into the field of that name as typing does, over what stands there.
func (v *visitor) fill(name, value string) {
	v.t.Helper()
	v.do(chromedp.Focus(field(name)), chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`))
	if value == "" {
		v.do(chromedp.KeyEvent(kb.Backspace))
		return
	}
	v.do(insert(value))
}

// insert is quicker than one key after the other.
func insert(text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return chromedp.Void{}, err
	}
}

// set gives a field that has no keys to type, such as a date, its value.
func (v *visitor) set(name, value string) {
	v.t.Helper()
	v.do(chromedp.SetValue(field(name), value))
}

func field(name string) chromedp.CSS { return chromedp.CSS("main [name='" + name + "']") }

// see waits until the element is visible.
func (v *visitor) see(selector string) {
	v.t.Helper()
	v.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// gone waits until there is no such element.
func (v *visitor) gone(selector string) {
	v.t.Helper()
	v.do(chromedp.WaitNotPresent(chromedp.CSS(selector)))
}

func (v *visitor) text(selector string) string {
	v.t.Helper()
	return strings.TrimSpace(ask(v, chromedp.Text(chromedp.CSS(selector))))
}

// reads waits until an element that the selector finds contains the words.
func (v *visitor) reads(selector, words string) {
	v.t.Helper()
	question := fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.toLowerCase().includes(%q))`,
		selector, strings.ToLower(words))
	v.until(fmt.Sprintf("%s reads %q", selector, words), chromedp.Evaluate[bool](question))
}

func (v *visitor) at() string {
	v.t.Helper()
	return strings.TrimPrefix(ask(v, chromedp.Location()), v.site)
}

// withoutScripts makes all further pages work without JavaScript, as some visitors' do.
func (v *visitor) withoutScripts() {
	v.t.Helper()
	v.axe, v.plain = "", true
	v.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

func (v *visitor) signIn(email string) { v.t.Helper(); v.signInWith(email, programtest.Password) }

func (v *visitor) signInWith(email, password string) {
	v.t.Helper()
	v.open("/login")
	v.fill("email", email)
	v.fill("password", password)
	v.follow("main form [type=submit]")
	v.see("a[href='/account']")
}

func colours(scheme string) emulation.SetEmulatedMediaParams {
	return emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
}
