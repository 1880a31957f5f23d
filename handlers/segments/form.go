package segments

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// segmentForm is the pages segments/new and segments/edit and their block segments/form.
type segmentForm struct {
	web.Form
	ID          int64 // 0: a new one
	Name, Match string
	Rows        []conditionRow
	New         []templates.Option // what another condition can look at
	Path        string             // where the form is worked on without being saved
	Result      resultView

	fields []domain.Field
	typed  domain.SegmentForm
}

// Action is where the form is saved.
func (f segmentForm) Action() string {
	if f.ID == 0 {
		return "/segments"
	}
	return Path(f.ID)
}

// Matches are the two ways to take conditions together.
func (f segmentForm) Matches() []string {
	return []string{string(domain.MatchAll), string(domain.MatchAny)}
}

// conditionRow is the block segments/condition.
type conditionRow struct {
	N            int
	Where, Label string
	Op           templates.Select
	Value        templates.Select // without a Name: there is none
	Problem      string           // with what it looks at
	Path         string           // of the form's
}

// resultView is the block segments/count: how many clients the conditions choose, and some of them.
type resultView struct {
	Ready               bool   // the conditions can be counted
	Problem             string // why not
	Clients, Suppressed int64
	Pending             bool
	Sample              []sampleRow
}

type sampleRow struct {
	ID          int64
	Email, Name string
	Suppressed  bool
}

// sampleSize is how many clients are shown.
const sampleSize = 10

// readForm reads conditions side by side; a program may leave out the values of those that compare with nothing.
func readForm(r *web.Request) domain.SegmentForm {
	form := domain.SegmentForm{Name: r.FormValue("name"), Match: cmp.Or(r.FormValue("match"), string(domain.MatchAll))}
	args := r.Request().PostArgs()
	wheres, ops, values := args.PeekMulti("where"), args.PeekMulti("op"), args.PeekMulti("value")
	next := 0
	for i, where := range wheres[:min(len(wheres), domain.MaxConditions+1)] {
		c := domain.Condition{Where: string(where)}
		if i < len(ops) {
			c.Op = domain.Op(ops[i])
		}
		if next < len(values) && (c.HasValue() || len(values) == len(wheres)) {
			c.Value = string(values[next])
			next++
		}
		form.Conditions = append(form.Conditions, c)
	}
	return form
}

// formOf is the form as the segment is stored.
func formOf(s domain.Segment, fields []domain.Field) domain.SegmentForm {
	form, traits := domain.SegmentForm{Name: s.Name, Match: string(s.Match)}, domain.Traits(fields)
	for _, c := range s.Conditions {
		trait, _ := c.Trait(traits)
		form.Conditions = append(form.Conditions, domain.Condition{Where: trait.Where, Op: c.Op, Value: c.Value})
	}
	return form
}

// newForm is the form with what was typed; id 0 is a new segment.
func (h *Segments) newForm(r *web.Request, id int64, typed domain.SegmentForm) (*segmentForm, error) {
	f := &segmentForm{ID: id, typed: typed, Path: "/segments/count"}
	if id != 0 {
		f.Path += "?id=" + strconv.FormatInt(id, 10)
	}
	var err error
	f.fields, err = h.DB.Fields().List(r.UserContext(), r.Viewer.User.ID)
	return f, err
}

// fill makes what the form shows of what was typed, after Errors are known.
func (f *segmentForm) fill(v web.Viewer) {
	f.Name, f.Match, f.Rows, f.New = f.typed.Name, f.typed.Match, nil, nil
	traits := domain.Traits(f.fields)
	for _, one := range traits {
		f.New = append(f.New, templates.Option{Value: one.Where, Label: label(v, one)})
	}
	for i, c := range f.typed.Conditions {
		f.Rows = append(f.Rows, f.row(v, i, c, traits))
	}
}

