package mailings

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// Calendar answers what went out and what is to come, over all mailings and series of an owner.
type Calendar struct{ Mailings *Mailings }

// calendarView is the page mailings/calendar: what ran and what is to come in a month or a week.
type calendarView struct {
	Title          string
	Zone           string
	Week           bool
	Month, Of      string // this month, and a day of this week, as in the address
	Previous, Next string // addresses, "" beyond what there is to see
	Weekdays       []string
	Weeks          [][]calendarDay
	Crowds         []crowdView
	Clashes        []calendarClash
	Empty          bool
}

// calendarDay is the block mailings/calendar-day.
type calendarDay struct {
	Day     int
	Date    string // as in the address
	Words   string // with the month, for lists
	Outside bool   // of the month
	Today   bool
	Slots   []calendarSlot
	More    int // runs that are not shown
}

// calendarSlot is a run, or a date that a mailing will have.
type calendarSlot struct {
	Path     string
	Name     string
	At       web.Moment // Text is the clock
	State    string     // planned, series, skipped, or how a run went: going, good, bad, missed
	Note     string     // of a run: how it went, in words
	Clashing bool
	day      string
	mailing  int64
}

type calendarClash struct {
	One, Other calendarSlot
	SameHour   bool
	Clients    int64
	Days       []dayLink
}

// crowdView is the same clients that several mailings reach on one day.
type crowdView struct {
	Words    string
	Mailings []calendarSlot
	Days     []dayLink
}

// dayLink leads to a day.
type dayLink struct{ Date, Text string }

const (
	calendarMailings = 200 // the soonest; nobody could read more
	calendarSlots    = 5   // of a day of a month
	calendarWeek     = 50  // of a day of a week
	calendarDays     = 6   // that a clash lists
	calendarClashes  = 50  // the ones within an hour first
	calendarCrowds   = 10
	monthFormat      = "2006-01"
)

// span is what a calendar shows: some weeks, or the days of one month.
type span struct {
	first, end time.Time
	week       bool
}

// spanOf is what the address asks for, by default this month.
func spanOf(r *web.Request, now time.Time) span {
	zone := r.Viewer.Zone
	if day, err := time.ParseInLocation(time.DateOnly, r.Query("week"), zone); err == nil && dayShown(r, day) {
		first := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return span{first, first.AddDate(0, 0, 7), true}
	}
	first, err := time.ParseInLocation(monthFormat, r.Query("month"), zone)
	if err != nil || !dayShown(r, first.AddDate(0, 1, -1)) {
		first = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone)
	}
	return span{first, first.AddDate(0, 1, 0), false}
}

// dayShown reports whether there can be anything on a day: not before the viewer had an account.
func dayShown(r *web.Request, day time.Time) bool {
	return day.Year() <= 2199 && day.AddDate(0, 0, 1).After(r.Viewer.User.CreatedAt)
}

// Show shows a month or a week in the viewer's zone.
func (c *Calendar) Show(r *web.Request) error {
	now, user := time.Now().In(r.Viewer.Zone), r.Viewer.User
	shown := spanOf(r, now)
	runs, err := c.Mailings.DB.Runs().Between(r.UserContext(), user.ID, shown.first, shown.end)
	if err != nil {
		return err
	}
	mailings, err := c.Mailings.DB.Mailings().Next(r.UserContext(), user.ID, calendarMailings)
	if err != nil {
		return err
	}
	slots := domain.Ahead(mailings, shown.first, shown.end)
	view := newCalendarView(r, shown, now)
	expected, err := c.expectedRows(r, shown.first, shown.end)
	if err != nil {
		return err
	}
	view.Empty = len(slots) == 0 && len(runs) == 0 && len(expected) == 0
	clashing, err := c.clashes(r, &view, mailings, slots)
	if err != nil {
		return err
	}
	subjects, err := c.Mailings.subjectsOf(r, domain.MailingsOf(slots))
	if err != nil {
		return err
	}
	planned := plannedSlots(r, slots, "planned")
	for i, slot := range slots {
		planned[i].Note = subjects[slot.Mailing.ID][slot.No]
	}
	list := slices.Concat(pastSlots(r, runs), slotsOf(expected), planned, plannedSlots(r, domain.SkippedSlots(mailings, shown.first, shown.end), "skipped"))
	slices.SortStableFunc(list, func(a, b calendarSlot) int { return cmp.Compare(a.At.UTC, b.At.UTC) })
	for i, one := range list {
		list[i].Clashing = one.State == "planned" && clashing[one.mailing][one.day]
	}
	view.Weeks = calendarWeeks(r, shown, now, list)
	return r.Page(fiber.StatusOK, "mailings/calendar", view)
}

