package mailings

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// calendarView is the page mailings/calendar: the coming runs of one month.
type calendarView struct {
	Title          string
	Zone           string
	Previous, Next string // months as in the address, "" beyond what there is to see
	Weekdays       []string
	Weeks          [][]calendarDay
	Clashes        []calendarClash
	Empty          bool
}

// calendarDay is the block mailings/calendar-day.
type calendarDay struct {
	Day     int
	Words   string // with the month, for lists
	Outside bool   // of the month
	Today   bool
	Slots   []calendarSlot
	More    int // runs that are not shown
}

type calendarSlot struct {
	MailingID int64
	Name      string
	At        web.Moment // Text is the clock
	Clashing  bool
}

type calendarClash struct {
	One, Other calendarSlot
	SameHour   bool
	Clients    int64
	Days       []web.Moment
}

const (
	calendarMailings = 200 // the soonest; nobody could read more
	calendarSlots    = 5   // of a day
	calendarDays     = 6   // that a clash lists
	calendarClashes  = 50  // the ones within an hour first
	monthFormat      = "2006-01"
)

// Calendar shows a month, by default this one, in the viewer's zone.
func (h *Mailings) Calendar(r *web.Request) error {
	zone, now, user := r.Viewer.Zone, time.Now(), r.Viewer.User
	this := now.In(zone).Format(monthFormat)
	first, err := time.ParseInLocation(monthFormat, max(r.Query("month"), this), zone) // there is nothing to come before
	if err != nil || first.Year() > 2199 {
		first, _ = time.ParseInLocation(monthFormat, this, zone)
	}
	mailings, err := h.DB.Mailings().Next(r.UserContext(), user.ID, calendarMailings)
	if err != nil {
		return err
	}
	end := first.AddDate(0, 1, 0)
	slots := domain.Ahead(mailings, first, end)
	var clashes []domain.Clash
	if len(slots) > 1 {
		overlaps, err := h.DB.Mailings().Overlaps(r.UserContext(), user.ID, mailings)
		if err != nil {
			return err
		}
		clashes = domain.Clashes(slots, zone, overlaps.Of)
		clashes = clashes[:min(len(clashes), calendarClashes)]
	}
	view := calendarView{Title: r.Viewer.T("time.month_year", "Month", r.Viewer.T("time.name_"+first.Format("01")), "Year", first.Format("2006")),
		Zone: zone.String(), Next: end.Format(monthFormat), Empty: len(slots) == 0}
	if month := first.AddDate(0, -1, 0).Format(monthFormat); month >= this {
		view.Previous = month
	}
	for weekday := range 7 {
		view.Weekdays = append(view.Weekdays, r.Viewer.T("time.weekday_"+strconv.Itoa((weekday+1)%7)))
	}
	view.Weeks = h.calendarWeeks(r, first, slots, clashes)
	for _, one := range clashes {
		view.Clashes = append(view.Clashes, h.calendarClash(r, one))
	}
	return r.Page(fiber.StatusOK, "mailings/calendar", view)
}

// calendarWeeks are whole weeks from Monday on, as many as the month touches.
func (h *Mailings) calendarWeeks(r *web.Request, first time.Time, slots []domain.Slot, clashes []domain.Clash) (weeks [][]calendarDay) {
	clash := map[int64]map[string]bool{} // mailings and the days of their clashes
	for _, one := range clashes {
		for _, m := range []int64{one.One.ID, one.Other.ID} {
			if clash[m] == nil {
				clash[m] = map[string]bool{}
			}
			for _, at := range one.At {
				clash[m][at.In(first.Location()).Format(time.DateOnly)] = true
			}
		}
	}
	today := time.Now().In(first.Location()).Format(time.DateOnly)
	day := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	for day.Before(first.AddDate(0, 1, 0)) {
		week := make([]calendarDay, 7)
		for i := range week {
			date := day.Format(time.DateOnly)
			week[i] = calendarDay{Day: day.Day(), Outside: day.Month() != first.Month(), Today: date == today,
				Words: r.Viewer.DayMonth(day)}
			for len(slots) > 0 && slots[0].At.In(first.Location()).Format(time.DateOnly) == date {
				if len(week[i].Slots) < calendarSlots {
					slot := h.calendarSlot(r, slots[0].Mailing, slots[0].At)
					slot.Clashing = clash[slot.MailingID][date]
					week[i].Slots = append(week[i].Slots, slot)
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

func (h *Mailings) calendarSlot(r *web.Request, m domain.Mailing, at time.Time) calendarSlot {
	moment := r.Viewer.Moment(at)
	moment.Text = at.In(r.Viewer.Zone).Format("15:04")
	return calendarSlot{MailingID: m.ID, Name: m.Name, At: moment}
}

func (h *Mailings) calendarClash(r *web.Request, one domain.Clash) calendarClash {
	view := calendarClash{One: h.calendarSlot(r, one.One, one.At[0]), Other: h.calendarSlot(r, one.Other, one.At[0]),
		SameHour: one.SameHour, Clients: one.Clients}
	for _, at := range one.At[:min(len(one.At), calendarDays)] {
		view.Days = append(view.Days, r.Viewer.Moment(at))
	}
	return view
}
