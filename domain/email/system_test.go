package email

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
)

func TestNotice(t *testing.T) {
	n := Notice{
		Subject: "Подтвердите адрес {{name}}", Paragraphs: []string{"Здравствуйте, <b>{{name}}</b>!", "*Нажмите* кнопку."},
		ButtonText: "Подтвердить", ButtonURL: "https://example.com/verify/x?a=1&b=2", FooterText: "Вы & мы", Language: "ru",
		From: mail.Address{Name: "SkyChimp", Address: "noreply@localhost"}, To: mail.Address{Name: "Иван", Address: "ivan@example.org"},
		MessageID: "<1@localhost>", Date: time.Date(2026, 11, 23, 9, 30, 0, 0, time.FixedZone("MSK", 3*3600)), Signer: newEd25519(t),
	}
	email, err := n.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, email)
	if p.subject != n.Subject || p.to.Name != "Иван" || p.header.Get("Date") != "Mon, 23 Nov 2026 09:30:00 +0300" {
		t.Errorf("subject %q, to %v, date %s", p.subject, p.to, p.header.Get("Date"))
	}
	if p.header.Get("Auto-Submitted") != "auto-generated" {
		t.Error("no Auto-Submitted")
	}
	for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence", "Reply-To"} {
		if p.header.Get(name) != "" {
			t.Errorf("system mail has a %s", name)
		}
	}
	const text = "Здравствуйте, <b>{{name}}</b>!\n\n*Нажмите* кнопку.\n\nПодтвердить:\nhttps://example.com/verify/x?a=1&b=2\n\n-- \nВы & мы\n"
	if p.text != text {
		t.Errorf("text %q", p.text)
	}
	for _, want := range []string{
		"Здравствуйте, &lt;b&gt;{{name}}&lt;/b&gt;!", "*Нажмите*", `href="https://example.com/verify/x?a=1&amp;b=2"`, "Вы &amp; мы", `lang="ru"`,
	} {
		if !strings.Contains(p.content, want) {
			t.Errorf("no %s in %s", want, p.content)
		}
	}
	n.Date = time.Now()
	if email, err = n.Bytes(); err != nil {
		t.Fatal(err)
	}
	verify(t, n.Signer, email, "from to subject date message-id content-language mime-version content-type")
	for field, change := range map[string]func(*Notice){
		"subject":    func(n *Notice) { n.Subject += "\r\nBcc: x@y.z" },
		"button_url": func(n *Notice) { n.ButtonURL = "javascript:alert(1)" },
		"email":      func(n *Notice) { n.To.Address = "a@b, c@d" },
		"from":       func(n *Notice) { n.From.Address = "" },
		"name":       func(n *Notice) { n.To.Name = "a\nb" },
	} {
		bad := n
		change(&bad)
		_, err := bad.Bytes()
		if refusal, ok := errors.AsType[*domain.Error](err); !ok || refusal.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
