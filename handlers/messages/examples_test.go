package messages

import (
	"net/mail"
	"strings"
	"testing"

	"skychimp/domain/email"
	"skychimp/domain/email/outlooktest"
	"skychimp/templates"
)

// The six examples look as they should in Outlook and are far from what Gmail clips.
func TestExamplesInOutlookAndGmail(t *testing.T) {
	for _, lang := range []string{"en", "ru"} {
		for _, name := range templates.ExampleNames() {
			subject, body := templates.Example(lang, name, "https://mail.example.com")
			compiled, err := email.Compile(email.Source{Subject: subject, Body: body, Language: lang, From: mail.Address{Name: "Tulips", Address: "a@example.com"},
				UnsubscribeText: "Unsubscribe", FooterText: "You are on the list of Tulips."})
			if err != nil {
				t.Fatal(err)
			}
			page := compiled.HTML(email.Recipient{Email: "anna@example.com", Name: "Anna", UnsubscribeURL: "https://mail.example.com/unsubscribe/a"})
			for _, wrong := range outlooktest.Lint(page) {
				t.Error(lang, name, wrong)
			}
			if !strings.Contains(page, `<td class="hero"`) || len(page) > 20<<10 {
				t.Errorf("%s %s: %d bytes: %s", lang, name, len(page), page)
			}
		}
	}
}
