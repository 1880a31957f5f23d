package series

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/holdout"
	"skychimp/handlers/topics"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// seriesForm is the pages series/new and series/edit and their block series/form.
type seriesForm struct {
	web.Form
	ID                       int64 // 0: a new one
	Name                     string
	Entry                    string
	Fixed                    bool // it runs: the entry stays
	EntrySays                string
	Tag, FormID, Field, Days string
	Side, Yearly             string
	Goal, Sender, Topic      string
	Forms, Fields, Sides     []templates.Option
	Senders, Topics          []templates.Option
	LeaveOut                 holdout.Fields
	Steps                    []stepForm
	Max                      int
	domain.Tracking

	typed  rules.Input
	own    rules.Own
	stored domain.Mailing
}

// stepForm is the block series/step.
type stepForm struct {
	N, Of             int
	ID                int64
	Message, Weekdays templates.Select
	Wait, At          templates.Field
	Work              string // of the form's
}

// Number counts from 1.
func (s stepForm) Number() int { return s.N + 1 }

// Last reports whether no step follows.
func (s stepForm) Last() bool { return s.N == s.Of-1 }

// Action is where the form is saved.
func (f seriesForm) Action() string {
	if f.ID == 0 {
		return "/series"
	}
	return Path(f.ID)
}

// Work is where the form is worked on without being saved.
func (f seriesForm) Work() string {
	if f.ID == 0 {
		return "/series/form"
	}
	return "/series/form?id=" + strconv.FormatInt(f.ID, 10)
}

// More reports whether there may be another step.
func (f seriesForm) More() bool { return len(f.Steps) < f.Max }

// readForm reads the form; steps stand side by side. The page writes the parts of an entry, a program entry_value.
func readForm(r *web.Request) rules.Input {
	in := rules.Input{Name: r.FormValue("name"), Entry: r.FormValue("entry"), EntryValue: r.FormValue("entry_value"), GoalTag: r.FormValue("goal_tag")}
	in.SenderID, _ = strconv.ParseInt(r.FormValue("sender_id"), 10, 64)
	in.TopicID, _ = strconv.ParseInt(cmp.Or(r.FormValue("topic"), r.FormValue("topic_id")), 10, 64)
	if in.EntryValue == "" {
		in.EntryValue = entryValue(r, rules.Entry(in.Entry))
	}
	in.Tracking = web.TrackingOf(r)
	args := r.Request().PostArgs()
	column := func(name string, n int) string {
		values := args.PeekMulti(name)
		if n >= len(values) {
			return ""
		}
		return string(values[n])
	}
	for n := range min(len(args.PeekMulti("step_message_id")), rules.MaxSteps+1) {
		step := rules.StepInput{Wait: column("step_wait", n), At: column("step_at", n)}
		step.ID, _ = strconv.ParseInt(column("step_id", n), 10, 64)
		step.MessageID, _ = strconv.ParseInt(column("step_message_id", n), 10, 64)
		step.Weekdays = strings.FieldsFunc(column("step_weekdays", n), func(c rune) bool { return c == ',' || c == ' ' })
		in.Steps = append(in.Steps, step)
	}
	return in
}

func entryValue(r *web.Request, entry rules.Entry) string {
	switch entry {
	case rules.Tag:
		return r.FormValue("entry_tag")
	case rules.Form:
		return r.FormValue("entry_form")
	case rules.Date:
		value := r.FormValue("entry_field")
		days := strings.TrimSpace(r.FormValue("entry_days"))
		if side := r.FormValue("entry_side"); days != "" && days != "0" && side != "on" {
			value += map[string]string{"after": "+"}[side]
			if side != "after" {
				value += "-"
			}
			value += days
		}
		if r.FormValue("entry_yearly") == "yes" {
			value += " yearly"
		}
		return value
	}
	return ""
}

// newForm is the form with what was typed; id 0 is a new series.
func (h *Series) newForm(r *web.Request, id int64, typed rules.Input) (*seriesForm, error) {
	f := &seriesForm{ID: id, typed: typed, Max: rules.MaxSteps}
	var err error
	if f.own, err = h.kept().Own(r.UserContext(), r.Viewer.User.ID); err != nil {
		return nil, err
	}
	f.typed.Holdout = holdout.Read(r, f.own.Fields)
	if f.Senders, err = h.Senders.Options(r); err != nil {
		return nil, err
	}
	list, err := h.DB.Topics().List(r.UserContext(), r.Viewer.User.ID)
	f.Topics = topics.Options(r, list)
	if err == nil && id != 0 {
		var s rules.Series
		s, err = h.kept().Get(r.UserContext(), r.Viewer.User.ID, id)
		f.stored = s.Mailing
		if f.Fixed = s.Mailing.Status == domain.Running; f.Fixed {
			f.EntrySays = entryWords(r, s, f.own)
			f.typed.Entry, f.typed.EntryValue = s.Input(f.own.Fields).Entry, cmp.Or(f.typed.EntryValue, s.Input(f.own.Fields).EntryValue)
		}
	}
	return f, err
}

