package email

import (
	"strings"
	"testing"
)

func TestWebLinks(t *testing.T) {
	got := WebLinks("[a](shop.test/a#part) [a](https://shop.test/a) [b](https://e.test/?q={{email}}) [c](mailto:a@e.example) [d](tel:+7)\n\n" +
		"![e](http://e.test/e.png) {{#if city}}[f](https://e.test/f){{/if}} <a href=\"https://e.test/g\">g</a> www.h.test https://example.com/x")
	if want := "https://shop.test/a http://e.test/e.png https://e.test/f https://e.test/g https://www.h.test"; strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
	if got := WebLinks(strings.Repeat("> ", 100) + "[a](https://e.test)"); got != nil {
		t.Error(got)
	}
}
