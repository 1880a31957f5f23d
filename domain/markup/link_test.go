package markup

import (
	"slices"
	"testing"

	"github.com/yuin/goldmark/text"
)

func TestAddress(t *testing.T) {
	for typed, want := range map[string]string{ // "": can lead nowhere
		"https://example.com/a?b=c#d":        "https://example.com/a?b=c#d",
		"HTTP://Example.com":                 "HTTP://Example.com",
		"http://localhost:8080/media/x.png":  "http://localhost:8080/media/x.png",
		"example.com":                        "https://example.com",
		" www.example.com/a ":                "https://www.example.com/a",
		"example.com:8080/x":                 "https://example.com:8080/x",
		"shop.example.com?a=1":               "https://shop.example.com?a=1",
		"//example.com/x":                    "https://example.com/x",
		"пример.рф/цветы":                    "https://xn--e1afmkfd.xn--p1ai/цветы",
		"https://пример.рф":                  "https://xn--e1afmkfd.xn--p1ai",
		"https://пример.рф:8443/a":           "https://xn--e1afmkfd.xn--p1ai:8443/a",
		"https://ru.wikipedia.org/wiki/Тест": "https://ru.wikipedia.org/wiki/Тест",
		"https://user@пример.рф/":            "https://user@xn--e1afmkfd.xn--p1ai/",
		"anna@example.com":                   "mailto:anna@example.com",
		"mailto:anna@example.com?subject=Hi": "mailto:anna@example.com?subject=Hi",
		"tel:+7 999 123-45-67":               "tel:+7 999 123-45-67",
		"":                                   "",
		"here":                               "",
		"/price":                             "",
		"#top":                               "",
		"../a.png":                           "",
		"https://":                           "",
		"https:///a":                         "",
		"https:example.com":                  "",
		"http//example.com":                  "",
		"htps://example.com":                 "",
		"ftp://example.com":                  "",
		"javascript:alert(1)":                "",
		"data:text/html,x":                   "",
		"mailto:anna":                        "",
		"tel:call me":                        "",
		"1.5":                                "",
		"https://exa mple.com":               "",
		"https://xn--a.рф/" + "a-.рф/":       "",
	} {
		got, ok := Address(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", typed, got, ok, want)
		}
	}
}

func TestTargets(t *testing.T) {
	source := []byte("[a](example.com) ![b](data:image/png;base64,x) https://пример.рф/я. www.example.com <https://c.example>\n" +
		"<a href=d.example>d</a>\n\n<div><img src='/e.png'></div>\n\n[f]\n\n[f]: g.example")
	m := New()
	want := []Target{{"https://example.com", false}, {"data:image/png;base64,x", true}, {"https://xn--e1afmkfd.xn--p1ai/я", false},
		{"https://www.example.com", false}, {"https://c.example", false}, {"d.example", false}, {"/e.png", true}, {"https://g.example", false}}
	if got := Targets(m.Parser().Parse(text.NewReader(source)), source); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	html := `<p>a < b <A title="x&quot;" href=d.example>d</a> <img src="/e.png"><!-- <a href=f.example> -->`
	if got := string(LeadHTML([]byte(html))); got != `<p>a < b <a title="x&#34;" href="https://d.example">d</a> <img src="/e.png"><!-- <a href=f.example> -->` {
		t.Error(got)
	}
}