// HasTopics reports whether there is a choice of topics.
func (f seriesForm) HasTopics() bool { return len(f.Topics) > 1 }

// FieldID is the id of a field.
func (f seriesForm) FieldID(name string) string { return "id=series-" + name }

// fill makes what the form shows of what was typed, after Errors are known.
func (h *Series) fill(r *web.Request, f *seriesForm) error {
	in := f.typed
	f.Name, f.Entry, f.Goal, f.Sender, f.Topic = in.Name, cmp.Or(in.Entry, string(rules.Added)), in.GoalTag, "", ""
	f.Tracking = in.Tracking
	if in.SenderID != 0 {
		f.Sender = strconv.FormatInt(in.SenderID, 10)
	}
	if in.TopicID != 0 {
		f.Topic = strconv.FormatInt(in.TopicID, 10)
	}
	f.LeaveOut = holdout.NewFields(r, "series-", in.Holdout, f.stored, f.own.Fields)
	f.fillEntry(r)
	chosen := []int64{0}
	for _, one := range in.Steps {
		chosen = append(chosen, one.MessageID)
	}
	list, err := h.kept().Messages(r.UserContext(), r.Viewer.User.ID, chosen, formMessages)
	if err != nil {
		return err
	}
	messages := []templates.Option{{Label: r.Viewer.T("series.choose_message")}}
	for _, one := range list {
		messages = append(messages, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Subject})
	}
	f.Steps = nil
	for n, one := range in.Steps {
		f.Steps = append(f.Steps, f.step(r, n, len(in.Steps), one, messages))
	}
	return nil
}

// formMessages is how many messages a step offers, the newest.
const formMessages = 200

func (f *seriesForm) fillEntry(r *web.Request) {
	f.Side, f.Days = "on", ""
	switch value := f.typed.EntryValue; rules.Entry(f.Entry) {
	case rules.Tag:
		f.Tag = value
	case rules.Form:
		f.FormID = value
	case rules.Date:
		key, yearly := strings.CutSuffix(value, "yearly")
		if yearly {
			f.Yearly = "yes"
		}
		key = strings.TrimSpace(key)
		if at := strings.IndexAny(key, "+-"); at >= 0 {
			f.Side, f.Days, key = map[byte]string{'+': "after", '-': "before"}[key[at]], key[at+1:], key[:at]
		}
		f.Field = key
	}
	f.Forms, f.Fields, f.Sides = []templates.Option{{Label: r.Viewer.T("series.choose_form")}}, []templates.Option{{Label: r.Viewer.T("series.choose_field")}}, nil
	for _, one := range f.own.Forms {
		f.Forms = append(f.Forms, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Name})
	}
	for _, one := range f.own.Fields {
		if one.Type == domain.FieldDate {
			f.Fields = append(f.Fields, templates.Option{Value: one.Key, Label: one.Label})
		}
	}
	for _, one := range []string{"on", "before", "after"} {
		f.Sides = append(f.Sides, templates.Option{Value: one, Label: r.Viewer.T("series.side_" + one)})
	}
}

func (f *seriesForm) step(r *web.Request, n, of int, in rules.StepInput, messages []templates.Option) stepForm {
	place := "-" + strconv.Itoa(n)
	field := func(name, label, value string) templates.Field {
		return templates.Field{ID: "series-" + name + place, Name: name, Label: r.Viewer.T(label), Value: value, Problem: f.Errors.Of(name + place), Type: "text", Autocomplete: "off"}
	}
	message := ""
	if in.MessageID != 0 {
		message = strconv.FormatInt(in.MessageID, 10)
	}
	step := stepForm{N: n, Of: of, ID: in.ID, Work: f.Work()}
	step.Message = field("step_message_id", "series.step_message", message).With(messages)
	wait := field("step_wait", "series.step_wait", cmp.Or(in.Wait, "0"))
	wait.Type, wait.Inputmode, wait.Min, wait.Max = "number", "numeric", "0", strconv.Itoa(rules.MaxWait)
	at := field("step_at", "series.step_at", in.At)
	at.Type = "time"
	step.Wait, step.At = wait, at
	days := strings.Join(in.Weekdays, ",")
	choices := []templates.Option{{Label: r.Viewer.T("series.days_all")}, {Value: "mon,tue,wed,thu,fri", Label: r.Viewer.T("series.days_work")},
		{Value: "sat,sun", Label: r.Viewer.T("series.days_weekend")}}
	for _, one := range domain.Weekdays() {
		choices = append(choices, templates.Option{Value: string(one), Label: r.Viewer.T("series.only_" + string(one))})
	}
	if !slices.ContainsFunc(choices, func(o templates.Option) bool { return o.Value == days }) {
		choices = append(choices, templates.Option{Value: days, Label: days})
	}
	step.Weekdays = field("step_weekdays", "series.step_weekdays", days).With(choices)
	return step
}

