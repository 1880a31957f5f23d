package mailings

import (
	"fmt"
	"strconv"
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// Dates answers what concerns single dates of a mailing.
type Dates struct{ Mailings *Mailings }

// dateView is the page mailings/date: one date, which can be skipped, moved and brought back.
type dateView struct {
	web.Form
	ID         int64
	No         int
	Name       string
	When       string // in the mailing's zone
	Timezone   string
	At         web.Moment // for programs, and in the viewer's zone
	Day        string     // as in the address
	Planned    string     // where the calendar has it, if it was moved
	To         string     // in the field
	Recipients int64
	Audience   string
	Skipped    bool
	Open       bool // it can be changed
	Only       bool // it can't be skipped: there is no other
	Launched   bool
}

func datePath(mailing int64, no int) string { return fmt.Sprintf("/mailings/%d/dates/%d", mailing, no) }

// Show shows a date.
func (h *Dates) Show(r *web.Request) error {
	m, err := h.Mailings.ownMailing(r)
	if err != nil {
		return err
	}
	return h.show(r, nil, m, "")
}

func (h *Dates) show(r *web.Request, refusal error, m domain.Mailing, typed string) error {
	no, err := dateNumber(r)
	if err != nil {
		return err
	}
	date, err := m.Date(no)
	if err != nil {
		return err
	}
	zone := m.Schedule().Zone
	view := &dateView{ID: m.ID, No: no, Name: m.Name, When: r.Viewer.Day(date.At.In(zone)), Timezone: m.Timezone, At: r.Viewer.Moment(date.At),
		Day: date.At.In(r.Viewer.Zone).Format(time.DateOnly), To: typed, Audience: audienceOf(r, m), Skipped: date.Skipped,
		Open: m.MayExcept(no, time.Now()), Only: m.Periodicity == domain.Once, Launched: m.Status == domain.Running}
	if date.Moved() {
		view.Planned = r.Viewer.Day(date.Planned.In(zone))
	}
	if typed == "" {
		view.To = date.At.In(zone).Format(domain.WallFormat)
	}
	recipients, _, err := h.Mailings.DB.Mailings().RecipientCount(r.UserContext(), m)
	if err != nil {
		return err
	}
	view.Recipients = int64(recipients) - m.Holdout.Expected(int64(recipients))
	return r.Form(refusal, "mailings/date", view)
}

// dateNumber is the number in the path.
func dateNumber(r *web.Request) (int, error) {
	no, err := strconv.Atoi(r.Params("no"))
	if err != nil || no < 0 {
		return 0, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return no, nil
}

// Change skips the date, moves it or brings it back.
func (h *Dates) Change(r *web.Request) error {
	no, err := dateNumber(r)
	if err != nil {
		return err
	}
	do, typed, now := r.FormValue("do"), r.FormValue("at"), time.Now()
	done := "mailings.date_skipped"
	m, err := h.Mailings.DB.Mailings().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(m *domain.Mailing) error {
		switch do {
		case "move":
			done = "mailings.date_moved"
			return m.Move(no, typed, now)
		case "restore":
			done = "mailings.date_restored"
			return m.Restore(no, now)
		}
		return m.Skip(no, now)
	})
	if kind := domain.KindOf(err); kind == domain.Invalid || kind == domain.Conflict {
		if m, stale := h.Mailings.ownMailing(r); stale == nil {
			return h.show(r, err, m, typed)
		}
	}
	if err != nil {
		return err
	}
	return r.Done(datePath(m.ID, no), done)
}

// upcomingDate is one of the next dates on a mailing's page.
type upcomingDate struct {
	web.Moment
	Path  string // where it can be changed, "" for who may not
	Moved bool

	Subject string // where the mailing takes several messages in turn
}

// upcomingDates are the next five in the mailing's zone, and those that are skipped until the last of them.
func upcomingDates(r *web.Request, m domain.Mailing) (next, skipped []upcomingDate) {
	mine, now := m.OwnerID == r.Viewer.User.ID, time.Now()
	show := func(no int, at time.Time) upcomingDate {
		one := upcomingDate{Moment: inZone(r, m, at)}
		if mine {
			one.Path = datePath(m.ID, no)
		}
		return one
	}
	end := now.AddDate(1, 0, 0)
	for _, o := range m.Upcoming(now, 5) {
		one := show(o.No, o.At)
		if date, err := m.Date(o.No); err == nil {
			one.Moved = date.Moved()
		}
		next, end = append(next, one), o.At
	}
	for _, slot := range domain.SkippedSlots([]domain.Mailing{m}, now, end) {
		skipped = append(skipped, show(slot.No, slot.At))
	}
	return next, skipped
}

// inZone is a point in time as the mailing's clocks show it.
func inZone(r *web.Request, m domain.Mailing, at time.Time) web.Moment {
	moment := r.Viewer.Moment(at)
	moment.Text, moment.Zone = r.Viewer.Wall(at.In(m.Schedule().Zone)), m.Timezone
	return moment
}
