package email

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"skychimp/domain"
)

func TestCheck(t *testing.T) {
	many := "{{a}} {{b}} {{c}} {{d}} {{e}} {{f}} {{g}}"
	tests := []struct {
		name, subject, body string
		want                []string
	}{
		{"good", "Hello, {{name}}", "{{ name }} {{email}} {{	comment  }}", nil},
		{"braces that are no placeholder", "{name} {{", "}} {{\n}} {{{name}}} { {x} }", nil},
		{"empty", "", "", []string{"subject: messages.subject_required", "body: messages.body_required"}},
		{"blank", " \t ", "\n \n", []string{"subject: messages.subject_required", "body: messages.body_required"}},
		{"200 characters", strings.Repeat("я", 200), "x", nil},
		{"201 characters", strings.Repeat("я", 201), "x", []string{"subject: messages.subject_too_long"}},
		{"line feed", "a\nb", "x", []string{"subject: messages.subject_line_break"}},
		{"carriage return", "a\rb", "x", []string{"subject: messages.subject_line_break"}},
		{"NUL", "a\x00", "b\x00", []string{"subject: messages.not_text", "body: messages.not_text"}},
		{"not UTF-8", "\xff", "\xd0", []string{"subject: messages.not_text", "body: messages.not_text"}},
		{"200 kB", "s", strings.Repeat("word ", 40_000), nil},
		{"more", "s", strings.Repeat("x", 200_001), []string{"body: messages.body_too_long"}},
		{"unknown", "{{ nick }}", "{{Name}} {{}} {{Name}} {{if .Admin}}", []string{
			"subject: messages.placeholder_unknown nick", "body: messages.placeholder_unknown Name",
			"body: messages.placeholder_unknown ", "body: messages.placeholder_unknown if .Admin"}},
		{"many unknown", "s", many, []string{"body: messages.placeholder_unknown a", "body: messages.placeholder_unknown b",
			"body: messages.placeholder_unknown c", "body: messages.placeholder_unknown d", "body: messages.placeholder_unknown e"}},
		{"long unknown", "s", "{{" + strings.Repeat("ж", 100) + "}}",
			[]string{"body: messages.placeholder_unknown " + strings.Repeat("ж", 40) + "…"}},
		{"quotes in quotes", "s", strings.Repeat("> ", 50) + "x", nil},
		{"too many", "s", strings.Repeat(">", 90_000) + "x", []string{"body: messages.body_too_nested"}},
		{"lists in lists", "s", strings.Repeat("1. - ", 20_000) + "x", []string{"body: messages.body_too_nested"}},
		{"HTML in HTML", "s", strings.Repeat("<b>", 2_000) + "x", []string{"body: messages.body_too_nested"}},
		{"long rules", "s", strings.Repeat("-", 1000) + "\n\n" + strings.Repeat("*", 1000), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Check(test.subject, test.body)
			problems, _ := errors.AsType[domain.ValidationErrors](err)
			if len(problems) == 0 && err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems {
				text := p.Error()
				if name, ok := p.Args["Name"]; ok {
					text += " " + name.(string)
				}
				got = append(got, text)
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			s := benchSource()
			s.Subject, s.Body = test.subject, test.body
			if _, compileErr := Compile(s); (compileErr == nil) != (err == nil) {
				t.Errorf("Check says %v, Compile %v", err, compileErr)
			}
		})
	}
}