// show answers with the form.
func (h *Series) show(r *web.Request, refusal error, f *seriesForm) error {
	status, err := r.Refused(refusal, f)
	if err != nil {
		return err
	}
	if err := h.fill(r, f); err != nil {
		return err
	}
	switch {
	case r.HTMX():
		return r.Block(status, "series/form", f)
	case f.ID == 0:
		return r.Page(status, "series/new", f)
	}
	return r.Page(status, "series/edit", f)
}

// New begins with one step.
func (h *Series) New(r *web.Request) error {
	f, err := h.newForm(r, 0, rules.Input{Entry: string(rules.Added), Steps: []rules.StepInput{{}}})
	if err != nil {
		return err
	}
	return h.show(r, nil, f)
}

// Edit shows the form with what is stored.
func (h *Series) Edit(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	f, err := h.newForm(r, s.ID, rules.Input{})
	if err != nil {
		return err
	}
	f.typed = s.Input(f.own.Fields)
	f.Revision = web.Revision(f.typed)
	return h.show(r, nil, f)
}

// Create saves a new series.
func (h *Series) Create(r *web.Request) error {
	f, err := h.newForm(r, 0, readForm(r))
	if err != nil {
		return err
	}
	s, err := h.kept().Create(r.UserContext(), r.Viewer.User.ID, f.typed, time.Now())
	if err != nil {
		return h.show(r, err, f)
	}
	return r.Done(Path(s.ID), "series.saved")
}

// Update saves the form.
func (h *Series) Update(r *web.Request) error {
	f, err := h.newForm(r, r.ID(), readForm(r))
	if err != nil {
		return err
	}
	var stored rules.Input
	_, err = h.kept().Update(r.UserContext(), r.Viewer.User.ID, f.ID, func(s *rules.Series, own rules.Own) (rules.Edit, error) {
		stored = s.Input(own.Fields)
		if err := r.CheckRevision(stored); err != nil {
			return rules.Edit{}, err
		}
		return s.Change(f.typed, own, time.Now())
	})
	if err != nil {
		f.Against(r, err, stored, storedOptions(r, stored)...)
		return h.show(r, err, f)
	}
	return r.Done(Path(f.ID), "series.saved")
}

// storedOptions show what somebody else has saved meanwhile.
func storedOptions(r *web.Request, in rules.Input) []templates.Option {
	options := []templates.Option{{Label: r.Viewer.T("series.name"), Value: in.Name}}
	for i, one := range in.Steps {
		options = append(options, templates.Option{Label: r.Viewer.T("series.step_n", "N", i+1), Value: fmt.Sprintf("%s: %s %s", r.Viewer.T("series.step_wait"), one.Wait, one.At)})
	}
	return options
}

// Work answers the form while it is being made: with another step, without one, or with one moved.
func (h *Series) Work(r *web.Request) error {
	f, err := h.newForm(r, int64(r.QueryInt("id")), readForm(r))
	if err != nil {
		return err
	}
	f.Revision = r.FormValue("revision")
	steps := f.typed.Steps
	act, place, _ := strings.Cut(r.FormValue("do"), ":")
	n, _ := strconv.Atoi(place)
	switch {
	case act == "add" && len(steps) < rules.MaxSteps:
		steps = append(steps, rules.StepInput{Wait: "1"})
	case n < 0 || n >= len(steps):
	case act == "remove":
		steps = slices.Delete(steps, n, n+1)
	case act == "up" && n > 0:
		steps[n-1], steps[n] = steps[n], steps[n-1]
	case act == "down" && n+1 < len(steps):
		steps[n+1], steps[n] = steps[n], steps[n+1]
	}
	f.typed.Steps = steps
	if r.HTMX() {
		if err := h.fill(r, f); err != nil {
			return err
		}
		return r.Block(fiber.StatusOK, "series/form", f)
	}
	return h.show(r, nil, f)
}
