package domain

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldType says what values a field has.
type FieldType string

// The types of fields. A value is a string, for a number a float64, for yes or no a bool; a date is 2006-01-02.
const (
	FieldText   FieldType = "text"
	FieldNumber FieldType = "number"
	FieldDate   FieldType = "date"
	FieldYesNo  FieldType = "yes_no"
	FieldChoice FieldType = "choice"
	FieldZone   FieldType = "timezone" // an IANA name
)

// FieldTypes are all of them, the commonest first.
func FieldTypes() []FieldType {
	return []FieldType{FieldText, FieldNumber, FieldDate, FieldYesNo, FieldChoice, FieldZone}
}

// The limits of fields.
const (
	MaxFields     = 30
	maxFieldLabel = 60  // characters
	maxFieldText  = 500 // characters of a value
	MaxChoices    = 100
)

// Field is one typed property that an owner gives his clients.
type Field struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	Key       string // as in {{key}}
	Label     string
	Type      FieldType
	Choices   []string  `bun:",array"`
	Listed    bool      // a column of the list of clients
	CreatedAt time.Time `bun:",nullzero,default:now()"`
}

// FieldForm is the form of a field; Choices have a line each.
type FieldForm struct {
	Label, Key, Type, Choices string
	Listed                    bool
}

// FieldValues are what a client has in its owner's fields, by the field's number; nothing for an empty one.
type FieldValues map[int64]any

var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// ownKeys are what every client has, what segments ask for beside fields, and words of placeholders.
var ownKeys = []string{"name", "first_name", "last_name", "full_name", "email", "comment", "tag", "tags", "added_at", "last_accepted_at",
	"last_opened_at", "last_clicked_at", "emails_accepted", "unsubscribe", "if", "else", "id", "issue", "date", "posts"}

// Change applies the form; others are the owner's other fields. An empty key is made from the label. The type of a
// field that is there already stays, because clients have values of it.
func (f *Field) Change(form FieldForm, others []Field) error {
	var p ValidationErrors
	f.Label, f.Listed = strings.Join(strings.Fields(form.Label), " "), form.Listed
	switch {
	case f.Label == "":
		p.Add("label", "fields.label_required")
	case utf8.RuneCountInString(f.Label) > maxFieldLabel || hasControl(f.Label):
		p.Add("label", "fields.label_long", "Max", maxFieldLabel)
	}
	taken := func(key string) bool {
		return slices.Contains(ownKeys, key) || slices.ContainsFunc(others, func(o Field) bool { return o.Key == key })
	}
	key := strings.TrimSpace(form.Key)
	if key == "" {
		key = freeKey(f.Label, taken)
	}
	switch f.Key = key; {
	case !fieldKey.MatchString(key):
		p.Add("key", "fields.key_form")
	case taken(key):
		p.Add("key", "fields.key_taken")
	}
	switch kind := FieldType(form.Type); {
	case !slices.Contains(FieldTypes(), kind):
		p.Add("type", "fields.type_unknown")
	case f.ID != 0 && kind != f.Type:
		p.Add("type", "fields.type_fixed")
	default:
		f.Type = kind
	}
	f.Choices = []string{}
	if f.Type == FieldChoice {
		f.Choices = choicesOf(form.Choices)
		checkChoices(&p, f.Choices)
	}
	if f.ID == 0 && len(others) >= MaxFields {
		p.Add("", "fields.too_many", "Max", MaxFields)
	}
	return p.Err()
}

// freeKey is the key for a label that is not taken.
func freeKey(label string, taken func(string) bool) string {
	base := strings.ReplaceAll(Slug(label), "-", "_")
	if base == "post" && !strings.EqualFold(label, "post") { // no letter of it can stand in a key
		base = "field"
	}
	if base[0] < 'a' {
		base = "f_" + base
	}
	for n := 1; ; n++ {
		suffix := ""
		if n > 1 {
			suffix = "_" + strconv.Itoa(n)
		}
		if key := strings.Trim(base[:min(len(base), 31-len(suffix))], "_") + suffix; !taken(key) {
			return key
		}
	}
}

// choicesOf are the lines of a text, each once.
func choicesOf(text string) []string {
	choices := []string{}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !slices.ContainsFunc(choices, func(c string) bool { return strings.EqualFold(c, line) }) {
			choices = append(choices, line)
		}
	}
	return choices
}

