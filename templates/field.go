package templates

import (
	"fmt"
	"slices"
	"strings"
)

// ValidationErrors are the texts of a form's broken rules: by field, and of the whole form ("").
type ValidationErrors map[string]string

// Of is the text of a field, "" when it is right.
func (p ValidationErrors) Of(name string) string { return p[name] }

// Form is the text of what is wrong with the form as a whole.
func (p ValidationErrors) Form() string { return p[""] }

// Field is one field of a form: what ui/field, ui/area, ui/select and ui/check show.
type Field struct {
	ID, Name, Label, Value, Problem, Hint, Type string
	Autocomplete, Inputmode, Placeholder, List  string
	Rows, MaxLength, Min, Max                   string
	Required, Autofocus                         bool
}

// Option is one choice of ui/select; Label is shown as it is.
type Option struct {
	Value, Label string
}

// Select is a field with its choices.
type Select struct {
	Field
	Options []Option
}

// Search is the search form of a list, at whose Path the results are.
type Search struct {
	Path, Query, Label, Hint string
	Filters                  []Select
	Sort                     string // kept
}

// Sorted keeps how the list is sorted.
func (s Search) Sorted(sort string) Search {
	s.Sort = sort
	return s
}

// newSearch is the template function
//
//	{{template "ui/search" ((search "/mailings" .Query (t "mailings.search") (t "mailings.search_hint")).With "status" (t "mailings.status") .Status .Statuses)}}
func newSearch(path, query, label, hint string) Search {
	return Search{Path: path, Query: query, Label: label, Hint: hint}
}

// With puts a choice beside the search.
func (s Search) With(name, label, chosen string, options []Option) Search {
	s.Filters = append(slices.Clone(s.Filters), Select{Field{Name: name, Label: label, Value: chosen}, options})
	return s
}

// newField is the template function
//
//	{{template "ui/field" (field "email" .Email .Errors (t "account.email") "type=email" "required")}}
//
// id= is needed when a page has two fields of one name.
func newField(name, value string, problems ValidationErrors, label string, attributes ...string) (Field, error) {
	f := Field{ID: "field-" + name, Name: name, Label: label, Value: value, Problem: problems.Of(name), Type: "text"}
	for _, attribute := range attributes {
		key, text, _ := strings.Cut(attribute, "=")
		place, ok := f.place(key)
		switch {
		case key == "required":
			f.Required = true
		case key == "autofocus":
			f.Autofocus = true
		case ok:
			*place = text
		default:
			return f, fmt.Errorf("field %s: unknown attribute %q", name, key)
		}
	}
	return f, nil
}

func (f *Field) place(key string) (*string, bool) {
	places := map[string]*string{
		"id": &f.ID, "type": &f.Type, "hint": &f.Hint, "autocomplete": &f.Autocomplete,
		"inputmode": &f.Inputmode, "placeholder": &f.Placeholder, "list": &f.List, "rows": &f.Rows,
		"maxlength": &f.MaxLength, "min": &f.Min, "max": &f.Max,
	}
	place, ok := places[key]
	return place, ok
}

// With makes a select of the field: {{template "ui/select" ((field ...).With .Roles)}}.
func (f Field) With(options []Option) Select { return Select{Field: f, Options: options} }

// DescribedBy are the ids of the texts that explain the field.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Problem != "" {
		ids = append(ids, f.ID+"-problem")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	return strings.Join(ids, " ")
}

// Menu is the block ui/menu: what else can be done with the row Name.
type Menu struct{ ID, Name string }