func newCalendarView(r *web.Request, shown span, now time.Time) calendarView {
	view := calendarView{Zone: r.Viewer.Zone.String(), Week: shown.week, Month: shown.first.Format(monthFormat), Of: shown.first.Format(time.DateOnly)}
	if !shown.week && !now.Before(shown.first) && now.Before(shown.end) {
		view.Of = now.Format(time.DateOnly)
	}
	for weekday := range 7 {
		view.Weekdays = append(view.Weekdays, r.Viewer.T("time.weekday_"+strconv.Itoa((weekday+1)%7)))
	}
	if shown.week {
		view.Month = shown.first.AddDate(0, 0, 3).Format(monthFormat)
		view.Title = r.Viewer.T("mailings.calendar_week_of", "Day", r.Viewer.Date(shown.first)+" "+shown.first.Format("2006"))
		view.Next = "/calendar?week=" + shown.end.Format(time.DateOnly)
		if before := shown.first.AddDate(0, 0, -1); dayShown(r, before) {
			view.Previous = "/calendar?week=" + before.Format(time.DateOnly)
		}
		return view
	}
	view.Title = r.Viewer.T("time.month_year", "Month", r.Viewer.T("time.name_"+shown.first.Format("01")), "Year", shown.first.Format("2006"))
	view.Next = "/calendar?month=" + shown.end.Format(monthFormat)
	if before := shown.first.AddDate(0, 0, -1); dayShown(r, before) {
		view.Previous = "/calendar?month=" + before.Format(monthFormat)
	}
	return view
}

// clashes fills in who gets several emails on a day, and is the days of each mailing on which its clients do.
func (c *Calendar) clashes(r *web.Request, view *calendarView, mailings []domain.Mailing, slots []domain.Slot) (map[int64]map[string]bool, error) {
	clashing, zone := map[int64]map[string]bool{}, r.Viewer.Zone
	if len(slots) < 2 {
		return clashing, nil
	}
	overlaps, err := c.Mailings.DB.Mailings().Audiences().Overlaps(r.UserContext(), r.Viewer.User.ID, mailings)
	if err != nil {
		return nil, err
	}
	clashes := domain.Clashes(slots, zone, overlaps.Of)
	for _, one := range clashes[:min(len(clashes), calendarClashes)] {
		shown := calendarClash{One: plannedSlot(r, one.One, one.At[0], 0, "planned"), Other: plannedSlot(r, one.Other, one.At[0], 0, "planned"),
			SameHour: one.SameHour, Clients: one.Clients, Days: dayLinks(r, one.At)}
		shown.One.Path, shown.Other.Path = Path(one.One.ID), Path(one.Other.ID)
		view.Clashes = append(view.Clashes, shown)
		for _, m := range []int64{one.One.ID, one.Other.ID} {
			if clashing[m] == nil {
				clashing[m] = map[string]bool{}
			}
			for _, at := range one.At {
				clashing[m][at.In(zone).Format(time.DateOnly)] = true
			}
		}
	}
	crowds := overlaps.CrowdedDays(slots, zone)
	for _, one := range crowds[:min(len(crowds), calendarCrowds)] {
		view.Crowds = append(view.Crowds, newCrowd(r, one))
	}
	return clashing, nil
}

