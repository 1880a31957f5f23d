package email

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"skychimp/domain"
)

func TestMarkdown(t *testing.T) {
	tests := []struct{ name, body, html, text string }{
		{"paragraphs", "One\ntwo\n\nthree", ">One<br/>\ntwo</p>", "One\ntwo\n\nthree"},
		{"heading", "# Big\n\ntext", ">Big</h1>", "Big\n\ntext"},
		{"emphasis", "**a** *b* ~~c~~ `d`", "<strong>a</strong> <em>b</em> <del>c</del> <code", "a b c d"},
		{"entities", `&lt;b&gt; \*x\* &amp;amp;`, "&lt;b&gt; *x* &amp;amp;", "<b> *x* &amp;"},
		{"list", "- a\n- b\n  1. c\n  2. d", "<ol", "- a\n- b\n  1. c\n  2. d"},
		{"loose list", "3. a\n\n   b\n4. c", `start="3"`, "3. a\n\n   b\n4. c"},
		{"quote", "> a\n> b\n>\n> c", "<blockquote", "> a\n> b\n>\n> c"},
		{"table", "|a|b|\n|-|-:|\n|1|**2**|", `align="right"`, "a | b\n1 | 2"},
		{"code", "```go\nif  a < b {\n}\n```", "if  a &lt; b {", "    if  a < b {\n    }"},
		{"rule", "a\n\n---\n\nb", `<table class="divider" role="presentation"`, "a\n\n* * *\n\nb"},
		{"autolink", "see https://example.com/x, a@example.com", `<a href="https://example.com/x"`, "see https://example.com/x, a@example.com"},
		{"picture", "![bread](https://example.com/a.png)", `<img src="https://example.com/a.png" alt="bread"`, "bread"},
		{"button", "**[Buy *now*, {{name}}](https://example.com/?e={{email}})**",
			`<a href="https://example.com/?e=anna.petrova%40example.net" style="display:inline-block;`,
			"Buy now, Анна Петрова:\nhttps://example.com/?e=anna.petrova%40example.net"},
		{"button in a list", "1. a\n\n   __[b](https://example.com)__", `<table class="button" role="presentation"`, "1. a\n\n   b:\n   https://example.com"},
		{"words beside a link", "**[a](https://example.com)** b", "<strong><a href", "a <https://example.com> b"},
		{"picture in bold", "**[![a](https://example.com/a.png)](https://example.com)**", "<p style=\"margin:0 0 16px\"><strong><a href", "a <https://example.com>"},
		{"button of an author", `<table class="button" role="presentation"><tr><td><a class="x" href="https://example.com">a</a></table>`, `<table class="button" role="presentation"`, "a <https://example.com>"},
		{"bare host", "[x](www.example.com) [example.com](example.com)", `<a href="https://www.example.com"`, "x <https://www.example.com> https://example.com"},
		{"button to a bare host", "**[Order](example.com/tulips)**", `<a href="https://example.com/tulips" style="display:inline-block;`, "Order:\nhttps://example.com/tulips"},
		{"host beyond ASCII", "«x» https://пример.рф/, y", `<a href="https://xn--e1afmkfd.xn--p1ai/" style="color:#0b57b7">https://пример.рф/</a>, y`, "«x» https://пример.рф/, y"},
		{"path beyond ASCII", "(https://ru.wikipedia.org/wiki/Тест)", `<a href="https://ru.wikipedia.org/wiki/%D0%A2%D0%B5%D1%81%D1%82" style="color:#0b57b7">https://ru.wikipedia.org/wiki/Тест</a>)`, "(https://ru.wikipedia.org/wiki/Тест)"},
		{"mailbox", "[a](anna@example.com)", `<a href="mailto:anna@example.com"`, "a <mailto:anna@example.com>"},
		{"HTML link to a bare host", "<a href='example.com'>a</a>", `<a href="https://example.com"`, "a <https://example.com>"},
		{"plain link of its own", "[a](https://example.com)", `<p style="margin:0 0 16px"><a href="https://example.com"`, "a <https://example.com>"},
		{"signature", "Yours,\n--\nAnna\n\nBig\n---", ">Yours,<br/>\n--<br/>\nAnna</p>", "Yours,\n--\nAnna\n\nBig"},
		{"HTML picture", "<img alt='Logo' src='https://example.com/l.png'>\n\n<a href=\"https://example.com\"><img alt=\"Shop\" src=\"https://example.com/s.png\"></a>", `<img alt="Logo"`, "Logo\n\nShop <https://example.com>"},
		{"HTML block", "<div>a <b>b</b></div>\n\nc", "a <b>b</b>", "a b\n\nc"},
		{"script", "a <script>alert(1)</script> b", "a  b", "a b"},
		{"event", `<p onclick="x()" style="color:red" class="y">a</p>`, `<p style="margin:0 0 16px">a</p>`, "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := benchSource()
			s.Subject, s.Body = "x", test.body
			p := parse(t, write(t, compile(t, s), benchRecipient()))
			if !strings.Contains(p.content, test.html) {
				t.Errorf("no %s in %s", test.html, p.content)
			}
			if text, _, _ := strings.Cut(p.text, "\n\n-- \n"); text != test.text {
				t.Errorf("text %q, want %q", text, test.text)
			}
			checkHTML(t, p.content)
		})
	}
}

