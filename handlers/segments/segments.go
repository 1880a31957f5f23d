// Package segments answers what concerns saved conditions that choose clients.
package segments

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Segments answers what concerns an owner's segments.
type Segments struct{ DB *db.DB }

// segmentRow is the block segments/row.
type segmentRow struct {
	ID        int64
	Name      string
	Words     []string // the conditions
	Any       bool
	Counted   bool
	Clients   int64 // when it was counted last
	CountedAt web.Moment
	UsedBy    string
}

// segmentsView is the page segments/list.
type segmentsView struct{ Rows []segmentRow }

// Path is the page of a segment.
func Path(id int64) string { return "/segments/" + strconv.FormatInt(id, 10) }

// List shows the segments.
func (h *Segments) List(r *web.Request) error {
	owner := r.Viewer.User.ID
	rows, err := h.DB.Segments().List(r.UserContext(), owner)
	if err != nil {
		return err
	}
	fields, err := h.DB.Fields().List(r.UserContext(), owner)
	if err != nil {
		return err
	}
	view := segmentsView{}
	for _, one := range rows {
		view.Rows = append(view.Rows, row(r, one, fields))
	}
	return r.Page(fiber.StatusOK, "segments/list", view)
}

func row(r *web.Request, s db.SegmentRow, fields []domain.Field) segmentRow {
	one := segmentRow{ID: s.ID, Name: s.Name, Words: Words(r.Viewer, s.Segment, fields), Any: s.Match == domain.MatchAny,
		UsedBy: r.Viewer.TN("segments.used_by", s.Mailings)}
	if one.Counted = s.Clients != nil; one.Counted {
		one.Clients, one.CountedAt = *s.Clients, r.Viewer.Moment(s.CountedAt)
	}
	return one
}

// Words are a segment's conditions as the viewer reads them.
func Words(v web.Viewer, s domain.Segment, fields []domain.Field) (words []string) {
	traits := domain.Traits(fields)
	for _, c := range s.Conditions {
		trait, _ := c.Trait(traits)
		said := label(v, trait) + " " + opText(v, trait, c.Op) + valueText(v, trait, c)
		if c.Days() {
			said = label(v, trait) + " " + v.TN("segments.said_"+string(c.Op), atoi(c.Value))
		}
		words = append(words, said)
	}
	return words
}

// label names what a condition looks at.
func label(v web.Viewer, t domain.Trait) string {
	if t.Field != 0 {
		return t.Label
	}
	return v.T("segments.where_" + t.Where)
}

// opText is a comparison in words, which differ with what is compared.
func opText(v web.Viewer, t domain.Trait, op domain.Op) string {
	switch kind := opKind(t); {
	case op == domain.OpWithinDays || op == domain.OpNotWithinDays || op == domain.OpContains:
		return v.T("segments.op_" + string(op))
	case op == domain.OpEmpty || op == domain.OpNotEmpty:
		return v.T("segments.op_" + string(op))
	case kind != "":
		return v.T("segments.op_" + kind + "_" + string(op))
	}
	return v.T("segments.op_" + string(op))
}

// opKind tells whether the comparisons are of days, of numbers or ("") of texts.
func opKind(t domain.Trait) string {
	switch {
	case strings.HasSuffix(t.Where, "_at") && t.Field == 0, t.Type == domain.FieldDate:
		return "day"
	case t.Type == domain.FieldNumber, t.Where == domain.OfAccepted && t.Field == 0:
		return "number"
	}
	return ""
}

func valueText(v web.Viewer, t domain.Trait, c domain.Condition) string {
	switch {
	case !c.HasValue():
		return ""
	case opKind(t) == "day":
		day, _ := time.Parse(time.DateOnly, c.Value)
		return " " + v.Date(day)
	case t.Type == domain.FieldYesNo:
		return " " + v.T("fields."+c.Value)
	case opKind(t) == "number":
		return " " + c.Value
	}
	return " " + v.T("segments.quoted", "Text", c.Value)
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// own is the segment of the path, if it is the viewer's.
func (h *Segments) own(r *web.Request) (domain.Segment, error) {
	return h.DB.Segments().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// deleteView is the page segments/delete.
type deleteView struct {
	web.Form
	ID   int64
	Name string
}

// AskDelete asks whether it is meant.
func (h *Segments) AskDelete(r *web.Request) error { return h.showDelete(r, nil) }

func (h *Segments) showDelete(r *web.Request, refusal error) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Form(refusal, "segments/delete", &deleteView{ID: s.ID, Name: s.Name})
}

// Delete deletes a segment that no mailing needs.
func (h *Segments) Delete(r *web.Request) error {
	err := h.DB.Segments().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	switch {
	case domain.KindOf(err) == domain.Conflict && !r.HTMX():
		return h.showDelete(r, err)
	case err != nil:
		return err
	}
	return r.Saved("/segments", web.Fragment{}, "segments.deleted")
}

// Options are the owner's segments for a choice, with empty as the first.
func (h *Segments) Options(r *web.Request, empty string) ([]templates.Option, error) {
	rows, err := h.DB.Segments().List(r.UserContext(), r.Viewer.User.ID)
	options := []templates.Option{{Label: empty}}
	for _, one := range rows {
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Name})
	}
	return options, err
}

// Choice is what the pages of a mailing show of its segment.
type Choice struct {
	ID    int64
	Name  string // "": there is none
	Words []string
}

// Choice of the segment 0, or of one that was deleted, is empty.
func (h *Segments) Choice(r *web.Request, owner, id int64) (c Choice, err error) {
	if id == 0 {
		return c, nil
	}
	s, err := h.DB.Segments().Get(r.UserContext(), owner, id)
	if domain.KindOf(err) == domain.NotFound {
		return c, nil
	} else if err != nil {
		return c, err
	}
	fields, err := h.DB.Fields().List(r.UserContext(), owner)
	c = Choice{s.ID, s.Name, Words(r.Viewer, s, fields)}
	if s.Match == domain.MatchAny && len(c.Words) > 1 {
		c.Words = append([]string{r.Viewer.T("segments.match_any") + ":"}, c.Words...)
	}
	return c, err
}
