package mailings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// dayView is the page mailings/day: what ran on a day, how it went, and who gets what.
type dayView struct {
	Title, Zone      string
	Month, Week      string // as in the address
	Previous, Next   string // days, "" beyond what there is to see
	Ran              []dayRun
	Planned, Skipped []plannedRow
	Series           []expectedRow
	More             int // dates that are not shown
	Emails           int64
	Crowds           []crowdView
	AlreadyOver      bool
}

// Empty reports whether there is nothing on the day.
func (v dayView) Empty() bool { return len(v.Ran)+len(v.Planned)+len(v.Skipped)+len(v.Series) == 0 }

type dayRun struct {
	calendarSlot
	Status                    domain.RunStatus
	Planned, Accepted, Failed int64
}

// plannedRow is one date of a mailing on the day.
type plannedRow struct {
	calendarSlot
	MailingID  int64
	Audience   string
	Recipients int64
	Zone       string // where the mailing's clocks show another time: that time and its zone
}

// dayRows are the dates of one day whose recipients are counted; nobody reads more.
const dayRows = 50

// Day shows one day in the viewer's zone.
func (c *Calendar) Day(r *web.Request) error {
	day, err := time.ParseInLocation(time.DateOnly, r.Params("day"), r.Viewer.Zone)
	if err != nil || !dayShown(r, day) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	end := day.AddDate(0, 0, 1)
	view := dayView{Title: r.Viewer.DayMonth(day) + " " + day.Format("2006"), Zone: r.Viewer.Zone.String(), Month: day.Format(monthFormat), Week: day.Format(time.DateOnly),
		Next: end.Format(time.DateOnly), AlreadyOver: !end.After(time.Now())}
	if before := day.AddDate(0, 0, -1); dayShown(r, before) {
		view.Previous = before.Format(time.DateOnly)
	}
	runs, err := c.Mailings.DB.Runs().Between(r.UserContext(), r.Viewer.User.ID, day, end)
	if err != nil {
		return err
	}
	for i, slot := range pastSlots(r, runs) {
		view.Ran = append(view.Ran, dayRun{slot, runs[i].Status, runs[i].Planned, runs[i].Accepted, runs[i].Failed})
	}
	mailings, err := c.Mailings.DB.Mailings().Next(r.UserContext(), r.Viewer.User.ID, calendarMailings)
	if err != nil {
		return err
	}
	for _, slot := range domain.SkippedSlots(mailings, day, end) {
		view.Skipped = append(view.Skipped, newPlannedRow(r, slot, 0, "skipped"))
	}
	if err := c.dayPlan(r, &view, domain.Ahead(mailings, day, end)); err != nil {
		return err
	}
	if view.Series, err = c.expectedRows(r, day, end); err != nil {
		return err
	}
	for _, one := range view.Series {
		view.Emails += one.Emails
	}
	return r.Page(fiber.StatusOK, "mailings/day", view)
}

// dayPlan fills in what is to come, to how many, and who gets several of them.
func (c *Calendar) dayPlan(r *web.Request, view *dayView, slots []domain.Slot) error {
	view.More = max(0, len(slots)-dayRows)
	slots = slots[:min(len(slots), dayRows)]
	mailings := domain.MailingsOf(slots)
	recipients, overlaps, err := c.Mailings.DB.Mailings().Audiences().Recipients(r.UserContext(), r.Viewer.User.ID, mailings)
	if err != nil {
		return err
	}
	subjects, err := c.Mailings.subjectsOf(r, mailings)
	if err != nil {
		return err
	}
	for _, slot := range slots {
		row := newPlannedRow(r, slot, recipients[slot.Mailing.ID], "planned")
		row.Note = subjects[slot.Mailing.ID][slot.No]
		view.Planned = append(view.Planned, row)
		view.Emails += recipients[slot.Mailing.ID]
	}
	for _, one := range overlaps.Crowds(mailings, 2) {
		crowd := newCrowd(r, one)
		crowd.Mailings = nil
		for _, slot := range slots { // the dates, where it can be mended
			for _, m := range one.Mailings {
				if m.ID == slot.Mailing.ID {
					crowd.Mailings = append(crowd.Mailings, plannedSlot(r, m, slot.At, slot.No, "planned"))
				}
			}
		}
		view.Crowds = append(view.Crowds, crowd)
	}
	return nil
}

func newPlannedRow(r *web.Request, slot domain.Slot, recipients int64, state string) plannedRow {
	row := plannedRow{calendarSlot: plannedSlot(r, slot.Mailing, slot.At, slot.No, state), MailingID: slot.Mailing.ID, Audience: audienceOf(r, slot.Mailing), Recipients: recipients}
	if wall := slot.At.In(slot.Mailing.Schedule().Zone); wall.Format(domain.WallFormat) != slot.At.In(r.Viewer.Zone).Format(domain.WallFormat) {
		row.Zone = r.Viewer.Wall(wall) + " (" + slot.Mailing.Timezone + ")"
	}
	return row
}