func checkChoices(p *ValidationErrors, choices []string) {
	switch {
	case len(choices) < 2:
		p.Add("choices", "fields.choices_few")
	case len(choices) > MaxChoices:
		p.Add("choices", "fields.choices_many", "Max", MaxChoices)
	case slices.ContainsFunc(choices, func(c string) bool { return utf8.RuneCountInString(c) > 100 || hasControl(c) }):
		p.Add("choices", "fields.choice_long", "Max", 100)
	}
}

// Name is the field's name in forms, mappings and columns.
func (f Field) Name() string { return "field." + f.Key }

// Parse reads a value as people and spreadsheets write it; nil is an empty one.
func (f Field) Parse(text string) (value any, err *Error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	wrong := func(key string, args ...any) (any, *Error) {
		return nil, Errorf(Invalid, f.Name(), key, append(args, "Label", f.Label)...)
	}
	switch f.Type {
	case FieldNumber:
		if n, ok := parseNumber(text); ok {
			return n, nil
		}
		return wrong("fields.value_number")
	case FieldDate:
		if day, ok := parseDate(text); ok {
			return day, nil
		}
		return wrong("fields.value_date")
	case FieldYesNo:
		if yes, ok := yesNo[strings.ToLower(text)]; ok {
			return yes, nil
		}
		return wrong("fields.value_yes_no")
	case FieldChoice:
		for _, choice := range f.Choices {
			if strings.EqualFold(choice, strings.Join(strings.Fields(text), " ")) {
				return choice, nil
			}
		}
		return wrong("fields.value_choice", "Choices", strings.Join(f.Choices, ", "))
	case FieldZone:
		if name, ok := parseZone(text); ok {
			return name, nil
		}
		return wrong("fields.value_timezone")
	}
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > maxFieldText || hasControl(text) {
		return wrong("fields.value_long", "Max", maxFieldText)
	}
	return text, nil
}

// yesNo are the words for the two in lists.
var yesNo = map[string]bool{"yes": true, "y": true, "true": true, "1": true, "on": true, "+": true, "да": true, "д": true, "истина": true,
	"no": false, "n": false, "false": false, "0": false, "off": false, "-": false, "нет": false, "н": false, "ложь": false}

// parseNumber takes spaces, and the one of comma and dot that comes first, as what parts thousands; a single comma
// is a decimal one.
func parseNumber(text string) (float64, bool) {
	text = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "", "−", "-").Replace(text)
	comma, dot := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
	switch {
	case comma >= 0 && dot > comma, strings.Count(text, ",") > 1:
		text = strings.ReplaceAll(text, ",", "")
	case comma >= 0 && dot >= 0, strings.Count(text, ".") > 1:
		text = strings.ReplaceAll(text, ".", "")
	}
	text = strings.ReplaceAll(text, ",", ".")
	if strings.Trim(text, "+-.0123456789") != "" {
		return 0, false // no hexadecimals, exponents and infinities
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && n > -1e15 && n < 1e15
}

// parseDate takes 2026-05-01, with a time behind it or not, and 1.5.2026; 1/5/2026 is May in one country and January
// in another.
func parseDate(text string) (string, bool) {
	if len(text) > 10 && (text[10] == 'T' || text[10] == ' ') {
		text = text[:10]
	}
	for _, layout := range []string{time.DateOnly, "2006/01/02", "2.1.2006"} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1000 {
			return day.Format(time.DateOnly), true
		}
	}
	return "", false
}

// Text is a value as forms and files hold it, "" for an empty one.
func (f Field) Text(values FieldValues) string {
	switch value := values[f.ID].(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case bool:
		if value {
			return "yes"
		}
		return "no"
	}
	return ""
}

// ChangeFields applies the texts of a form, by the names of fields; fields that it doesn't name stay as they are.
func (c *Client) ChangeFields(fields []Field, form map[string]string) error {
	if len(form) == 0 {
		return nil
	}
	var p ValidationErrors
	values := FieldValues{}
	maps.Copy(values, c.Fields)
	for _, f := range fields {
		text, named := form[f.Name()]
		if !named {
			continue
		}
		value, err := f.Parse(text)
		switch {
		case err != nil && text == f.Text(c.Fields): // a choice that is none any more
		case err != nil:
			p = append(p, err)
		case value == nil:
			delete(values, f.ID)
		default:
			values[f.ID] = value
		}
	}
	c.Fields = values
	return p.Err()
}
