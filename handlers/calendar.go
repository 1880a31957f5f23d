package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// calendarView is the page calendar/page: the coming runs of one month.
type calendarView struct {
	Title          string
	Zone           string
	Previous, Next string // months as in the address, "" beyond what there is to see
	Weekdays       []string
	Weeks          [][]calendarDay
	Clashes        []calendarClash
	Empty          bool
}

// calendarDay is the block calendar/day.
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
	At        Moment // Text is the clock
	Clashing  bool
}

type calendarClash struct {
	One, Other calendarSlot
	SameHour   bool
	Clients    int64
	Days       []Moment
}

const (
	calendarMailings = 200 // the soonest; nobody could read more
	calendarSlots    = 5   // of a day
	calendarDays     = 6   // that a clash lists
	calendarClashes  = 50  // the ones within an hour first
	monthFormat      = "2006-01"
)

// calendar shows a month, by default this one, in the reader's zone.
func (s *Site) calendar(c *fiber.Ctx) error {
	zone, now, user := s.reader(c).Zone, time.Now(), s.reader(c).User
	this := now.In(zone).Format(monthFormat)
	first, err := time.ParseInLocation(monthFormat, max(c.Query("month"), this), zone) // there is nothing to come before
	if err != nil || first.Year() > 2199 {
		first, _ = time.ParseInLocation(monthFormat, this, zone)
	}
	mailings, err := s.DB.NextMailings(c.UserContext(), user.ID, calendarMailings)
	if err != nil {
		return err
	}
	end := first.AddDate(0, 1, 0)
	slots := domain.Slots(mailings, first, end)
	var clashes []domain.Clash
	if len(slots) > 1 {
		overlaps, err := s.DB.Overlaps(c.UserContext(), user.ID, mailings)
		if err != nil {
			return err
		}
		clashes = domain.Clashes(slots, zone, overlaps.Of)
		clashes = clashes[:min(len(clashes), calendarClashes)]
	}
	view := calendarView{Title: s.t(c, "time.month_year", "Month", s.t(c, "time.name_"+first.Format("01")), "Year", first.Format("2006")),
		Zone: zone.String(), Next: end.Format(monthFormat), Empty: len(slots) == 0}
	if month := first.AddDate(0, -1, 0).Format(monthFormat); month >= this {
		view.Previous = month
	}
	for weekday := range 7 {
		view.Weekdays = append(view.Weekdays, s.t(c, "time.weekday_"+strconv.Itoa((weekday+1)%7)))
	}
	view.Weeks = s.calendarWeeks(c, first, slots, clashes)
	for _, one := range clashes {
		view.Clashes = append(view.Clashes, s.calendarClash(c, one))
	}
	return s.page(c, fiber.StatusOK, "calendar/page", view)
}

// calendarWeeks are whole weeks from Monday on, as many as the month touches.
func (s *Site) calendarWeeks(c *fiber.Ctx, first time.Time, slots []domain.Slot, clashes []domain.Clash) (weeks [][]calendarDay) {
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
				Words: s.dayMonth(c, day)}
			for len(slots) > 0 && slots[0].At.In(first.Location()).Format(time.DateOnly) == date {
				if len(week[i].Slots) < calendarSlots {
					slot := s.calendarSlot(c, slots[0].Mailing, slots[0].At)
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

func (s *Site) calendarSlot(c *fiber.Ctx, m domain.Mailing, at time.Time) calendarSlot {
	moment := s.moment(c, at)
	moment.Text = at.In(s.reader(c).Zone).Format("15:04")
	return calendarSlot{MailingID: m.ID, Name: m.Name, At: moment}
}

func (s *Site) calendarClash(c *fiber.Ctx, one domain.Clash) calendarClash {
	view := calendarClash{One: s.calendarSlot(c, one.One, one.At[0]), Other: s.calendarSlot(c, one.Other, one.At[0]),
		SameHour: one.SameHour, Clients: one.Clients}
	for _, at := range one.At[:min(len(one.At), calendarDays)] {
		view.Days = append(view.Days, s.moment(c, at))
	}
	return view
}
