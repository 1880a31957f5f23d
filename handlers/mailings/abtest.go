package mailings

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/abtest"
	"skychimp/domain/email"
	"skychimp/handlers/runs"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// testForm is the block mailings/abtest: what a mailing tries, in the form.
type testForm struct {
	Open                 bool
	Share, Goal, Hours   string
	Rows                 []testRow
	Shares, Goals, Waits []templates.Option
	Messages             []templates.Option // of each row
}

// testRow is one variant beside the message of the mailing.
type testRow struct {
	Letter, Message, Subject string
	Errors                   templates.ValidationErrors // of all rows, shown at the first
}

// waits are the hours that the form offers.
var waits = []int{1, 2, 3, 4, 6, 8, 12, 24, 48, abtest.MaxHours}

// readTest is what was typed; rows that were left empty are in it.
func readTest(r *web.Request) (s abtest.Setup) {
	args := r.Request().PostArgs()
	messages := args.PeekMulti("ab_message_id")
	for i, subject := range args.PeekMulti("ab_subject") {
		one := abtest.Variant{Subject: string(subject)}
		if i < len(messages) {
			one.MessageID, _ = strconv.ParseInt(string(messages[i]), 10, 64)
		}
		s.Variants = append(s.Variants, one)
	}
	s.Share, _ = strconv.Atoi(r.FormValue("ab_share"))
	s.Goal = abtest.Goal(r.FormValue("ab_goal"))
	if hours := r.FormValue("ab_hours"); hours != "" {
		var err error
		if s.Hours, err = strconv.Atoi(hours); err != nil {
			s.Hours = -1
		}
	}
	return s
}

// tests are those of mailings.
type tests struct{ DB *db.DB }

func (h *Mailings) tests() tests { return tests{h.DB} }

// check tells what keeps a subject that is tried from being sent.
func (ts tests) check(r *web.Request, form domain.MailingForm) error {
	fields, err := ts.DB.Fields().List(r.UserContext(), r.Viewer.User.ID)
	var wrong domain.ValidationErrors
	for _, one := range form.AB.Variants {
		if one.Subject == "" || len(wrong) > 0 {
			continue
		}
		_, refused := email.Check(one.Subject, "-", fields...)
		if problems, ok := errors.AsType[domain.ValidationErrors](refused); ok {
			problems[0].Field = "ab_subject"
			wrong = problems[:1]
		}
	}
	if err != nil {
		return err
	}
	return wrong.Err()
}

func (ts tests) form(r *web.Request, typed abtest.Setup, problems templates.ValidationErrors) (form testForm, err error) {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	form = testForm{Share: number(typed.Share), Goal: string(typed.Goal), Hours: number(typed.Hours), Open: typed.Share != 0}
	for _, field := range []string{"ab_share", "ab_subject", "ab_goal", "ab_hours"} {
		form.Open = form.Open || problems.Of(field) != ""
	}
	for n := range abtest.MaxVariants - 1 {
		row := testRow{Letter: runs.Letter(n + 2)}
		if n == 0 {
			row.Errors = problems
		}
		if n < len(typed.Variants) {
			row.Subject = typed.Variants[n].Subject
			if id := typed.Variants[n].MessageID; id != 0 {
				row.Message = strconv.FormatInt(id, 10)
			}
		}
		form.Rows = append(form.Rows, row)
	}
	form.Shares = []templates.Option{{Label: r.Viewer.T("mailings.ab_none")}}
	for _, share := range abtest.Shares() {
		form.Shares = append(form.Shares, templates.Option{Value: strconv.Itoa(share), Label: r.Viewer.T("mailings.ab_share_of", "Share", share)})
	}
	for _, goal := range abtest.Goals() {
		form.Goals = append(form.Goals, templates.Option{Value: string(goal), Label: r.Viewer.T("mailings.ab_goal_" + string(goal))})
	}
	form.Waits = []templates.Option{{Label: r.Viewer.T("mailings.ab_owner_decides")}}
	hours := waits
	if typed.Hours > 0 && !slices.Contains(hours, typed.Hours) {
		hours = append([]int{typed.Hours}, hours...)
	}
	for _, n := range hours {
		form.Waits = append(form.Waits, templates.Option{Value: strconv.Itoa(n), Label: r.Viewer.T("mailings.ab_after", "Time", r.Viewer.Span(time.Duration(n)*time.Hour))})
	}
	form.Messages, err = ts.messages(r, typed)
	return form, err
}

// testOffers is how many of the newest messages a row offers.
const testOffers = 200

// messages are the choices of a row: the message of the mailing, the chosen ones and the newest.
func (ts tests) messages(r *web.Request, typed abtest.Setup) ([]templates.Option, error) {
	chosen, err := ts.DB.Messages().Subjects(r.UserContext(), r.Viewer.User.ID, typed.MessageIDs())
	if err != nil {
		return nil, err
	}
	newest, _, err := ts.DB.Messages().Choices(r.UserContext(), r.Viewer.User.ID, 0, "", testOffers)
	list := []templates.Option{{Label: r.Viewer.T("mailings.ab_same_message")}}
	for _, id := range typed.MessageIDs() {
		if subject := chosen[id]; subject != "" && !slices.ContainsFunc(newest, func(m domain.Message) bool { return m.ID == id }) {
			list = append(list, templates.Option{Value: strconv.FormatInt(id, 10), Label: subject})
		}
	}
	for _, one := range newest {
		list = append(list, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Subject})
	}
	return list, err
}

// testView is what a mailing tries, as its page and the review show it; without variants nothing.
type testView struct {
	Words    string
	Variants []testVariant
	Few      string // that such a test can hardly tell anything
}

// testVariant leads to its message.
type testVariant struct{ Letter, Subject, Path string }

// fewEach is how many recipients of a variant can tell large differences alone: 5 % of clicks from 15 % with so many.
const fewEach = 150

func (ts tests) of(r *web.Request, m domain.Mailing, recipients int) (view testView, err error) {
	if !m.AB.On() {
		return view, nil
	}
	tried := recipients * m.AB.Share / 100
	view.Words = r.Viewer.TN("mailings.ab_tries", len(m.AB.All()), "Share", m.AB.Share, "Tried", tried) + " "
	if m.AB.Hours == 0 {
		view.Words += r.Viewer.T("mailings.ab_rest_owner")
	} else {
		view.Words += r.Viewer.T("mailings.ab_rest_itself", "Best", r.Viewer.T("mailings.ab_best_"+string(m.AB.Goal)), "Time", r.Viewer.Span(time.Duration(m.AB.Hours)*time.Hour))
	}
	if each := tried / len(m.AB.All()); each < fewEach {
		view.Few = r.Viewer.TN("mailings.ab_few", each)
	}
	subjects, err := ts.DB.Messages().Subjects(r.UserContext(), m.OwnerID, append(m.AB.MessageIDs(), m.MessageID))
	for i, one := range m.AB.All() {
		id := one.MessageID
		if id == 0 {
			id = m.MessageID
		}
		path := "/messages/" + strconv.FormatInt(id, 10)
		if one.Subject == "" {
			one.Subject = subjects[id]
		}
		view.Variants = append(view.Variants, testVariant{runs.Letter(i + 1), one.Subject, path})
	}
	return view, err
}
