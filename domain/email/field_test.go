package email

import (
	"errors"
	"strings"
	"testing"

	"skychimp/domain"
)

var ownFields = []domain.Field{{ID: 1, Key: "city", Type: domain.FieldText}, {ID: 2, Key: "born", Type: domain.FieldDate},
	{ID: 3, Key: "spent", Type: domain.FieldNumber}, {ID: 4, Key: "member", Type: domain.FieldYesNo}}

// What a recipient reads, in the subject and both parts.
func TestFieldsInEmails(t *testing.T) {
	anna := Recipient{Name: "Анна Петрова", FirstName: "Анна", LastName: "Петрова",
		Fields: domain.FieldValues{1: "Пермь & <b>", 2: "1990-05-31", 3: 1234567.5, 4: false}}
	for body, want := range map[string][2]string{ // for Anna, for nobody
		"x {{first_name}} {{last_name}} y":                        {"x Анна Петрова y", "x y"},
		"x {{ first_name | друг }}!":                              {"x Анна!", "x друг!"},
		"{{first_name|Друзья}}, привет":                           {"Анна, привет", "Друзья, привет"},
		"{{name}}, здравствуйте!":                                 {"Анна Петрова, здравствуйте!", "Здравствуйте!"},
		"{{name}}, **здравствуйте**!":                             {"Анна Петрова, здравствуйте!", "Здравствуйте!"},
		"Конец.\n{{name}}, а это начало.":                         {"Конец.\nАнна Петрова, а это начало.", "Конец.\nА это начало."},
		"и вот\n{{name}}, привет":                                 {"и вот\nАнна Петрова, привет", "и вот\nпривет"},
		"Привет, {{name}}, ждём":                                  {"Привет, Анна Петрова, ждём", "Привет, ждём"},
		"из {{city}}":                                             {"из Пермь & <b>", "из"},
		"{{born}} {{spent}} {{member}}":                           {"31 мая 1990 1\u00a0234\u00a0567,5 нет", ""},
		"x {{#if city}}в {{city}}{{else}}нигде{{/if}} y":          {"x в Пермь & <b> y", "x нигде y"},
		"x\n\n{{#if city}}\nодин\n\n{{/if}}\ny":                   {"x\n\nодин\n\ny", "x\n\ny"},
		"{{#if member}}да{{else}}нет{{/if}}":                      {"нет", "нет"},
		"{{#if city}}a{{#if first_name}}b{{/if}}{{else}}c{{/if}}": {"ab", "c"},
		"**a{{#if city}}**b{{/if}}":                               {"ab", "**a"},
	} {
		s := benchSource()
		s.Language, s.Fields, s.Body, s.Subject = "ru", ownFields, body, "x"
		l := compile(t, s)
		for i, r := range []Recipient{anna, {}} {
			base := benchRecipient()
			base.Comment = ""
			base.Name, base.FirstName, base.LastName, base.Fields = r.Name, r.FirstName, r.LastName, r.Fields
			p := parse(t, write(t, l, base))
			text, _, _ := strings.Cut(p.text, "\n\n-- \n")
			if strings.TrimSpace(text) != want[i] {
				t.Errorf("%q: %q, want %q", body, text, want[i])
			}
			if strings.Contains(p.content, "& <b>") {
				t.Errorf("%q: a value is markup", body)
			}
		}
	}
}

func TestFieldsInSubjectsAndLinks(t *testing.T) {
	s := benchSource()
	s.Language, s.Fields = "en", ownFields
	s.Subject, s.Body = "{{#if city}}News for {{city}}{{else}}{{first_name|Friend}}, news{{/if}}", "[map](https://example.com/?c={{city|none at all}})"
	l := compile(t, s)
	r := benchRecipient()
	r.Fields = domain.FieldValues{1: "New York"}
	if p := parse(t, write(t, l, r)); p.subject != "News for New York" || !strings.Contains(p.content, "?c=New%20York\"") {
		t.Errorf("%q %s", p.subject, p.content)
	}
	r.Fields = nil
	if p := parse(t, write(t, l, r)); p.subject != "Friend, news" || !strings.Contains(p.content, "?c=none%20at%20all\"") {
		t.Errorf("%q %s", p.subject, p.content)
	}
}

func TestUnknownFieldsAreRefused(t *testing.T) {
	for body, want := range map[string]string{
		"{{city}}":                               "",
		"{{ctiy}}":                               "messages.placeholder_unknown city",
		"{{frist_name|x}}":                       "messages.placeholder_unknown first_name",
		"{{#if bron}}x{{/if}}":                   "messages.placeholder_unknown born",
		"{{#if city}}x":                          "messages.if_unclosed",
		"x{{/if}}":                               "messages.if_unopened",
		"{{else}}":                               "messages.if_unopened",
		"{{#if city}}a{{else}}b{{else}}c{{/if}}": "messages.if_unopened",
	} {
		got := ""
		_, err := Check("x", body, ownFields...)
		if p, ok := errors.AsType[domain.ValidationErrors](err); ok {
			got = p[0].Key
			if near, ok := p[0].Args["Nearest"].(string); ok {
				got += " " + near
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
