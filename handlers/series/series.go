// Package series answers what concerns series and who is where in them.
package series

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	dbseries "skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/holdout"
	"skychimp/handlers/messages"
	"skychimp/handlers/senders"
	"skychimp/handlers/web"
)

// Series answers what concerns series.
type Series struct {
	DB       *db.DB
	Senders  *senders.Senders
	Messages *messages.Messages
	Holdouts *holdout.Holdouts
}

func (h *Series) kept() dbseries.Series { return dbseries.In(h.DB) }

// Path is the page of a series.
func Path(id int64) string { return "/series/" + strconv.FormatInt(id, 10) }

// listView is the page series/list.
type listView struct{ Rows []seriesRow }

// seriesRow is the block series/row, and the head of a series' page.
type seriesRow struct {
	ID                                     int64
	Name                                   string
	Status                                 domain.MailingStatus
	Paused                                 bool
	DisabledReason                         string
	Entry                                  string // in words
	Goal                                   string
	Steps                                  int
	Waiting, Finished                      int64
	Edit, Launch, Pause, Resume, End, Mine bool
}

// List shows the owner's series.
func (h *Series) List(r *web.Request) error {
	rows, err := h.kept().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := listView{}
	for _, one := range rows {
		row, err := h.row(r, one.Series)
		if err != nil {
			return err
		}
		row.Waiting, row.Finished = one.Waiting, one.Finished
		view.Rows = append(view.Rows, row)
	}
	return r.Page(fiber.StatusOK, "series/list", view)
}

func (h *Series) row(r *web.Request, s rules.Series) (seriesRow, error) {
	m, mine := s.Mailing, s.OwnerID == r.Viewer.User.ID && r.Viewer.User.MayOwn()
	row := seriesRow{ID: s.ID, Name: m.Name, Status: m.Status, Paused: m.Paused(), DisabledReason: m.DisabledReason, Goal: s.GoalTag, Steps: len(s.Steps), Mine: mine,
		Edit: mine && m.MayEdit(), Launch: mine && m.MayLaunch(time.Now()), Pause: mine && m.MayPause(), Resume: mine && m.MayResume(), End: mine && m.MayStop(time.Now())}
	own, err := h.kept().Own(r.UserContext(), s.OwnerID)
	row.Entry = entryWords(r, s, own)
	return row, err
}

// entryWords say how clients come in.
func entryWords(r *web.Request, s rules.Series, own rules.Own) string {
	switch s.Entry {
	case rules.Tag:
		return r.Viewer.T("series.says_tag", "Tag", s.Tag)
	case rules.Form:
		for _, one := range own.Forms {
			if one.ID == s.FormID {
				return r.Viewer.T("series.says_form", "Form", one.Name)
			}
		}
		return r.Viewer.T("series.form_gone")
	case rules.Date:
		at := slices.IndexFunc(own.Fields, func(f domain.Field) bool { return f.ID == s.FieldID })
		if at < 0 {
			return r.Viewer.T("series.field_gone")
		}
		key, days := "series.says_date_on", s.Days
		switch {
		case days < 0:
			key, days = "series.says_date_before", -days
		case days > 0:
			key = "series.says_date_after"
		}
		text := r.Viewer.TN(key, days, "Field", own.Fields[at].Label)
		if s.Yearly {
			text += ", " + r.Viewer.T("series.says_yearly")
		}
		return text
	}
	return r.Viewer.T("series.says_" + string(s.Entry))
}

// stepRow is one step on the page.
type stepRow struct {
	ID            int64
	Position      int
	MessageID     int64
	Subject, When string
	Waiting       int64
	NextAt        web.Moment
	Passed        int64 // asks: have gone past its place without it
	Figures       []figure
}

// figure is what came of a step: how many, and which share of those who got it.
type figure struct {
	Kind, Label string // Kind names the element count-<kind>
	N           int64
	Share       string // "": it is no share
}

// seriesView is the page series/show.
type seriesView struct {
	seriesRow
	Owner         string // the owner's name, when the viewer is somebody else
	StepRows      []stepRow
	In            int64 // who is or was in it
	Left          int64
	Zone          string
	Now           nowView
	DisabledSince web.Moment
	PausedSince   web.Moment
	Runs          bool
	Unreliable    bool // opens are shown
	Oversee       bool
	Holdout       *holdout.Result
}