func (f *segmentForm) row(v web.Viewer, n int, c domain.Condition, traits []domain.Trait) conditionRow {
	place := strconv.Itoa(n)
	trait, known := c.Trait(traits)
	row := conditionRow{N: n, Where: c.Where, Label: label(v, trait), Problem: f.Errors.Of("where-" + place), Path: f.Path}
	if !known {
		row.Label = c.Where
	}
	op := templates.Field{ID: "segment-op-" + place, Name: "op", Label: v.T("segments.op"), Value: string(c.Op), Problem: f.Errors.Of("op-" + place)}
	var ops []templates.Option
	for _, one := range trait.Ops() {
		ops = append(ops, templates.Option{Value: string(one), Label: opText(v, trait, one)})
	}
	row.Op = op.With(ops)
	if !c.HasValue() {
		return row
	}
	value := templates.Field{ID: "segment-value-" + place, Name: "value", Label: v.T("segments.value"), Value: c.Value, Type: "text",
		Problem: f.Errors.Of("value-" + place), Autocomplete: "off", MaxLength: "254"}
	var choices []templates.Option
	switch {
	case c.Days():
		value.Inputmode, value.Label = "numeric", v.T("segments.value_in_days")
	case opKind(trait) == "day":
		value.Type = "date"
	case opKind(trait) == "number":
		value.Inputmode = "decimal"
	case trait.Type == domain.FieldYesNo:
		choices = []templates.Option{{Value: "yes", Label: v.T("fields.yes")}, {Value: "no", Label: v.T("fields.no")}}
	case trait.Type == domain.FieldChoice:
		choices = choicesOf(trait, c.Value)
	}
	row.Value = value.With(choices)
	return row
}

// choicesOf a field, and the value of before where it is none any more.
func choicesOf(t domain.Trait, value string) (options []templates.Option) {
	known := value == ""
	for _, one := range t.Choices() {
		options, known = append(options, templates.Option{Value: one, Label: one}), known || one == value
	}
	if !known {
		options = append(options, templates.Option{Value: value, Label: value})
	}
	return options
}

// chosen is the owner's segment with the conditions that were typed; ok is false when there are none, or one is wrong.
func (f *segmentForm) chosen(owner int64) (s domain.Segment, ok bool) {
	s = domain.Segment{ID: f.ID, OwnerID: owner}
	ok = len(f.typed.Conditions) > 0 && s.Choose(f.typed, f.fields) == nil
	return s, ok
}

// count fills in the result where the conditions can be counted.
func (h *Segments) count(r *web.Request, f *segmentForm) error {
	s, ok := f.chosen(r.Viewer.User.ID)
	if !ok {
		return nil
	}
	if f.ID != 0 {
		saved, err := h.DB.Segments().Get(r.UserContext(), s.OwnerID, f.ID)
		if err != nil {
			return err
		}
		if s.ID = 0; s.Same(saved) {
			s = saved
		}
	}
	n, err := h.DB.Segments().Count(r.UserContext(), s)
	if err != nil {
		return err
	}
	f.Result = resultView{Ready: true, Clients: n.Clients, Suppressed: n.Suppressed, Pending: n.Pending}
	clients, err := h.DB.Segments().Sample(r.UserContext(), s, sampleSize)
	for _, one := range clients {
		f.Result.Sample = append(f.Result.Sample, sampleRow{one.ID, one.Email, one.FullName, one.Suppressed()})
	}
	return err
}

// show answers with the form.
func (h *Segments) show(r *web.Request, refusal error, f *segmentForm) error {
	status, err := r.Refused(refusal, f)
	if err != nil {
		return err
	}
	f.fill(r.Viewer)
	if refusal == nil {
		if err := h.count(r, f); err != nil {
			return err
		}
	}
	switch {
	case r.HTMX():
		return r.Block(status, "segments/form", f)
	case f.ID == 0:
		return r.Page(status, "segments/new", f)
	}
	return r.Page(status, "segments/edit", f)
}

// New begins with one condition.
func (h *Segments) New(r *web.Request) error {
	f, err := h.newForm(r, 0, domain.SegmentForm{Match: string(domain.MatchAll), Conditions: []domain.Condition{{Where: domain.OfTag, Op: domain.OpIs}}})
	if err != nil {
		return err
	}
	return h.show(r, nil, f)
}

