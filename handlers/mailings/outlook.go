package mailings

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	dbseries "skychimp/db/series"
	"skychimp/domain/series"
	"skychimp/handlers/web"
)

// expectedRow is what goes out of a step of a series on one day.
type expectedRow struct {
	calendarSlot
	Emails int64
	at     time.Time
}

// expectedRows are what the viewer's series send between two times if nothing changes, by step and day.
func (c *Calendar) expectedRows(r *web.Request, from, to time.Time) (rows []expectedRow, err error) {
	now := time.Now()
	if !to.After(now) {
		return nil, nil
	}
	list, err := dbseries.In(c.Mailings.DB).Outlooks(r.UserContext(), r.Viewer.User.ID, now, to)
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		for _, expected := range series.ByDay(one.Expected, r.Viewer.Zone) {
			if expected.At.Before(from) {
				continue
			}
			m := one.Series.Mailing
			slot := calendarSlot{Path: "/series/" + strconv.FormatInt(m.ID, 10), At: clockOf(r, expected.At), State: "series", mailing: m.ID,
				Name: r.Viewer.T("mailings.series_step", "Name", m.Name, "Step", expected.Step.Position), Note: r.Viewer.TN("mailings.forecast_emails", int(expected.Emails)),
				day: expected.At.In(r.Viewer.Zone).Format(time.DateOnly)}
			rows = append(rows, expectedRow{slot, expected.Emails, expected.At})
		}
	}
	slices.SortStableFunc(rows, func(a, b expectedRow) int { return cmp.Compare(a.At.UTC, b.At.UTC) })
	return rows, nil
}

func slotsOf(rows []expectedRow) (slots []calendarSlot) {
	for _, one := range rows {
		slots = append(slots, one.calendarSlot)
	}
	return slots
}