// Show shows a series.
func (h *Series) Show(r *web.Request) error {
	s, err := h.kept().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	view := seriesView{Oversee: r.Viewer.User.MayOversee(),
		DisabledSince: r.Viewer.Moment(s.Mailing.DisabledAt), PausedSince: r.Viewer.Moment(s.Mailing.PausedAt), Zone: s.Mailing.Timezone}
	if view.seriesRow, err = h.row(r, s); err != nil {
		return err
	}
	if view.Now, err = h.nowOf(r, s); err != nil {
		return err
	}
	if !view.Mine {
		owner, err := h.DB.Users().Get(r.UserContext(), s.OwnerID)
		if err != nil {
			return err
		}
		view.Owner = owner.Name + " <" + owner.Email + ">"
	}
	if view.Holdout, err = h.Holdouts.Of(r, s.Mailing); err != nil {
		return err
	}
	counts, err := h.kept().Counts(r.UserContext(), s)
	if err != nil {
		return err
	}
	subjects, err := h.subjects(r, s)
	if err != nil {
		return err
	}
	for _, step := range s.Steps {
		n := counts[step.ID]
		view.StepRows = append(view.StepRows, stepRow{ID: step.ID, Position: step.Position, MessageID: step.MessageID, Subject: subjects[step.MessageID],
			When: stepWords(r, step), Waiting: n.Waiting, NextAt: r.Viewer.Moment(n.NextAt), Passed: n.Passed, Figures: figures(r, s.Mailing.Tracking, n)})
		view.Waiting += n.Waiting
		view.Unreliable = view.Unreliable || s.Mailing.TrackOpens || n.Opened > 0
		view.Runs = view.Runs || n.Sent > 0
	}
	states, err := h.kept().States(r.UserContext(), s.ID)
	view.In, view.Finished, view.Left = states.In, states.Finished, states.Left
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "series/show", view)
}

// figures are what came of a step; opens and clicks where they are counted, or were.
func figures(r *web.Request, tracking domain.Tracking, n dbseries.StepCount) []figure {
	of := func(kind string, count int64) figure {
		f := figure{Kind: kind, Label: r.Viewer.T("series.step_" + kind), N: count}
		if n.Sent > 0 {
			f.Share = r.Viewer.Share(count, n.Sent)
		}
		return f
	}
	list := []figure{{Kind: "waiting", Label: r.Viewer.T("series.step_waiting"), N: n.Waiting}, {Kind: "accepted", Label: r.Viewer.T("series.step_accepted"), N: n.Sent}}
	if tracking.TrackOpens || n.Opened > 0 {
		list = append(list, of("opened", n.Opened))
	}
	if tracking.TrackClicks || n.Clicked > 0 {
		list = append(list, of("clicked", n.Clicked))
	}
	return append(list, of("unsubscribed", n.Unsubscribed))
}

// subjects are those of the messages of the steps.
func (h *Series) subjects(r *web.Request, s rules.Series) (map[int64]string, error) {
	var ids []int64
	for _, one := range s.Steps {
		ids = append(ids, one.MessageID)
	}
	list, err := h.kept().Messages(r.UserContext(), s.OwnerID, ids, 0)
	subjects := map[int64]string{}
	for _, one := range list {
		subjects[one.ID] = one.Subject
	}
	return subjects, err
}

// stepWords say when a step goes out.
func stepWords(r *web.Request, step rules.Step) string {
	key := "series.when_days"
	switch {
	case step.WaitDays == 0 && step.Position == 1:
		key = "series.when_entry"
	case step.WaitDays == 0:
		key = "series.when_next"
	}
	text := r.Viewer.TN(key, step.WaitDays)
	if step.At != "" {
		text += r.Viewer.T("series.when_at", "Time", step.At)
	}
	if len(step.Weekdays) > 0 {
		var days []string
		for _, one := range step.Weekdays {
			days = append(days, r.Viewer.T("series.day_"+string(one)))
		}
		text += ", " + strings.Join(days, ", ")
	}
	return text
}

// deleteView is the page series/delete.
type deleteView struct {
	ID   int64
	Name string
}

// AskDelete asks whether it is meant.
func (h *Series) AskDelete(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "series/delete", deleteView{s.ID, s.Mailing.Name})
}

// Delete deletes a series.
func (h *Series) Delete(r *web.Request) error {
	if err := h.kept().Delete(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()); err != nil {
		return err
	}
	return r.Saved("/series", web.Fragment{}, "series.deleted")
}

// own is the series of the path, if it is the viewer's.
func (h *Series) own(r *web.Request) (rules.Series, error) {
	return h.kept().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// Pause holds a series.
func (h *Series) Pause(r *web.Request) error {
	return h.done(r, h.kept().Pause(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()), "series.paused")
}

// Resume lets it go on.
func (h *Series) Resume(r *web.Request) error {
	return h.done(r, h.kept().Resume(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()), "series.resumed")
}

// Finish ends it for everybody.
func (h *Series) Finish(r *web.Request) error {
	return h.done(r, h.kept().Finish(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()), "series.ended")
}

// AskFinish asks whether it is meant.
func (h *Series) AskFinish(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "series/finish", deleteView{s.ID, s.Mailing.Name})
}

// Answer says whether those who have passed a step's place get it.
func (h *Series) Answer(r *web.Request) error {
	step, err := strconv.ParseInt(r.FormValue("step"), 10, 64)
	if err != nil {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	send, key := r.FormValue("send") == "yes", "series.passed_left"
	if send {
		key = "series.passed_sent"
	}
	return h.done(r, h.kept().Answer(r.UserContext(), r.Viewer.User.ID, r.ID(), step, send), key)
}

func (h *Series) done(r *web.Request, err error, key string) error {
	if err != nil {
		return err
	}
	return r.Done(Path(r.ID()), key)
}
