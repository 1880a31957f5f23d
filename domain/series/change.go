package series

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"skychimp/domain"
	"skychimp/domain/holdout"
)

// Input is the form of a series.
type Input struct {
	Name                       string
	SenderID, TopicID          int64
	Entry, EntryValue, GoalTag string
	Tracking                   domain.Tracking
	Holdout                    holdout.Form
	Steps                      []StepInput
}

// StepInput is one step of the form. ID is that of a step that is there already.
type StepInput struct {
	ID, MessageID int64
	Wait, At      string
	Weekdays      []string // mon to sun; none: all
}

// Own are the things of an owner that an entry can name.
type Own struct {
	Forms  []domain.Form
	Fields []domain.Field
	Zone   string
}

// Input is the form as the series is stored; fields are the owner's.
func (s Series) Input(fields []domain.Field) Input {
	in := Input{Name: s.Mailing.Name, SenderID: s.Mailing.SenderID, TopicID: s.Mailing.TopicID, Entry: string(s.Entry), GoalTag: s.GoalTag,
		Tracking: s.Mailing.Tracking, Holdout: s.Mailing.Holdout.Form()}
	key := ""
	for _, one := range fields {
		if one.ID == s.FieldID {
			key = one.Key
		}
	}
	in.EntryValue = s.EntryValue(key)
	for _, one := range s.Steps {
		step := StepInput{ID: one.ID, MessageID: one.MessageID, Wait: strconv.Itoa(one.WaitDays), At: one.At}
		for _, day := range one.Weekdays {
			step.Weekdays = append(step.Weekdays, string(day))
		}
		in.Steps = append(in.Steps, step)
	}
	return in
}

// Change applies the form and tells what follows for those under way. Of a series that was launched the entry is fixed:
// who is in it came by that way.
func (s *Series) Change(in Input, own Own, now time.Time) (Edit, error) {
	var p domain.ValidationErrors
	if !s.Mailing.MayEdit() {
		return Edit{}, domain.Errorf(domain.Conflict, "", "series.finished_fixed")
	}
	before := *s
	s.Mailing.ChangeSeries(&p, domain.MailingForm{Name: in.Name, SenderID: in.SenderID, TopicID: in.TopicID, Timezone: own.Zone, Tracking: in.Tracking, Holdout: in.Holdout}, now)
	s.changeEntry(&p, in, own)
	if s.Mailing.Status == domain.Running && !s.sameEntry(before) && len(p) == 0 {
		p.Add("entry", "series.running_fixed")
	}
	s.GoalTag = oneTag(&p, "goal_tag", in.GoalTag, false)
	if s.Entry == Tag && s.GoalTag != "" && strings.EqualFold(s.GoalTag, s.Tag) {
		p.Add("goal_tag", "series.goal_is_entry")
	}
	steps := readSteps(&p, in.Steps)
	if err := p.Err(); err != nil {
		return Edit{}, err
	}
	edit := s.replace(steps)
	s.Steps = edit.Steps
	return edit, nil
}

func (s Series) sameEntry(o Series) bool {
	return s.Entry == o.Entry && strings.EqualFold(s.Tag, o.Tag) && s.FormID == o.FormID && s.FieldID == o.FieldID && s.Days == o.Days && s.Yearly == o.Yearly
}

// changeEntry reads how clients come in. Of a date the value is the field's key, the days after (+3) or before it (-3),
// and "yearly".
func (s *Series) changeEntry(p *domain.ValidationErrors, in Input, own Own) {
	s.Entry, s.Tag, s.FormID, s.FieldID, s.Days, s.Yearly = Entry(in.Entry), "", 0, 0, 0, false
	switch value := strings.TrimSpace(in.EntryValue); s.Entry {
	case Added, Manual:
	case Tag:
		s.Tag = oneTag(p, "entry_value", value, true)
	case Form:
		for _, one := range own.Forms {
			if strconv.FormatInt(one.ID, 10) == value || value == one.Token && value != "" {
				s.FormID = one.ID
			}
		}
		if s.FormID == 0 {
			p.Add("entry_value", "series.form_required")
		}
	case Date:
		s.changeDate(p, value, own.Fields)
	default:
		p.Add("entry", "series.entry_unknown")
	}
}

func (s *Series) changeDate(p *domain.ValidationErrors, value string, fields []domain.Field) {
	key, every := strings.CutSuffix(strings.ReplaceAll(value, ",", " "), yearly)
	s.Yearly = every
	key = strings.TrimSpace(key)
	if at := strings.IndexAny(key, "+-"); at >= 0 {
		days, err := strconv.Atoi(strings.TrimSpace(key[at:]))
		if key = strings.TrimSpace(key[:at]); err != nil || days > MaxDays || days < -MaxDays {
			p.Add("entry_value", "series.days_wrong", "Max", MaxDays)
			return
		}
		s.Days = days
	}
	for _, one := range fields {
		if one.Type == domain.FieldDate && one.Key == key {
			s.FieldID = one.ID
		}
	}
	if s.FieldID == 0 {
		p.Add("entry_value", "series.field_required")
	}
}

// oneTag reads a single tag.
func oneTag(p *domain.ValidationErrors, field, text string, required bool) string {
	tags := domain.ParseTags(text)
	switch {
	case len(tags) == 0 && required:
		p.Add(field, "series.tag_required")
	case len(tags) > 1:
		p.Add(field, "series.tag_one")
	case len(tags) == 1 && !domain.FitsTag(tags[0]):
		p.Add(field, "clients.tag_long", "Max", 50)
	case len(tags) == 1:
		return tags[0]
	}
	return ""
}

// readSteps reads the steps; what is wrong with the n-th is a problem of the field step_wait-n, and so on.
func readSteps(p *domain.ValidationErrors, in []StepInput) (steps []Step) {
	switch {
	case len(in) == 0:
		p.Add("steps", "series.steps_required")
	case len(in) > MaxSteps:
		p.Add("steps", "series.steps_many", "Max", MaxSteps)
		return nil
	}
	for i, one := range in {
		place := "-" + strconv.Itoa(i)
		step := Step{ID: one.ID, MessageID: one.MessageID, Weekdays: []domain.Weekday{}}
		if one.MessageID == 0 {
			p.Add("step_message_id"+place, "series.message_required")
		}
		wait, err := strconv.Atoi(strings.TrimSpace(one.Wait))
		if one.Wait != "" && err != nil || wait < 0 || wait > MaxWait {
			p.Add("step_wait"+place, "series.wait_wrong", "Max", MaxWait)
		}
		step.WaitDays = wait
		if step.At = strings.TrimSpace(one.At); step.At != "" {
			clock, err := time.Parse("15:04", step.At)
			if err != nil {
				p.Add("step_at"+place, "series.at_wrong")
			}
			step.At = clock.Format("15:04")
		}
		for _, day := range domain.Weekdays() {
			if slices.Contains(one.Weekdays, string(day)) {
				step.Weekdays = append(step.Weekdays, day)
			}
		}
		if slices.ContainsFunc(one.Weekdays, func(day string) bool { return !slices.Contains(domain.Weekdays(), domain.Weekday(day)) }) {
			p.Add("step_weekdays"+place, "mailings.weekday_unknown")
		}
		if len(step.Weekdays) == len(domain.Weekdays()) {
			step.Weekdays = []domain.Weekday{}
		}
		steps = append(steps, step)
	}
	return steps
}
