package messages

import (
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// fieldChip is a field that a text can hold: one of the blocks messages/field-chips and messages/help.
type fieldChip struct {
	Key, Label string
	Fallback   string // words that make sense where a client has none
	Example    string
}

// Placeholder is what stands in the text.
func (c fieldChip) Placeholder() string {
	if c.Fallback == "" {
		return "{{" + c.Key + "}}"
	}
	return "{{" + c.Key + "|" + c.Fallback + "}}"
}

// fieldChips are what all clients have, and the owner's fields.
func fieldChips(v web.Viewer, own []domain.Field) []fieldChip {
	friend := v.T("messages.field_friend")
	list := []fieldChip{
		{"first_name", v.T("messages.field_first_name"), friend, v.T("messages.field_first_name_example")},
		{"name", v.T("messages.field_name"), friend, v.T("messages.field_name_example")},
		{"last_name", v.T("messages.field_last_name"), "", v.T("messages.field_last_name_example")},
		{"email", v.T("messages.field_email"), "", "anna@mail.ru"},
		{"comment", v.T("messages.field_comment"), "", ""},
	}
	for _, f := range own {
		list = append(list, fieldChip{Key: f.Key, Label: f.Label, Example: exampleOf(v, f)})
	}
	return list
}

// exampleOf is a value that the field may have, as it reads in an email.
func exampleOf(v web.Viewer, f domain.Field) string {
	var value any
	switch {
	case f.Type == domain.FieldChoice && len(f.Choices) > 0:
		value = f.Choices[0]
	case f.Type == domain.FieldDate:
		value = time.Date(time.Now().Year(), time.May, 9, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case f.Type == domain.FieldNumber:
		value = 7.0
	case f.Type == domain.FieldYesNo:
		value = true
	default:
		return ""
	}
	return f.Say(v.Lang, domain.FieldValues{f.ID: value})
}
