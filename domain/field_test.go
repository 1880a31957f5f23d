package domain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestFieldKeys(t *testing.T) {
	others := []Field{{Key: "gorod"}, {Key: "gorod_2"}}
	for label, want := range map[string]string{
		"Город":                 "gorod_3",
		"City":                  "city",
		"Дата рождения":         "data_rozhdeniya",
		"Любимый цвет №1":       "lyubimyy_tsvet_1",
		"1st order":             "f_1st_order",
		"Email":                 "email_2", // what every client has
		"имя":                   "imya",
		"Name":                  "name_2",
		"城市":                    "field",
		strings.Repeat("щ", 50): strings.Repeat("shch", 7) + "shc",
	} {
		var f Field
		if err := f.Change(FieldForm{Label: label, Type: "text"}, others); err != nil || f.Key != want || !fieldKey.MatchString(f.Key) {
			t.Errorf("%s: %q, %v, want %q", label, f.Key, err, want)
		}
	}
}

func TestFieldRules(t *testing.T) {
	long := strings.Repeat("x", 61)
	known := Field{ID: 7, Key: "city", Label: "City", Type: FieldText}
	for want, row := range map[string]struct {
		field  Field
		form   FieldForm
		others int
	}{
		"":                            {Field{}, FieldForm{Label: " City ", Key: "city", Type: "choice", Choices: "A\r\n\nB\na\n"}, 29},
		"label fields.label_required": {Field{}, FieldForm{Key: "a", Type: "text"}, 0},
		"label fields.label_long":     {Field{}, FieldForm{Label: long, Key: "a", Type: "text"}, 0},
		"key fields.key_form":         {Field{}, FieldForm{Label: "A", Key: "Город", Type: "text"}, 0},
		"key fields.key_taken":        {Field{}, FieldForm{Label: "A", Key: "k1", Type: "text"}, 3},
		"type fields.type_unknown":    {Field{}, FieldForm{Label: "A", Type: "colour"}, 0},
		"type fields.type_fixed":      {known, FieldForm{Label: "A", Key: "city", Type: "number"}, 0},
		"choices fields.choices_few":  {Field{}, FieldForm{Label: "A", Type: "choice", Choices: "one"}, 0},
		"choices fields.choices_many": {Field{}, FieldForm{Label: "A", Type: "choice", Choices: lines(101)}, 0},
		" fields.too_many":            {Field{}, FieldForm{Label: "A", Type: "text"}, 30},
	} {
		others := make([]Field, row.others)
		for i := range others {
			others[i].Key = fmt.Sprint("k", i)
		}
		got := ""
		if broken, ok := errors.AsType[ValidationErrors](row.field.Change(row.form, others)); ok {
			got = broken[0].Field + " " + broken[0].Key
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", row.form, got, want)
		}
	}
	f := known
	if err := f.Change(FieldForm{Label: "Town", Key: "town", Type: "text", Listed: true}, nil); err != nil || f.Key != "town" || !f.Listed {
		t.Errorf("%+v, %v", f, err)
	}
}

func lines(n int) (text string) {
	for i := range n {
		text += fmt.Sprintln(i)
	}
	return text
}

func TestFieldValues(t *testing.T) {
	choices := []string{"Gold", "Silver"}
	for _, row := range []struct {
		kind FieldType
		text string
		want string // as files hold it; "!": refused
	}{
		{FieldText, "  a   b ", "a b"}, {FieldText, "", ""}, {FieldText, strings.Repeat("x", 501), "!"}, {FieldText, "a\x00b", "!"},
		{FieldNumber, "12", "12"}, {FieldNumber, "1 234,5", "1234.5"}, {FieldNumber, "1\u00a0234.5", "1234.5"}, {FieldNumber, "1,234.50", "1234.5"},
		{FieldNumber, "1.234.567", "1234567"}, {FieldNumber, "1.234,5", "1234.5"}, {FieldNumber, "-0,5", "-0.5"}, {FieldNumber, "79161234567", "79161234567"},
		{FieldNumber, "0x10", "!"}, {FieldNumber, "1e9", "!"}, {FieldNumber, "Inf", "!"}, {FieldNumber, "ten", "!"}, {FieldNumber, "9999999999999999", "!"},
		{FieldDate, "2026-05-01", "2026-05-01"}, {FieldDate, "2026-05-01T10:00:00Z", "2026-05-01"}, {FieldDate, "1.5.2026", "2026-05-01"},
		{FieldDate, "01.05.2026", "2026-05-01"}, {FieldDate, "1/5/2026", "!"}, {FieldDate, "30.02.2026", "!"}, {FieldDate, "1.5.26", "!"},
		{FieldYesNo, "Да", "yes"}, {FieldYesNo, "no", "no"}, {FieldYesNo, "0", "no"}, {FieldYesNo, "maybe", "!"},
		{FieldChoice, "gold", "Gold"}, {FieldChoice, "Bronze", "!"}, {FieldChoice, "", ""},
	} {
		f := Field{ID: 7, Key: "k", Label: "K", Type: row.kind, Choices: choices}
		value, err := f.Parse(row.text)
		got := f.Text(FieldValues{7: value})
		if err != nil {
			got = "!"
			if err.Field != "field.k" {
				t.Errorf("the problem is at %s", err.Field)
			}
		}
		if got != row.want {
			t.Errorf("%s %q: %q, want %q", row.kind, row.text, got, row.want)
		}
	}
}

// A form changes the fields that it names and no others; the names of before follow the full name until somebody
// has corrected them.
func TestClientDetails(t *testing.T) {
	fields := []Field{{ID: 1, Key: "city", Type: FieldText}, {ID: 2, Key: "kind", Type: FieldChoice, Choices: []string{"new"}}, {ID: 3, Key: "age", Type: FieldNumber}}
	c := Client{Email: "a@example.com", FullName: "Иванова Мария", Fields: FieldValues{1: "Moscow", 2: "old", 3: 7.0}}
	form := ClientForm{Email: c.Email, FullName: c.FullName}
	before := c.Fields
	if err := c.Apply(form, ClientDetails{Fields: map[string]string{"field.city": "", "field.kind": "old", "field.other": "x"}}, fields); err != nil {
		t.Fatal(err)
	}
	if len(c.Fields) != 2 || c.Fields[2] != "old" || c.Fields[3] != 7.0 || len(before) != 3 {
		t.Errorf("%v, before %v", c.Fields, before)
	}
	if err := c.Apply(form, ClientDetails{Fields: map[string]string{"field.age": "old"}}, fields); err == nil {
		t.Error("a text is a number")
	}
	for _, row := range []struct{ full, first, last, wantFirst, wantLast string }{
		{"Иванова Мария", "Мария", "Иванова", "", ""}, // as guessed
		{"Петрова Мария", "Мария", "Иванова", "", ""}, // what was guessed follows
		{"Петрова Мария", "Маша", "Петрова", "Маша", "Петрова"},
		{"Петрова Мария", "", "", "", ""},
		{"Acme", "Acme", "Team", "Acme", "Team"},
	} {
		form.FullName = row.full
		if err := c.Apply(form, ClientDetails{Named: true, FirstName: row.first, LastName: row.last}, fields); err != nil || c.FirstName != row.wantFirst || c.LastName != row.wantLast {
			t.Errorf("%+v: %q %q, %v", row, c.FirstName, c.LastName, err)
		}
	}
}
