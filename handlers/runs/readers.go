package runs

import (
	"strconv"
	"time"

	"skychimp/db"
	"skychimp/db/tracking"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// readersView is the block runs/readers: who reads a run's emails, where they went and how that compares.
type readersView struct {
	RunID           int64
	Chart           web.Chart // no columns: nobody opened or clicked
	OpenedByProgram int64
	ClicksByProgram int64
	Opens, Clicks   bool // were tracked
	Links           []tracking.Link
	Domains         []domainRow
	Compared        []comparedRow
	Before          string // path of the run before; empty: there is none
	Middle          bool   // the owner has enough other runs
}

// domainRow is a receiving domain; Name is empty for all but the largest.
type domainRow struct {
	tracking.Domain
	Share string // accepted of those planned
}

// comparedRow is one rate of the run, of the one before and in the middle of the owner's.
type comparedRow struct{ Label, Run, Before, Middle string }

func (h *Runs) readers(r *web.Request, run db.RunRow) (view readersView, err error) {
	store := tracking.New(h.DB)
	view = readersView{RunID: run.ID, Opens: run.TrackOpens, Clicks: run.TrackClicks,
		OpenedByProgram: run.OpenedByPrograms, ClicksByProgram: run.ClickedByPrograms}
	if run.TrackOpens || run.TrackClicks {
		hours, err := store.Hours(r.UserContext(), run.ID)
		if err != nil {
			return view, err
		}
		view.Chart = readersChart(r, run, hours)
		if view.Links, err = store.RunLinks(r.UserContext(), run.ID); err != nil {
			return view, err
		}
	}
	domains, err := store.Domains(r.UserContext(), run.ID)
	if err != nil {
		return view, err
	}
	for _, one := range domains {
		view.Domains = append(view.Domains, domainRow{one, rate(r, int(10000*one.Accepted/max(1, one.Planned)))})
	}
	if run.Status != domain.RunDone || run.Accepted == 0 {
		return view, nil
	}
	c, err := store.Compare(r.UserContext(), run.Run)
	if c.BeforeID != 0 {
		view.Before = "/runs/" + strconv.FormatInt(c.BeforeID, 10)
	}
	view.Middle = c.Middle.Accepted >= 0
	if err == nil && (view.Before != "" || view.Middle) {
		view.Compared = comparedRows(r, c)
	}
	return view, err
}

func comparedRows(r *web.Request, c tracking.Comparison) (rows []comparedRow) {
	add := func(key string, run, before, middle int) {
		if run >= 0 {
			rows = append(rows, comparedRow{r.Viewer.T(key), rate(r, run), rate(r, before), rate(r, middle)})
		}
	}
	add("runs.outcome_accepted", c.Run.Accepted, c.Before.Accepted, c.Middle.Accepted)
	add("runs.opened", c.Run.Opened, c.Before.Opened, c.Middle.Opened)
	add("runs.clicked", c.Run.Clicked, c.Before.Clicked, c.Middle.Clicked)
	add("runs.bounced", c.Run.Bounced, c.Before.Bounced, c.Middle.Bounced)
	add("runs.unsubscribed", c.Run.Unsubscribed, c.Before.Unsubscribed, c.Middle.Unsubscribed)
	return rows
}

// rate is hundredths of a percent in words.
func rate(r *web.Request, hundredths int) string {
	if hundredths < 0 {
		return "–"
	}
	return r.Viewer.T("results.percent", "Whole", strconv.Itoa(hundredths/100), "Part", strconv.Itoa(hundredths%100/10))
}

// maxColumns of the chart of readers; a longer time is drawn in days.
const maxColumns = 48

// readersChart is who opened and clicked for the first time, by the hour or the day.
func readersChart(r *web.Request, run db.RunRow, hours []tracking.Hour) (c web.Chart) {
	if len(hours) == 0 {
		return c
	}
	c = web.Chart{ID: "readers", Title: r.Viewer.T("runs.readers_over_time"), Place: r.Viewer.T("runs.readers_hour")}
	if run.TrackClicks {
		c.Keys = append(c.Keys, web.ChartKey{Kind: "accepted", Label: r.Viewer.T("runs.clicked")})
	}
	if run.TrackOpens {
		c.Keys = append(c.Keys, web.ChartKey{Kind: "deferred", Label: r.Viewer.T("runs.opened")})
	}
	step, first, last := time.Hour, hours[0].At.In(r.Viewer.Zone), hours[len(hours)-1].At
	if last.Sub(first) > maxColumns*time.Hour {
		step, c.Place = 24*time.Hour, r.Viewer.T("runs.readers_day")
		first = time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, r.Viewer.Zone)
	}
	n := 0
	for at := first; !at.After(last) && len(c.Columns) < maxColumns; {
		next := at.Add(step)
		label := r.Viewer.Wall(at)
		if step > time.Hour {
			next, label = at.AddDate(0, 0, 1), r.Viewer.DayMonth(at)
		}
		column := web.ChartColumn{Label: label, Numbers: make([]int64, len(c.Keys))}
		for ; n < len(hours) && hours[n].At.Before(next); n++ {
			if run.TrackClicks {
				column.Numbers[0] += hours[n].Clicked
			}
			if run.TrackOpens {
				column.Numbers[len(c.Keys)-1] += hours[n].Opened
			}
		}
		c.Columns, at = append(c.Columns, column), next
	}
	c.Draw()
	return c
}

// action is where somebody goes who wants to mend what a class of answers is about.
type action struct{ Path, Label string }

// actionOf is what the owner can do about a class; none: it mends itself, or there is nothing to do.
func actionOf(r *web.Request, run domain.Run, class domain.Class) (a action) {
	list := "/runs/" + strconv.FormatInt(run.ID, 10) + "?outcome=failed"
	switch class {
	case domain.ClassDead, domain.ClassInactive, domain.ClassFull, domain.ClassUnwritable:
		return action{list, r.Viewer.T("runs.act_addresses")}
	case domain.ClassAuthentication, domain.ClassReputation, domain.ClassSender, domain.ClassHost, domain.ClassRelay:
		return action{"/senders", r.Viewer.T("runs.act_senders")}
	case domain.ClassContent, domain.ClassSize:
		return action{"/messages", r.Viewer.T("runs.act_messages")}
	case domain.ClassPolicy, domain.ClassUnknown:
		return action{list, r.Viewer.T("runs.act_answers")}
	}
	return action{"", r.Viewer.T("runs.act_nothing")}
}