// Show is the page of a segment: its form, how many clients it has and some of them.
func (h *Segments) Show(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	f, err := h.newForm(r, s.ID, domain.SegmentForm{})
	if err != nil {
		return err
	}
	f.typed = formOf(s, f.fields)
	f.Revision = web.Revision(f.typed)
	return h.show(r, nil, f)
}

// Create saves a new segment.
func (h *Segments) Create(r *web.Request) error {
	f, err := h.newForm(r, 0, readForm(r))
	if err != nil {
		return err
	}
	s, err := h.DB.Segments().Create(r.UserContext(), r.Viewer.User.ID, f.typed, time.Now())
	if err != nil {
		return h.show(r, err, f)
	}
	return r.Done(Path(s.ID), "segments.saved")
}

// Update saves the form.
func (h *Segments) Update(r *web.Request) error {
	f, err := h.newForm(r, r.ID(), readForm(r))
	if err != nil {
		return err
	}
	var stored domain.SegmentForm
	var before domain.Segment
	_, err = h.DB.Segments().Update(r.UserContext(), r.Viewer.User.ID, f.ID, func(s *domain.Segment, fields []domain.Field) error {
		before, stored = *s, formOf(*s, fields)
		return cmp.Or(r.CheckRevision(stored), s.Change(f.typed, fields, time.Now()))
	})
	if err != nil {
		f.Against(r, err, stored, storedOptions(r, before, f.fields)...)
		return h.show(r, err, f)
	}
	return r.Done(Path(f.ID), "segments.saved")
}

// storedOptions show what somebody else has saved meanwhile.
func storedOptions(r *web.Request, s domain.Segment, fields []domain.Field) []templates.Option {
	options := []templates.Option{{Label: r.Viewer.T("segments.name"), Value: s.Name}}
	for i, words := range Words(r.Viewer, s, fields) {
		options = append(options, templates.Option{Label: fmt.Sprint(r.Viewer.T("segments.condition"), " ", i+1), Value: words})
	}
	return options
}

// Work answers the form while it is being made: with another condition, without one, or with the count.
func (h *Segments) Work(r *web.Request) error {
	id := int64(r.QueryInt("id"))
	if id != 0 {
		if _, err := h.DB.Segments().Get(r.UserContext(), r.Viewer.User.ID, id); err != nil {
			return err
		}
	}
	f, err := h.newForm(r, id, readForm(r))
	if err != nil {
		return err
	}
	f.Revision = r.FormValue("revision")
	switch {
	case r.Has("add"):
		f.add(r.FormValue("new"))
		return h.show(r, nil, f)
	case r.Has("remove"):
		if n, err := strconv.Atoi(r.FormValue("remove")); err == nil && n >= 0 && n < len(f.typed.Conditions) {
			f.typed.Conditions = append(f.typed.Conditions[:n], f.typed.Conditions[n+1:]...)
		}
		return h.show(r, nil, f)
	case r.Has("shape"):
		return h.show(r, nil, f)
	}
	refusal := (&domain.Segment{}).Choose(f.typed, f.fields)
	if !r.HTMX() {
		return h.show(r, refusal, f)
	}
	if err := h.count(r, f); err != nil {
		return err
	}
	if refusal != nil {
		f.Result.Problem = r.Viewer.Problem(refusal)
		return r.Block(fiber.StatusUnprocessableEntity, "segments/count", f.Result)
	}
	return r.Block(fiber.StatusOK, "segments/count", f.Result)
}

// add puts another condition below the others.
func (f *segmentForm) add(where string) {
	c := domain.Condition{Where: where}
	trait, known := c.Trait(domain.Traits(f.fields))
	if !known || len(f.typed.Conditions) >= domain.MaxConditions {
		return
	}
	c.Op = trait.Ops()[0]
	if choices := trait.Choices(); len(choices) > 0 {
		c.Value = choices[0]
	}
	f.typed.Conditions = append(f.typed.Conditions, c)
}
