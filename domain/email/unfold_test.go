package email

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/domain/budgettest"
)

// unfolding are texts that would ask for gigabytes or minutes, and some that only look like it.
func unfolding() map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, 195_000/len(unit)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < 195_000; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	indented := strings.Builder{}
	for i := 0; indented.Len() < 190_000; i++ {
		indented.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	long := strings.Repeat("b", 20_000)
	return map[string]string{
		"a long reference":       "[a]: /" + long + "\n\n" + strings.Repeat("[a]", 58_000),
		"a long title":           "[a]: /b '" + long + "'\n\n" + strings.Repeat("[a]", 58_000),
		"a long picture":         "[a]: /" + long + "\n\n" + strings.Repeat("![a]", 43_000),
		"one reference a line":   "[a]: /" + long + "\n\n" + strings.Repeat("[a]\n\n", 3_000),
		"half a link":            fill("[a]("),
		"half an address":        fill("[a](<b"),
		"brackets":               strings.Repeat("[", 95_000) + strings.Repeat("]", 95_000),
		"links in links":         strings.Repeat("[", 40_000) + "a" + strings.Repeat("](b)", 38_000),
		"stars in stars":         strings.Repeat("*a ", 30_000) + strings.Repeat("a*", 40_000),
		"stars and underscores":  fill("*a_ "),
		"ticks":                  fill("`a"),
		"questions":              "a " + fill("<?"),
		"headings":               fill("# a\n"),
		"many references":        numbered("[a%d]: /b\n"),
		"a wide table":           "|" + strings.Repeat("a|", 300) + "\n|" + strings.Repeat("-|", 300) + "\n" + strings.Repeat("|a\n", 60_000),
		"a wider table":          "|" + strings.Repeat("a|", 30_000) + "\n|" + strings.Repeat("-|", 30_000) + "\n" + strings.Repeat("|a\n", 20_000),
		"lists in lists":         indented.String(),
		"quotes in quotes":       strings.Repeat(">", 190_000) + "a",
		"elements":               fill("<b>"),
		"elements in a block":    fill("<table>"),
		"blocks of elements":     fill("<x>\n\n"),
		"buttons":                fill("**[a](https://a.b)**\n\n"),
		"buttons, just so many":  strings.Repeat("**[a](https://a.b)**\n\n", 2_600),
		"placeholders":           fill("{{name}} "),
		"placeholders behind >":  fill("a>{{name}}"),
		"ampersands":             fill("&"),
		"one long word":          fill("a"),
		"a text":                 fill("Some words of a *text* with [a link](https://example.com/path).\n\n"),
		"attributes":             "<a " + fill("b=c "),
		"open elements":          strings.Repeat("<b><i><u><s><em><strong><small><code>", 3) + "\n\n" + fill("<p>a\n\n"),
		"open elements, inline":  "a " + strings.Repeat("<b><i><u><s><em><strong><small><code>", 3) + strings.Repeat("a\n\na ", 2_500),
		"open links":             strings.Repeat("<a href=\"/b\"><div>", 9_000),
		"tables in tables":       fill("<table><tr><td>"),
		"cells outside tables":   "<table>" + fill("<b>a"),
		"a reference, long used": "[a]: /" + strings.Repeat("b", 500) + "\n\n" + strings.Repeat("[a] and words\n\n", 500),
	}
}

// Whatever is typed, making an email of it or refusing it takes little.
func TestUnfolding(t *testing.T) {
	for name, body := range unfolding() {
		t.Run(name, func(t *testing.T) { frugal(t, body) })
	}
}

// frugal checks that an email is made of the text, or refused, within the budget of a text.
func frugal(t *testing.T, body string) {
	t.Helper()
	s := benchSource()
	s.Subject, s.Body = "x", body
	budgettest.Within(t, fmt.Sprintf("a text of %d bytes like %.30q", len(body), body), func() {
		_, err := Compile(s)
		if _, refused := errors.AsType[domain.ValidationErrors](err); err != nil && !refused {
			t.Errorf("not a refusal: %v", err)
		}
	})
}

// What people write is not refused.
func TestLargeTexts(t *testing.T) {
	row := "| [A client](https://example.com/clients/7) | 12.50 | **paid** | 2031-01-31 |\n"
	for name, body := range map[string]string{
		"a long newsletter": strings.Repeat("## News\n\nSome *words* of a [paragraph](https://example.com) that goes on, as they do.\n\n- one\n- two\n\n", 500),
		"a long text":       strings.Repeat(strings.Repeat("Some words of a *text*, as a book has them. ", 20)+"\n\n", 200),
		"a long list":       strings.Repeat("- [A link](https://example.com/a/path/to/something) and some words about it\n", 1_000),
		"a long table":      "| who | what | state | when |\n|---|--:|---|---|\n" + strings.Repeat(row, 250),
		"footnotes":         strings.Repeat("Words and [a source][1].\n\n", 100) + strings.Repeat("[1]: https://example.com/a/rather/long/address/of/a/source\n", 100),
		"a page of HTML":    strings.Repeat("<tr><td style=\"padding:0\"><a href=\"https://example.com\">words</a></td></tr>\n", 1_000),
	} {
		if _, err := Check("x", body); err != nil {
			t.Errorf("%s of %d bytes: %v", name, len(body), err)
		}
	}
}
