// Package holdout shows the random share of clients whom a mailing or series leaves out: what its form asks, and what the
// comparison has come to.
package holdout

import (
	"cmp"
	"slices"
	"strconv"

	"skychimp/db"
	"skychimp/domain"
	rules "skychimp/domain/holdout"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Holdouts shows them.
type Holdouts struct{ DB *db.DB }

// Fields is the block holdout/fields.
type Fields struct {
	ID              string // begins those of the fields
	Share, By, Tag  string
	Shares, Choices []templates.Option
	Fixed, Over     bool
	Errors          templates.ValidationErrors
}

// byTag is the choice of a tag; no field has this key.
const byTag = "tag"

// Read is the form as it was sent. A field is named by its number or its key.
func Read(r *web.Request, fields []domain.Field) rules.Form {
	form := rules.Form{Share: r.FormValue("leave_out"), Tag: r.FormValue("came_back_tag")}
	if by := r.FormValue("came_back"); by != "" && by != byTag {
		form.Field = noField
		for _, one := range fields {
			if one.Key == by || strconv.FormatInt(one.ID, 10) == by {
				form.Field = one.ID
			}
		}
	}
	return form
}

// noField is the number of no field: it is refused.
const noField = -1

// NewFields are those of a form with what was typed for a mailing; id is what ids begin with.
func NewFields(r *web.Request, id string, typed rules.Form, m domain.Mailing, fields []domain.Field) Fields {
	f := Fields{ID: id, Share: typed.Share, By: byTag, Tag: typed.Tag, Fixed: m.Holdout.On() && m.Began(), Over: m.Holdout.Share > 0 && !m.Holdout.On(),
		Shares:  []templates.Option{{Label: r.Viewer.T("holdout.none")}},
		Choices: []templates.Option{{Value: byTag, Label: r.Viewer.T("holdout.by_tag")}}}
	for _, one := range rules.Shares() {
		f.Shares = append(f.Shares, templates.Option{Value: strconv.Itoa(one), Label: r.Viewer.T("holdout.percent", "N", one)})
	}
	for _, one := range fields {
		if one.Type != domain.FieldDate {
			continue
		}
		f.Choices = append(f.Choices, templates.Option{Value: one.Key, Label: r.Viewer.T("holdout.by_field", "Field", one.Label)})
		if one.ID == typed.Field {
			f.By = one.Key
		}
	}
	return f
}

// With tells what is wrong with them.
func (f Fields) With(errors templates.ValidationErrors) Fields {
	f.Errors = errors
	return f
}

// Open reports whether there is something to see.
func (f Fields) Open() bool {
	return f.Share != "" && f.Share != "0" || f.Over || cmp.Or(f.Errors.Of("leave_out"), f.Errors.Of("came_back"), f.Errors.Of("came_back_tag")) != ""
}

// Words say whom a mailing leaves out of so many, "" for nobody.
func Words(r *web.Request, h rules.Holdout, of int64) string {
	if !h.On() {
		return ""
	}
	return r.Viewer.TN("holdout.leaves", int(h.Expected(of)), "Percent", h.Share)
}

// SeriesWords say whom a series leaves out and what counts as coming back, none for one that leaves nobody out.
func (h *Holdouts) SeriesWords(r *web.Request, m domain.Mailing) ([]string, error) {
	if !m.Holdout.On() {
		return nil, nil
	}
	counts, err := h.Counts(r, m)
	return []string{r.Viewer.T("holdout.leaves_series", "Percent", m.Holdout.Share), counts}, err
}

// Counts says what counts as coming back.
func (h *Holdouts) Counts(r *web.Request, m domain.Mailing) (string, error) {
	if m.Holdout.Tag != "" {
		return r.Viewer.T("holdout.counts_tag", "Tag", m.Holdout.Tag), nil
	}
	fields, err := h.DB.Fields().List(r.UserContext(), m.OwnerID)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(fields, func(f domain.Field) bool { return f.ID == m.Holdout.FieldID })
	if at < 0 {
		return r.Viewer.T("holdout.counts_gone"), nil
	}
	return r.Viewer.T("holdout.counts_field", "Field", fields[at].Label), nil
}
