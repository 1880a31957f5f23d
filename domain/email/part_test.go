package email

import (
	"bytes"
	"strings"
	"testing"
)

// cyrillic is the source of a letter as people write them: n paragraphs of Russian.
func cyrillic(n int) Source {
	s := benchSource()
	s.Language = "ru"
	s.Subject = "{{name}}, новости ноября"
	s.Body = "# Новости ноября\n\nЗдравствуйте, {{name}}!\n\n" +
		strings.Repeat("У нас **четыре** новинки, и [страница](https://example.com/?who={{email}}) о каждой из них. Приходите!\n\n", n) +
		"{{comment}}\n\nВаша команда\n"
	s.UnsubscribeText, s.FooterText = "Отписаться", "Вы подписаны на рассылку: пекарня."
	return s
}

// The encoding of a part is the shorter one, and what was written comes back from either.
func TestTheShorterEncodingIsTaken(t *testing.T) {
	long := cyrillic(1)
	long.Body = strings.Repeat("Слово за слово, строка за строкой, и так до самого конца длинного письма.\n", 120)
	for name, row := range map[string]struct {
		source     Source
		text, html string
	}{
		"Latin":         {benchSource(), "quoted-printable", "quoted-printable"},
		"Cyrillic":      {cyrillic(1), "base64", "quoted-printable"}, // its HTML is markup for the most part
		"long Cyrillic": {long, "base64", "base64"},
	} {
		l := compile(t, row.source)
		for _, comment := range []string{"", "a", "ab", "abc", "два слова\r\nи ещё\nстрока", strings.Repeat("ё", 2000)} {
			r := benchRecipient()
			r.Comment = comment
			email := write(t, l, r)
			p := parse(t, email)
			r.Comment = strings.ReplaceAll(comment, "\r\n", "\n")
			if p.content != l.HTML(r) || p.text != string(appendPieces(nil, l.text.pieces, &r)) {
				t.Errorf("%s: %q and %q came back", name, p.text, p.content)
			}
			_, text, _ := strings.Cut(string(email), "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ")
			_, html, _ := strings.Cut(text, "text/html; charset=utf-8\r\nContent-Transfer-Encoding: ")
			if !strings.HasPrefix(text, row.text+"\r\n") || !strings.HasPrefix(html, row.html+"\r\n") {
				t.Errorf("%s: text in %.20q, HTML in %.20q", name, text, html)
			}
		}
	}
}

// TestSizes measures what base64 saves (go test -v).
func TestSizes(t *testing.T) {
	for _, n := range []int{1, 6, 40} {
		l, r := compile(t, cyrillic(n)), benchRecipient()
		now := len(write(t, l, r))
		var quoted part
		for _, one := range l.text.pieces {
			quoted.pieces = append(quoted.pieces, one.prepared())
		}
		html := part{}
		for _, one := range l.html.pieces {
			html.pieces = append(html.pieces, one.prepared())
		}
		before := &Template{from: l.from, tail: l.tail, subject: l.subject, text: quoted, html: html, bulk: true}
		was := len(write(t, before, r))
		if t.Logf("%d paragraphs: %d bytes, %d in quoted-printable", n, now, was); now >= was {
			t.Errorf("%d bytes, %d before", now, was)
		}
	}
}

func TestLineBreaksOfBase64(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "\n": "\r\n", "a\rb\r\nc\n\nd\r": "a\r\nb\r\nc\r\n\r\nd\r\n"} {
		if got := appendCRLF([]byte("x"), []byte(text)); !bytes.Equal(got, []byte("x"+want)) {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestBase64AllocatesNothing(t *testing.T) {
	l, r := compile(t, cyrillic(40)), benchRecipient()
	buf := make([]byte, 0, 256<<10)
	if n := testing.AllocsPerRun(100, func() { buf, _ = l.Append(buf[:0], r) }); n > 0 {
		t.Errorf("%v allocations for an email", n)
	}
}

func TestDirectionIsTheLanguages(t *testing.T) {
	for language, want := range map[string]string{"ar": "rtl", "he": "rtl", "ru": "ltr", "en": "ltr"} {
		s := benchSource()
		s.Language = language
		s.Body = "x\n\n> quoted\n\n- one\n\n| a |\n|---|\n| b |\n"
		email := write(t, compile(t, s), benchRecipient())
		html := parse(t, email).content
		for _, element := range []string{`<html lang="` + language + `" dir="` + want + `"`, `class="page" lang="` + language + `" dir="` + want + `"`} {
			if !strings.Contains(html, element) {
				t.Errorf("%s: no %s in\n%s", language, element, html)
			}
		}
		if rtl := want == "rtl"; strings.Contains(html, "border-right:4px") != rtl || strings.Contains(html, "text-align:right") != rtl ||
			strings.Contains(html, "border-left:4px") == rtl {
			t.Errorf("%s: quotes and headings stand on the wrong side in\n%s", language, html)
		}
		if !strings.Contains(string(email), "\r\nContent-Language: "+language+"\r\n") {
			t.Errorf("%s: no Content-Language", language)
		}
	}
}

// Outlook on Windows shows a picture as wide as its attribute says, or as the file is.
func TestPicturesFitTheSheet(t *testing.T) {
	for source, want := range map[string]string{
		`![a](https://example.com/media/5f1c-1200x800.jpg)`:                 `width="536" height="357"`,
		`![a](https://example.com/media/5f1c-100x40.png?v=1)`:               `width="100" height="40"`,
		`<img src="https://example.com/a.png" width="2000" height="500">`:   `width="536" height="134"`,
		`<img src="https://example.com/a.png" width="300">`:                 `width="300"`,
		`<img src="https://example.com/a.png" width="900">`:                 `width="536"`,
		`<img src="https://example.com/a-10x10.png" width="0" height="40">`: `width="10" height="10"`,
		`![a](https://example.com/a.png)`:                                   ``,
		`![a](https://example.com/1200x800.jpg)`:                            ``,
	} {
		s := benchSource()
		s.Body = "x\n\n" + source
		html := compile(t, s).HTML(benchRecipient())
		_, img, _ := strings.Cut(html, "<img ")
		img, _, _ = strings.Cut(img, ">")
		if !strings.Contains(img, want) || strings.Contains(img, "width=") != (want != "") || !strings.Contains(img, "max-width:100%") ||
			strings.Contains(img, "height=") != strings.Contains(want, "height") {
			t.Errorf("%s became %s", source, img)
		}
	}
}
