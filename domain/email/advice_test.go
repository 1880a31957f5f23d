package email

import (
	"fmt"
	"strings"
	"testing"
)

func TestAdvice(t *testing.T) {
	for _, test := range []struct{ subject, body, want string }{
		{"Hi", "Hello [a](https://skychimp.test/?e={{email}}) ![tulips](https://skychimp.test/t.jpg) anna@example.com", ""},
		{strings.Repeat("ы", 61), "Hello", "subject: messages.advice_subject"},
		{"Hi", "**[a](example.com/x)** [b](https://shop.example)", "body: messages.advice_sample; body: messages.advice_sample"},
		{"Hi", "[a](http://skychimp.test/{{email}})", "body: messages.advice_http"},
		{"Hi", "![](https://skychimp.test/t.jpg)", "body: messages.advice_alt"},
		{"Hi", "<img src='https://skychimp.test/t.jpg' alt=' '>", "body: messages.advice_alt"},
		{"Hi", "a <img src='https://skychimp.test/t.jpg'> b", "body: messages.advice_alt"},
		{"Hi", strings.Repeat("Long, long text. ", 6500), "body: messages.advice_clipped"},
		{"Hi", strings.Repeat("> ", 60) + "x", ""},
	} {
		if got := Advice(test.subject, test.body).Error(); got != test.want {
			t.Errorf("%.40s: %s, want %s", test.body, got, test.want)
		}
	}
	if a := Advice("Hi", "[a](http://skychimp.test/{{email}})"); fmt.Sprint(a[0].Args["Address"]) != "http://skychimp.test/{{email}}" {
		t.Error(a[0].Args)
	}
	if !NamesClients("{{ name }}", "x") || !NamesClients("x", "{{name}}") || NamesClients("{{email}}", "name") {
		t.Error("names")
	}
}

func TestTypedPreheader(t *testing.T) {
	s := benchSource()
	s.Preheader = "For you, {{name}} & <friends>"
	r := benchRecipient()
	l := compile(t, s)
	if got := l.Preheader(r); got != "For you, "+r.Name+" & <friends>" {
		t.Error(got)
	}
	if page := l.HTML(r); !strings.Contains(page, "mso-hide:all\">For you, "+r.Name+" &amp; &lt;friends&gt;") {
		t.Error(page)
	}
	for text, want := range map[string]string{
		"": "", strings.Repeat("я", 150): "", "{{email}}": "",
		strings.Repeat("я", 151): "preheader: messages.preheader_too_long", "a\nb": "preheader: messages.not_text", "{{x}}": "preheader: messages.placeholder_unknown",
	} {
		got := ""
		if err := CheckPreheader(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	s.Preheader = "{{x}}"
	if _, err := Compile(s); err == nil {
		t.Error("compiled")
	}
}
