package htmlemail

import (
	"strings"
	"testing"
	"unicode/utf8"

	"skychimp/domain/budgettest"
)

const newsletter = `<!DOCTYPE html><html><head><title> Spring
 sale </title><style>
@media (max-width:600px){ .col{display:block} }
.head { background-color: #c81e5a; color: #fff } td { padding: 12px }
.foot { background: #20103A url(https://shop.test/b.png) no-repeat; color: #fff }
a.buy{color:#ffffff;background-color:#1a7f37}
</style><script>alert(1)</script></head>
<body bgcolor="#fff4e6"><!-- hidden --><!--[if mso]><b>x</b><![endif]-->
<table width="600" bgcolor="#ffffff"><tr><td class="head">Hello {{name}}</td></tr>

<tr><td onclick="x()"><img src="https://shop.test/a.png" width="580" alt="Tulips"><img src="cid:1"><b class="foot">Bye</b><i style="background:rgb(1, 2, 3)">x</i><a class="buy" href="https://shop.test/buy">Buy</a>
<a href="javascript:alert(1)">no</a></td></tr></table></body></html>`

func TestTake(t *testing.T) {
	got, err := Take(newsletter)
	if err != nil || got.Subject != "Spring sale" || got.Dropped != 1 {
		t.Fatal(got, err)
	}
	for _, want := range []string{`<div class="html" style="background-color:#fff4e6;">`, "background-color:#c81e5a", "background-color:#20103A", "background-color:rgb(1, 2, 3)", "color:#fff", "padding:12px", "Hello {{name}}", `href="https://shop.test/buy"`, "https://shop.test/a.png"} {
		if !strings.Contains(strings.ReplaceAll(got.Body, ": ", ":"), want) {
			t.Errorf("no %s in\n%s", want, got.Body)
		}
	}
	for _, gone := range []string{"script", "alert", "mso", "hidden", "cid:", "@media", "\n\n", "<style", "b.png"} {
		if strings.Contains(got.Body, gone) {
			t.Errorf("%s in\n%s", gone, got.Body)
		}
	}
	for _, wrong := range []string{"", "  ", "just words", "<html><body> </body></html>", strings.Repeat("<b>x", 1000), strings.Repeat("<br>", 5000), "<p>" + strings.Repeat("x", MaxBytes)} {
		if got, err := Take(wrong); err == nil {
			t.Errorf("%.30q became %.60q", wrong, got.Body)
		}
	}
}

// Whatever somebody pastes takes little time and memory.
func TestTakeWithinBudget(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, 195_000/len(unit)) }
	for name, source := range map[string]string{
		"rules": "<style>" + fill("a b c d{color:red}") + "</style><p>x</p>", "rules and elements": "<style>" + strings.Repeat("p a,b,c,d,e,f,g{color:red}", 200) + "</style>" + strings.Repeat("<p>x</p>", 190),
		"open": fill("<table>"), "comments": fill("<!--"), "at": "<style>" + fill("@a{"), "at signs": "<style>" + fill("@") + "</style><p>x", "styles": fill("<style>"),
		"long style": "<p style=\"" + fill("color:red;") + "\">x</p>", "selectors": "<style>" + fill("a,") + "b{color:red}</style><p>x</p>", "attributes": "<p " + fill("a=b ") + ">x</p>",
		"not": "<style>" + fill(":not(a)") + "{color:red}</style><p>x</p>", "deep": fill("<div>"), "text": "<p>" + fill("& "),
	} {
		budgettest.Within(t, name, func() { _, _ = Take(source) })
	}
}

// FuzzTake takes emails over that are made of one part again and again.
func FuzzTake(f *testing.F) {
	for _, part := range []string{"<table><tr><td style=\"color:red\">a</td></tr></table>", "<style>a,b{color:red}", "@media x{", "<!--", "-->", "<!--[if mso]>x<![endif]-->", "<img src=\"cid:a\">", "<svg>", "<p a=\"", "&amp;", "</div>", "{{#if a}}"} {
		f.Add("<html><body>", part, "</body>", uint16(1000))
	}
	f.Fuzz(func(t *testing.T, before, part, after string, times uint16) {
		room := max(0, 200_000-len(before)-len(after))
		source := before + strings.Repeat(part, min(int(times), room/max(1, len(part)))) + after
		budgettest.Within(t, "an email", func() { _, _ = Take(source) })
		taken, err := Take(source)
		if err == nil && (strings.TrimSpace(taken.Body) == "" || !utf8.ValidString(taken.Body) && utf8.ValidString(source)) {
			t.Errorf("%q became %q", source, taken.Body)
		}
	})
}
