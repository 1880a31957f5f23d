package email

import (
	"strings"
	"testing"

	"skychimp/domain"
)

// A brand stands in both parts of an email, and what it holds can't break out of them.
func TestBrand(t *testing.T) {
	s := benchSource()
	s.Body = "Hello\n\n**[Buy](https://example.com)**\n\n[more](https://example.com)\n"
	s.Brand = domain.Brand{Name: `Tulip & "House"`, Logo: strings.Repeat("a", 32) + "-1200x300.png", Color: "#ffd400", Ground: "#20103a", Font: "georgia",
		Address: "Main street 1\n<b>Delft</b>", Reason: "You asked for {{name}} qz0x1v.", Links: []string{"https://t.me/tulips"}}
	s.MediaURL, s.ViewText, s.ViewURL = "https://mail.example.com/media/", "Open in browser", "https://mail.example.com/view/"+Token+".1f"
	compiled, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	to := benchRecipient()
	to.Token = "a-b_c"
	page := compiled.HTML(to)
	for _, want := range []string{`src="https://mail.example.com/media/` + strings.Repeat("a", 32) + `-1200x300.png" alt="Tulip &amp; &#34;House&#34;" width="224" height="56"`,
		"border-top:4px solid #ffd400", "background:#ffd400", "color:#1d2430", "background:#20103a", "font-family:Georgia,Times New Roman,serif", "Main street 1", "&lt;b&gt;Delft&lt;/b&gt;",
		"You asked for {{name}} qz0x1v.", `href="https://t.me/tulips"`, ">Telegram</a>", `href="https://mail.example.com/view/a-b_c.1f"`, "Open in browser", `href="` + to.UnsubscribeURL} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	for _, gone := range []string{"#1a5fc4", "#eef1f5", "#0b57b7", "Segoe", s.FooterText} {
		if strings.Contains(page, gone) {
			t.Errorf("%s is left in\n%s", gone, page)
		}
	}
	text := string(appendPieces(nil, compiled.text.pieces, &to))
	for _, want := range []string{"You asked for {{name}} qz0x1v.\nMain street 1\n<b>Delft</b>\nTelegram: https://t.me/tulips\n", "Open in browser: https://mail.example.com/view/a-b_c.1f\nUnsubscribe: https://"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
