// Package fields answers what concerns the properties that owners give their clients.
package fields

import (
	"strings"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Fields answers what concerns an owner's fields.
type Fields struct{ DB *db.DB }

// fieldRow is the block fields/row.
type fieldRow struct {
	ID         int64
	Key, Label string
	Type       domain.FieldType
	Choices    []string
	Listed     bool
}

func row(f domain.Field) fieldRow { return fieldRow{f.ID, f.Key, f.Label, f.Type, f.Choices, f.Listed} }

// fieldsView is the page fields/list, with the form of a new field.
type fieldsView struct {
	fieldForm
	Rows []fieldRow
	Max  int
}

// More reports whether there may be another field.
func (v fieldsView) More() bool { return len(v.Rows) < v.Max }

// fieldForm is the page fields/edit and its block fields/form.
type fieldForm struct {
	web.Form
	domain.FieldForm
	ID    int64
	Types []templates.Option // none: the type stays
}

// ListedValue is the state of the box.
func (f fieldForm) ListedValue() string {
	if f.Listed {
		return "yes"
	}
	return ""
}

// deleteView is the page fields/delete.
type deleteView struct {
	web.Form
	fieldRow
}

const path = "/clients/fields"

func readForm(r *web.Request) domain.FieldForm {
	return domain.FieldForm{Label: r.FormValue("label"), Key: r.FormValue("key"), Type: r.FormValue("type"),
		Choices: r.FormValue("choices"), Listed: r.FormValue("listed") != ""}
}

// List shows the fields and the form of a new one.
func (h *Fields) List(r *web.Request) error {
	return h.list(r, nil, domain.FieldForm{Type: string(domain.FieldText), Listed: true})
}

func (h *Fields) list(r *web.Request, refusal error, typed domain.FieldForm) error {
	list, err := h.DB.Fields().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := &fieldsView{fieldForm: fieldForm{FieldForm: typed}, Max: domain.MaxFields}
	for _, kind := range domain.FieldTypes() {
		view.Types = append(view.Types, templates.Option{Value: string(kind), Label: r.Viewer.T("fields.type_" + string(kind))})
	}
	for _, one := range list {
		view.Rows = append(view.Rows, row(one))
	}
	return r.Form(refusal, "fields/list", view)
}

// Create makes a field.
func (h *Fields) Create(r *web.Request) error {
	typed := readForm(r)
	f, err := h.DB.Fields().Create(r.UserContext(), r.Viewer.User.ID, typed)
	if err != nil {
		return h.list(r, err, typed)
	}
	return r.Saved(path, web.Fragment{Block: "fields/row", View: row(f)}, "fields.created", "Key", f.Key)
}

// own is the field of the path, if it is the viewer's.
func (h *Fields) own(r *web.Request) (domain.Field, error) {
	return h.DB.Fields().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// Edit shows the form with what is saved.
func (h *Fields) Edit(r *web.Request) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	form := &fieldForm{ID: f.ID, FieldForm: formOf(f)}
	form.Revision = web.Revision(form.FieldForm)
	return r.Form(nil, "fields/edit", form)
}

// formOf is the form as the field is stored.
func formOf(f domain.Field) domain.FieldForm {
	return domain.FieldForm{Label: f.Label, Key: f.Key, Type: string(f.Type), Choices: strings.Join(f.Choices, "\n"), Listed: f.Listed}
}

// Update saves the form.
func (h *Fields) Update(r *web.Request) error {
	typed, id := readForm(r), r.ID()
	var stored domain.Field
	f, err := h.DB.Fields().Update(r.UserContext(), r.Viewer.User.ID, id, typed, func(f domain.Field) error {
		stored = f
		return r.CheckRevision(formOf(f))
	})
	if err != nil {
		form := &fieldForm{ID: id, FieldForm: typed}
		form.Against(r, err, formOf(stored), templates.Option{Label: r.Viewer.T("fields.label"), Value: stored.Label},
			templates.Option{Label: r.Viewer.T("fields.key"), Value: stored.Key},
			templates.Option{Label: r.Viewer.T("fields.choices"), Value: strings.Join(stored.Choices, "\n")})
		return r.Form(err, "fields/edit", form)
	}
	return r.Saved(path, web.Fragment{Block: "fields/row", View: row(f)}, "fields.saved")
}

// AskDelete asks whether it is meant.
func (h *Fields) AskDelete(r *web.Request) error { return h.showDelete(r, nil) }

func (h *Fields) showDelete(r *web.Request, refusal error) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Form(refusal, "fields/delete", &deleteView{fieldRow: row(f)})
}

// Delete deletes a field with its values.
func (h *Fields) Delete(r *web.Request) error {
	err := h.DB.Fields().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	switch {
	case domain.KindOf(err) == domain.Conflict && !r.HTMX():
		return h.showDelete(r, err)
	case err != nil:
		return err
	}
	return r.Saved(path, web.Fragment{}, "fields.deleted")
}

// Value is a value of a field as the viewer reads it, "" for an empty one.
func Value(v web.Viewer, f domain.Field, values domain.FieldValues) string {
	return f.Say(v.Lang, values)
}

// Inputs are the inputs of a client's form for the owner's fields, holding texts by their names.
func Inputs(v web.Viewer, list []domain.Field, texts map[string]string, problems templates.ValidationErrors, id func(name string) string) []templates.Select {
	inputs := make([]templates.Select, len(list))
	for i, f := range list {
		one := templates.Field{ID: strings.TrimPrefix(id(strings.ReplaceAll(f.Name(), ".", "-")), "id="), Name: f.Name(), Label: f.Label, Value: texts[f.Name()],
			Problem: problems.Of(f.Name()), Type: "text", Autocomplete: "off"}
		var options []templates.Option
		switch f.Type {
		case domain.FieldDate:
			one.Type = "date"
		case domain.FieldZone:
			one.List, one.Placeholder = "zones", "Europe/Moscow"
		case domain.FieldNumber:
			one.Inputmode = "decimal"
		case domain.FieldYesNo:
			options = []templates.Option{{Label: "—"}, {Value: "yes", Label: v.T("fields.yes")}, {Value: "no", Label: v.T("fields.no")}}
		case domain.FieldChoice:
			options = choices(f, one.Value)
		}
		inputs[i] = one.With(options)
	}
	return inputs
}

// choices of a field, and the value of before where it is none any more.
func choices(f domain.Field, value string) []templates.Option {
	options, known := []templates.Option{{Label: "—"}}, value == ""
	for _, choice := range f.Choices {
		options, known = append(options, templates.Option{Value: choice, Label: choice}), known || choice == value
	}
	if !known {
		options = append(options, templates.Option{Value: value, Label: value})
	}
	return options
}

// Texts are the texts of the fields in a form, by name; those that it doesn't have are missing.
func Texts(r *web.Request, list []domain.Field) map[string]string {
	texts := map[string]string{}
	for _, f := range list {
		if r.Has(f.Name()) {
			texts[f.Name()] = r.FormValue(f.Name())
		}
	}
	return texts
}

// Saved are the texts of what a client has.
func Saved(list []domain.Field, values domain.FieldValues) map[string]string {
	texts := map[string]string{}
	for _, f := range list {
		texts[f.Name()] = f.Text(values)
	}
	return texts
}
