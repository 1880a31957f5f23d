package blog

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/domain/budgettest"
)

func TestMarkdownHTML(t *testing.T) {
	m := newMarkdown()
	for _, test := range []struct{ name, body, want string }{
		{"paragraphs", "One\n\n*Two* **three** ~~four~~ `five`", "<p>One</p>\n<p><em>Two</em> <strong>three</strong> <del>four</del> <code>five</code></p>\n"},
		{"headings below the title", "# One\n\n## Two", "<h2>One</h2>\n<h3>Two</h3>\n"},
		{"headings from any level on, none left out", "### One\n\n###### Two\n\n#### Two", "<h2>One</h2>\n<h3>Two</h3>\n<h3>Two</h3>\n"},
		{"lists", "- a\n- b\n\n3. c", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol start=\"3\">\n<li>c</li>\n</ol>\n"},
		{"code block", "```html\n<script>\n```", "<pre><code>&lt;script&gt;\n</code></pre>\n"},
		{"quotation", "> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"},
		{"table", "| a | b |\n|:--|--:|\n| 1 | 2 |", "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n"},
		{"links", "[a](https://example.com/?a=1&b=2 \"t\") [b](/blog) [c](mailto:a@example.com)", "<p><a href=\"https://example.com/?a=1&amp;b=2\" title=\"t\">a</a> <a href=\"/blog\">b</a> <a href=\"mailto:a@example.com\">c</a></p>\n"},
		{"bare address", "see https://example.com now", "<p>see <a href=\"https://example.com\">https://example.com</a> now</p>\n"},
		{"own picture", "![leaf](/media/0123456789abcdef0123456789abcdef-600.jpg)", "<p><img src=\"/media/0123456789abcdef0123456789abcdef-600.jpg\" alt=\"leaf\"></p>\n"},
		{"bare host", "[a](example.com) www.example.com https://пример.рф/я", "<p><a href=\"https://example.com\">a</a> <a href=\"https://www.example.com\">www.example.com</a> <a href=\"https://xn--e1afmkfd.xn--p1ai/%D1%8F\">https://пример.рф/я</a></p>\n"},
		{"signature", "a\n--\nb", "<p>a\n--\nb</p>\n"},
		{"script", "a<script>alert(1)</script>b", "<p>aalert(1)b</p>\n"},
		{"script block", "<script>alert(1)</script>", "\n"},
		{"event handler", "<b onmouseover=alert(1)>a</b>", "<p>a</p>\n"},
		{"javascript link", "[a](javascript:alert(1))", "<p>a</p>\n"},
		{"hidden javascript link", "[a](JaVa&#115;cript:alert(1)) [b](java\tscript:alert(1))", "<p>a [b](java\tscript:alert(1))</p>\n"},
		{"data link", "[a](data:text/html;base64,PHNjcmlwdD4=)", "<p>a</p>\n"},
		{"vbscript link", "[a](vbscript:msgbox)", "<p>a</p>\n"},
		{"attribute break-out", "[a](https://example.com/\"onclick=\"alert(1))", "<p><a href=\"https://example.com/%22onclick=%22alert(1)\">a</a></p>\n"},
		{"picture of another site", "![spy](https://evil.example/pixel.png)", "<p>spy</p>\n"},
		{"picture above the folder", "![up](/media/../admin.jpg)", "<p>up</p>\n"},
		{"frame and style", "<iframe src=//evil.example></iframe>\n\n<style>*{display:none}</style>", "\n\n"},
		{"form", "<form action=//evil.example><input name=password></form>", "\n"},
		{"svg", "<svg onload=alert(1)>", "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				if got := m.article(test.body); string(got) != test.want {
					t.Errorf("%q\nwant %q", got, test.want)
				}
			}
		})
	}
}

func TestMarkdownCheckLinks(t *testing.T) {
	m := newMarkdown()
	for body, want := range map[string]string{
		"[a](example.com) [b](/blog) [c](#top) ![d](/media/0123456789abcdef0123456789abcdef-600.jpg) a@example.com": "",
		"[a](page.html#)":                     "",
		"[a](page)":                           "body: blog.link_dead",
		"[a](javascript:x)":                   "body: blog.link_dead",
		"![a](https://example.com/a.png)":     "body: blog.picture_foreign",
		"![a](data:image/png;base64,aaaa)":    "body: blog.picture_foreign",
		strings.Repeat("> ", 60) + "too deep": "body: messages.body_too_nested",
	} {
		got := ""
		if err := m.checkLinks(body); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestMarkdownLead(t *testing.T) {
	m := newMarkdown()
	for _, test := range []struct{ name, body, want string }{
		{"running text only", "# Title\n\nOne *two*\n[three](https://example.com).\n\n```\ncode\n```\n\n- four\n- five", "One two three. four five"},
		{"no tables", "One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nTwo", "One Two"},
		{"a picture first", "![leaf](/media/a.jpg)\n\nText", "Text"},
		{"markup stays text", "a &lt;b&gt; \\*d\\* <b>c</b>", "a <b> *d* c"},
		{"cut after a word", strings.Repeat("слово, ", 40), strings.TrimSuffix(strings.Repeat("слово, ", 25), ", ") + "…"},
		{"one long word", strings.Repeat("w", 300), strings.Repeat("w", 180) + "…"},
		{"nothing", "", ""},
	} {
		if got := m.lead(test.body); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	m := newMarkdown()
	f.Add("[a](javascript:alert(1)) <script>x</script>")
	f.Add("<img src=x onerror=alert(1)>")
	f.Fuzz(func(t *testing.T, body string) {
		html := m.html(body)
		lower := strings.ToLower(html)
		for _, bad := range []string{"<script", "<iframe", "<svg", " onerror=\"", "href=\"javascript:"} {
			if strings.Contains(lower, bad) {
				t.Errorf("%q gives %q", body, html)
			}
		}
		m.words(body)
	})
}

// FuzzArticle looks for a post that unfolds, made of one part again and again.
func FuzzArticle(f *testing.F) {
	for _, part := range []string{"[a](", "*a_ ", "> - a\n", "|a|b|\n|-|-|\n", "<a b=", "`a", "\t- a\n", "[a]: /b\n", "<b><i><u>", "<p>a\n\n", "# a\n", "#\n\n",
		"www.a.b ", "a@b.c ", "![a](/media/0.jpg)", "|", "&amp;", "a  \n", "~~a", "<!--", "[a]", "1. a\n"} {
		f.Add("", part, "", uint32(200_000))
		f.Add("[a]: /b\n\n| a |\n|--|\n", part, "*_`])>", uint32(200_000))
	}
	m := newMarkdown()
	f.Fuzz(func(t *testing.T, before, part, after string, size uint32) {
		room := min(int(size), 200_000) - len(before) - len(after)
		if part == "" || room <= 0 {
			return
		}
		body := before + strings.Repeat(part, room/len(part)) + after
		budgettest.Within(t, fmt.Sprintf("an article like %.30q", body), func() { m.html(body) })
		budgettest.Within(t, fmt.Sprintf("the first words of %.30q", body), func() { m.words(body) })
	})
}

func BenchmarkMarkdown(b *testing.B) {
	m := newMarkdown()
	body := strings.Repeat("## A heading\n\nSome *words* of a [paragraph](https://example.com) that goes on for a while, as they do.\n\n- one\n- two\n\n", 25)
	b.SetBytes(int64(len(body)))
	b.Run("html", func(b *testing.B) {
		for b.Loop() {
			m.html(body)
		}
	})
	b.Run("lead", func(b *testing.B) {
		for b.Loop() {
			m.words(body[:600])
		}
	})
}