func newCrowd(r *web.Request, crowd domain.Crowd) crowdView {
	view := crowdView{Words: r.Viewer.TN("mailings.crowd", len(crowd.Mailings), "Clients", r.Viewer.TN("mailings.crowd_clients", int(crowd.Clients))),
		Days: dayLinks(r, crowd.Days)}
	for _, m := range crowd.Mailings {
		view.Mailings = append(view.Mailings, calendarSlot{Path: Path(m.ID), Name: m.Name})
	}
	return view
}

func dayLinks(r *web.Request, days []time.Time) (links []dayLink) {
	for _, at := range days[:min(len(days), calendarDays)] {
		at = at.In(r.Viewer.Zone)
		links = append(links, dayLink{at.Format(time.DateOnly), r.Viewer.DayMonth(at)})
	}
	return links
}

// calendarWeeks are whole weeks from Monday on, as many as the span touches.
func calendarWeeks(r *web.Request, shown span, now time.Time, slots []calendarSlot) (weeks [][]calendarDay) {
	today, most := now.Format(time.DateOnly), calendarSlots
	if shown.week {
		most = calendarWeek
	}
	day := shown.first.AddDate(0, 0, -(int(shown.first.Weekday())+6)%7)
	for day.Before(shown.end) {
		week := make([]calendarDay, 7)
		for i := range week {
			date := day.Format(time.DateOnly)
			week[i] = calendarDay{Day: day.Day(), Date: date, Outside: day.Before(shown.first) || !day.Before(shown.end), Today: date == today,
				Words: r.Viewer.DayMonth(day)}
			for len(slots) > 0 && slots[0].day == date {
				if len(week[i].Slots) < most {
					week[i].Slots = append(week[i].Slots, slots[0])
				} else {
					week[i].More++
				}
				slots = slots[1:]
			}
			day = day.AddDate(0, 0, 1)
		}
		weeks = append(weeks, week)
	}
	return weeks
}

func plannedSlots(r *web.Request, slots []domain.Slot, state string) (list []calendarSlot) {
	for _, one := range slots {
		list = append(list, plannedSlot(r, one.Mailing, one.At, one.No, state))
	}
	return list
}

func plannedSlot(r *web.Request, m domain.Mailing, at time.Time, no int, state string) calendarSlot {
	return calendarSlot{Path: datePath(m.ID, no), Name: m.Name, At: clockOf(r, at), State: state, day: at.In(r.Viewer.Zone).Format(time.DateOnly), mailing: m.ID}
}

// clockOf is a point in time whose day stands beside it.
func clockOf(r *web.Request, at time.Time) web.Moment {
	moment := r.Viewer.Moment(at)
	moment.Text = at.In(r.Viewer.Zone).Format("15:04")
	return moment
}

func pastSlots(r *web.Request, runs []db.CalendarRun) (list []calendarSlot) {
	for _, run := range runs {
		slot := calendarSlot{Path: "/runs/" + strconv.FormatInt(run.ID, 10), Name: run.Name, At: clockOf(r, run.ScheduledAt), State: "good",
			day: run.ScheduledAt.In(r.Viewer.Zone).Format(time.DateOnly), mailing: run.MailingID}
		slot.Note = r.Viewer.T("mailings.calendar_sent", "Accepted", run.Accepted, "Planned", run.Planned)
		switch {
		case run.Status == domain.RunMissed:
			slot.State, slot.Note = "missed", r.Viewer.T("runs.status_missed")
		case run.Status != domain.RunDone:
			slot.State = "going"
		case run.Failed > 0 || run.Planned > 0 && run.Accepted == 0:
			slot.State = "bad"
		}
		list = append(list, slot)
	}
	return list
}