// TestValuesStayValues writes values that look like markup, addresses or placeholders.
func TestValuesStayValues(t *testing.T) {
	r := benchRecipient()
	r.Name, r.Comment, r.Email = "{{email}} **x** <b>y</b> qz0xnv", `"&' /?#%{{name}}`, "o'neil+x&y@example.net"
	tests := []struct{ name, body, html, text string }{
		{"text", "Hi {{name}}.", "Hi {{email}} **x** &lt;b&gt;y&lt;/b&gt; qz0xnv.", "Hi {{email}} **x** <b>y</b> qz0xnv."},
		{"attributes", "[a](https://example.com \"{{comment}}\")", `title="&#34;&amp;&#39; /?#%{{name}}"`, "a <https://example.com>"},
		{"link", "[{{comment}}](https://example.com/{{comment}})",
			`href="https://example.com/%22%26%27%20%2F%3F%23%25%7B%7Bname%7D%7D" style="color:#0b57b7">&#34;&amp;&#39; /?#%{{name}}</a>`,
			`"&' /?#%{{name}} <https://example.com/%22%26%27%20%2F%3F%23%25%7B%7Bname%7D%7D>`},
		{"query", "[a](https://example.com/?a={{email}}&b={{ email }})",
			`href="https://example.com/?a=o%27neil%2Bx%26y%40example.net&amp;b=o%27neil%2Bx%26y%40example.net"`,
			"a <https://example.com/?a=o%27neil%2Bx%26y%40example.net&b=o%27neil%2Bx%26y%40example.net>"},
		{"bare address", "https://example.com/?{{email}}", `href="https://example.com/?o%27neil%2Bx%26y%40example.net"`,
			"https://example.com/?o%27neil%2Bx%26y%40example.net"},
		{"reference", "[a][1]\n\n[1]: https://example.com/{{email}}", `href="https://example.com/o%27neil%2Bx%26y%40example.net"`,
			"a <https://example.com/o%27neil%2Bx%26y%40example.net>"},
		{"raw HTML", "x <a href='https://example.com/{{email}}'>y</a>", `href="https://example.com/o%27neil%2Bx%26y%40example.net"`,
			"x y <https://example.com/o%27neil%2Bx%26y%40example.net>"},
		{"picture", "![{{name}}](https://example.com/{{email}})", `src="https://example.com/o%27neil%2Bx%26y%40example.net" alt="{{email}} **x** &lt;b&gt;`,
			"{{email}} **x** <b>y</b> qz0xnv"},
		{"code", "`{{name}}`", `{{email}} **x** &lt;b&gt;y&lt;/b&gt; qz0xnv</code>`, "{{email}} **x** <b>y</b> qz0xnv"},
		{"emphasis", "a**{{email}}**b", `a<strong>o&#39;neil+x&amp;y@example.net</strong>b`, "ao'neil+x&y@example.netb"},
		{"table", "|a|b|\n|-|-|\n|{{email}}|{{email}}|", `>o&#39;neil+x&amp;y@example.net</td>`, "a | b\no'neil+x&y@example.net | o'neil+x&y@example.net"},
		{"the author's mark", "qz0xnv {{email}}", "qz0xnv o&#39;neil+x&amp;y@example.net", "qz0xnv o'neil+x&y@example.net"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := benchSource()
			s.Subject, s.Body = "x", test.body
			l := compile(t, s)
			if p := parse(t, write(t, l, r)); !strings.Contains(p.content, test.html) {
				t.Errorf("no %s in %s", test.html, p.content)
			} else if text, _, _ := strings.Cut(p.text, "\n\n-- \n"); text != test.text {
				t.Errorf("text %q, want %q", text, test.text)
			}
		})
	}
}

func TestLineBreaksOfValues(t *testing.T) {
	s := benchSource()
	s.Subject, s.Body = "x", "{{comment}}\n\n![{{comment}}](https://example.com/a.png)"
	r := benchRecipient()
	r.Comment = "one\r\ntwo\n<b>"
	p := parse(t, write(t, compile(t, s), r))
	for _, want := range []string{">one<br>\ntwo<br>\n&lt;b&gt;</p>", "alt=\"one\ntwo\n&lt;b&gt;\""} {
		if !strings.Contains(p.content, want) {
			t.Errorf("no %q in %s", want, p.content)
		}
	}
	if !strings.HasPrefix(p.text, "one\ntwo\n<b>\n") {
		t.Errorf("text %q", p.text)
	}
}

func TestEmptyValues(t *testing.T) {
	tests := []struct{ body, text, html string }{
		{"Hello, {{name}}!", "Hello!", ">Hello!</p>"},
		{"Здравствуйте {{name}}!", "Здравствуйте!", ">Здравствуйте!</p>"},
		{"Dear {{name}},\nhello", "Dear,\nhello", ">Dear,<br/>\nhello</p>"},
		{"{{name}}, hello!", "Hello!", ">Hello!</p>"},
		{"a\n\n{{name}}, hello!", "a\n\nHello!", ">Hello!</p>"},
		{"**a** {{name}} c", "a c", "<strong>a</strong> c</p>"},
		{"**a**{{name}} c", "a c", "<strong>a</strong> c</p>"},
		{"[a](https://a.bc/{{name}}x)", "a <https://a.bc/x>", `<a href="https://a.bc/x"`},
		{"{{name}}", "", "></p>"},
	}
	for _, test := range tests {
		s := benchSource()
		s.Subject, s.Body = strings.ReplaceAll(test.body, "\n", " "), test.body
		r := benchRecipient()
		r.Name, r.Comment = "", ""
		p := parse(t, write(t, compile(t, s), r))
		if text, _, _ := strings.Cut(p.text, "\n\n-- \n"); text != test.text {
			t.Errorf("%q is %q without values, want %q", test.body, text, test.text)
		}
		if !strings.Contains(p.content, test.html) {
			t.Errorf("%q: no %s in %s", test.body, test.html, p.content)
		}
	}
}
