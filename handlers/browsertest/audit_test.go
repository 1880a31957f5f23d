package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// changing are the parts of an address and a title that differ between pages of one kind.
var changing = regexp.MustCompile(`\d+|[A-Za-z0-9_-]{20,}|\?.*`)

// audit lets axe look at the page, once for each kind of page and state of its form, and
// takes a picture of it into the folder SCREENSHOTS, when that is set.
func (v *visitor) audit() {
	v.t.Helper()
	if v.axe == "" {
		return
	}
	kind := ask(v, chromedp.Evaluate[string](
		`document.documentElement.lang + location.pathname + (document.querySelector("[aria-invalid=true]") ? "-invalid" : "")`))
	v.auditAs(strings.Trim(changing.ReplaceAllString(strings.ReplaceAll(kind, "/", "-"), "x"), "-"))
}

func (v *visitor) auditAs(kind string) {
	v.t.Helper()
	if _, before := audited.LoadOrStore(kind, true); before || v.axe == "" {
		return
	}
	for _, look := range []struct {
		scheme string
		rules  []string
	}{{"dark", []string{"color-contrast"}}, {"light", nil}} { // a theme changes colours alone
		v.theme(look.scheme)
		for _, violation := range v.violations(look.rules...) {
			v.note(fmt.Sprintf("axe, %s, %s: %s", kind, look.scheme, violation))
		}
		v.picture(kind + "-" + look.scheme)
	}
}

// violations are what axe finds on the page as it stands, by all its rules or by some.
func (v *visitor) violations(rules ...string) []string {
	v.t.Helper()
	v.settle()
	if !ask(v, chromedp.Evaluate[bool](`"axe" in window`)) {
		v.do(chromedp.Evaluate[chromedp.Void](v.axe))
	}
	options := map[string]any{"preload": false, "resultTypes": []string{"violations"}}
	if len(rules) > 0 {
		options["runOnly"] = map[string]any{"type": "rule", "values": rules}
	}
	encoded, _ := json.Marshal(options)
	return ask(v, chromedp.Evaluate[[]string](thinned+`(() => axe.run(`+string(encoded)+`)).then(found =>
		found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ": " + node.html + "\n\t" + node.failureSummary)))`,
		chromedp.EvalAwaitPromise))
}

func (v *visitor) theme(scheme string) {
	v.t.Helper()
	v.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, colours(scheme))
		return chromedp.Void{}, err
	})
}

func (v *visitor) picture(name string) {
	v.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	image := ask(v, chromedp.FullScreenshot(100))
	file := filepath.Join(folder, name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(file, image, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// thinned does something while only one is there of the rows and items that differ in words and numbers alone:
// axe says the same of all of them, and looks for as long at each.
const thinned = `(async what => {
	const words = / (href|id|for|name|value|title|datetime|src|alt|action|hx-[a-z-]+|aria-(?:label|labelledby|describedby|controls)|popovertarget)="[^"]+"/g;
	const away = [];
	for (const list of document.querySelectorAll("main tbody, main ul, main ol, main select")) {
		const kinds = new Set();
		for (const one of [...list.children]) {
			const kind = one.outerHTML.replace(/>[^<]*[^<\s][^<]*/g, ">x").replace(words, " $1");
			if (kinds.has(kind)) {
				away.push([list, one, one.nextSibling]);
				one.remove();
			}
			kinds.add(kind);
		}
	}
	try {
		return await what();
	} finally {
		for (const [list, one, next] of away.reverse()) list.insertBefore(one, next);
	}
})`
