package email

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzAppend(f *testing.F) {
	f.Add("Anna", "anna@example.net", "a comment", "<a@b>", "https://example.com/u")
	f.Add("Анна \"x\"", "a.b+c@example.net", "two\r\nlines\n.", "<a@b>", "https://example.com/u?a=1&b=2")
	f.Add("a\r\nBcc: x@y.z", "a@b, c@d", "\x00", "<a> <b>", "https://a>,<https://b")
	f.Add("=?utf-8?q?x?=", "a@b.c", strings.Repeat(" .\t=", 40), "<a@b>", "http://x")
	f.Add(strings.Repeat("👩‍🚀", 30), "a@b.c", "\xff\xd0", "<a@b>", "http://x")
	signer := newEd25519(f)
	s := benchSource()
	s.Signer = signer
	s.Subject = "{{name}} {{comment}} новости"
	s.Body = "{{comment}}\n{{name}}{{comment}} x [{{name}}](https://example.com/{{name}})\n\n    {{comment}}\n"
	l := compile(f, s)
	f.Fuzz(func(t *testing.T, name, address, comment, id, url string) {
		r := benchRecipient()
		r.Name, r.Email, r.Comment, r.MessageID, r.UnsubscribeURL = name, address, comment, id, url
		r.Date = time.Now()
		email, err := l.Append(nil, r)
		if err != nil {
			return
		}
		p := parse(t, email)
		if wire, _, _ := wireAddress(address); p.to.Address != wire || len(p.header) != 14+strings.Count(url[:min(8, len(url))], "https://") {
			t.Fatalf("to %s instead of %s, %d headers", p.to.Address, address, len(p.header))
		}
		if v := verifications(t, signer, email)[0]; v.Err != nil {
			t.Fatal(v.Err)
		}
		r.Comment = strings.ReplaceAll(strings.ReplaceAll(comment, "\r\n", "\n"), "\r", "\n")
		if p.content != l.HTML(r) || p.text != string(appendPieces(nil, l.text.pieces, &r)) {
			t.Fatalf("%q and %q decode to something else", p.text, p.content)
		}
		if !utf8.ValidString(name) || !utf8.ValidString(comment) {
			return
		}
		if p.to.Name != strings.TrimSpace(name) || p.subject != l.Subject(r) {
			t.Fatalf("name %q, subject %q", p.to.Name, p.subject)
		}
	})
}

func FuzzCompile(f *testing.F) {
	f.Add("Hello, {{name}}", "# x\n\n- {{comment}}\n\n[a](https://example.com/{{email}})")
	f.Add("qz0xnv", "q&#122;0xnv <a href='{{email}}'>x</a> qz0x {{name}}qz0")
	f.Add("x", "</td></table><b>|a|\n|-|\n|{{name}}|\n\n> 1. `{{name}}`")
	f.Add("x", "<a href=\"javascript:{{comment}}\">x</a><img src=x onerror={{name}}>")
	r := benchRecipient()
	r.Comment = "javascript:alert(1)"
	f.Fuzz(func(t *testing.T, subject, body string) {
		s := benchSource()
		s.Subject, s.Body = subject, body
		l, err := Compile(s)
		size, other := Check(subject, body)
		if err != nil && other == nil {
			t.Fatalf("what passes can't be compiled: %v", err)
		}
		if err != nil {
			return
		}
		p := parse(t, write(t, l, r))
		if p.subject != l.Subject(r) {
			t.Fatalf("subject %q", p.subject)
		}
		checkHTML(t, p.content)
		if off := size - len(p.content); other == nil && (off < -5000 && !strings.Contains(body, "{{") || off > 2*personalSize) {
			t.Fatalf("Check says %d bytes, the HTML has %d", size, len(p.content))
		}
	})
}

// FuzzUnfolding looks for a text that unfolds, made of one part again and again.
func FuzzUnfolding(f *testing.F) {
	for _, part := range []string{"[a](", "*a_ ", "> - a\n", "|a|b|\n|-|-|\n", "<a b=", "`a", "\t- a\n", "[a]: /b\n", "<b><i><u>", "<p>a\n\n", "<table><tr><td>",
		"{{name}}", "a>{{name}} ", "[a]({{email}})", "**[a](b)**\n\n", "www.a.b ", "a@b.c ", "![a](b)", "|", "&#0;", "a  \n", "~~a", "<!--", "`" + "``\n"} {
		f.Add("", part, "", uint32(200_000))
		f.Add("[a]: /b\n\n| a |\n|--|\n", part, "*_`])>", uint32(200_000))
	}
	f.Fuzz(func(t *testing.T, before, part, after string, size uint32) {
		if room := min(int(size), 200_000) - len(before) - len(after); part != "" && room > 0 {
			frugal(t, before+strings.Repeat(part, room/len(part))+after)
		}
	})
}