func TestDeadLinks(t *testing.T) {
	for body, want := range map[string]string{
		"[a](example.com) ![b](example.com/b.png) **[c](https://example.com/?e={{email}})** <d@example.com> [e](tel:+7999)": "",
		"[a]()":               "body: messages.link_dead ",
		"a **[b](/price)**":   "body: messages.link_dead /price",
		"[a]({{comment}})":    "body: messages.link_dead {{comment}}",
		"[a](javascript:x)":   "body: messages.link_dead javascript:x",
		"<a href=price>a</a>": "body: messages.link_dead price",
		"<ftp://a.example>":   "body: messages.link_dead ftp://a.example",
		"![a](/media/a.png)":  "body: messages.picture_dead /media/a.png",
		"![a](a@example.com)": "body: messages.picture_dead mailto:a@example.com",
		"<img src=data:x>":    "body: messages.picture_data <nil>",
	} {
		got := ""
		_, err := Check("x", body)
		if p, ok := errors.AsType[domain.ValidationErrors](err); ok {
			got = fmt.Sprint(p[0], " ", p[0].Args["Address"])
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestPreheader(t *testing.T) {
	const long = "Every word of this first paragraph is read beside the subject until the mailbox has no more room for it"
	tests := []struct{ name, body, want string }{
		{"greeting", "# All about the very new things of November\n\nHello, {{name}}!\n\nThe *new* menu\nis [here](https://example.com) & waits for you\n\nmore",
			"The new menu is here &amp; waits for you"},
		{"long", long, "Every word of this first paragraph is read beside the subject until the mailbox has no…"},
		{"placeholder", "Dear {{name}}, your table is waiting for you.", "Dear Анна Петрова, your table is waiting for you."},
		{"short", "Hello\n\n- and one item of a list is no paragraph\n\n**[Nor is a button with many words](https://example.com)**", ""},
		{"one word", strings.Repeat("x", 200), strings.Repeat("x", 200)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := benchSource()
			s.Body = test.body
			_, rest, found := strings.Cut(compile(t, s).HTML(benchRecipient()), "mso-hide:all\">")
			got, _, _ := strings.Cut(rest, "</div>")
			got = strings.TrimRight(strings.ReplaceAll(got, "&zwnj;&nbsp;", " "), " ")
			if got != test.want || found != (test.want != "") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestShown(t *testing.T) {
	page := compile(t, benchSource()).HTML(benchRecipient())
	for scheme, want := range map[string]string{"light": "@media not all{", "dark": "@media all{"} {
		if shown := Shown(page, scheme); !strings.Contains(shown, want) || !strings.Contains(shown, "color-scheme:"+scheme+"}") {
			t.Errorf("%s: %s", scheme, shown)
		}
	}
	if under := Under("<b>Subject</b>", page); strings.Count(under, `<b>Subject</b><div class="page"`) != 1 {
		t.Error(under)
	}
}

func TestHostileMarkup(t *testing.T) {
	for _, body := range []string{
		"[a](javascript:alert(1))", "<a href='  jAvascript:alert(1)'>a</a>", "[a](data:text/html,x)", "[a](//example.com)", "[a](/path)",
		"<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<style>p{}</style>", "<iframe src=https://example.com></iframe>",
		"<form action=https://example.com><input name=password></form>", "<meta http-equiv=refresh content=0>", "<base href=https://example.com>",
		"<a href=\"https://a.bc/&quot; onclick=&quot;x\">a</a>", "[a]({{comment}})", "<!-- x --><![CDATA[x]]><?php x ?>", "<p style='position:fixed'>x",
		"</td></tr></table></td></tr></table></body></html> after", "<table><tr><td>", "</p></div>", "<b><i><u>open",
	} {
		s := benchSource()
		s.Subject, s.Body = "x", body
		l := compile(t, s)
		r := benchRecipient()
		r.Comment = "javascript:alert(1)"
		checkHTML(t, l.HTML(r))
	}
}

// checkHTML wants nothing in an email that runs or loads, and the frame around the content whole.
func checkHTML(t testing.TB, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	const elements = " html head meta title style body table tbody thead tr th td p br hr h1 h2 h3 h4 h5 h6 strong b em i u s del sub sup " +
		"small div center code pre blockquote ul ol li a img "
	const attributes = " lang dir xmlns:o bgcolor charset name content role width cellpadding cellspacing border class align style href src alt title height start "
	inNote := false
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if !strings.Contains(elements, " "+n.Data+" ") {
			t.Errorf("element %s in %s", n.Data, page)
		}
		for _, a := range n.Attr {
			if !strings.Contains(attributes, " "+a.Key+" ") {
				t.Errorf("attribute %s in %s", a.Key, page)
			}
			if (a.Key == "href" || a.Key == "src") && !regexp.MustCompile(`^(https?:|mailto:|tel:)`).MatchString(a.Val) {
				t.Errorf("address %q in %s", a.Val, page)
			}
			if a.Key == "class" && a.Val == "note" {
				inNote = depth(n) == noteDepth
			}
		}
	}
	if !inNote {
		t.Errorf("the footer is not where the frame puts it: %s", page)
	}
}

// noteDepth is how many elements the frame has around its footer.
const noteDepth = 10

func depth(n *html.Node) (d int) {
	for range n.Ancestors() {
		d++
	}
	return d - 1
}

func TestFiller(t *testing.T) {
	for text, want := range map[string]int{"": 100, "Привет": 94, strings.Repeat("x", 150): 0} {
		if got := strings.Count(string(filler(text)), "&nbsp;"); got != want {
			t.Errorf("%d spaces behind %q, want %d", got, text, want)
		}
	}
}
