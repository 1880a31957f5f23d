package results

import (
	"strconv"
	"time"

	"skychimp/db/sums"
	"skychimp/domain/result"
	"skychimp/handlers/web"
)

// table is the block results/table: counts by a name.
type table struct {
	Name    string // of its file
	Title   string
	Place   string // what the names are
	Tracked bool
	Rows    []row
	More    int64 // rows that are not shown
	Query   string
}

// row is a line of a table.
type row struct {
	Name, Href, Note string
	result.Counts
	Refusal, Bounces, Left, Complaints, Clicks, Opens string // rates
}

// shown is how many rows a page has of a table; its file has all.
const shown = 20

func newRow(r *web.Request, name, href string, c result.Counts) row {
	rate := func(n int64) string { return Percent(r, result.RateOf(n, c.Accepted)) }
	return row{Name: name, Href: href, Counts: c, Refusal: Percent(r, c.Refused()), Bounces: rate(c.Bounced), Left: rate(c.Unsubscribed),
		Complaints: rate(c.Complained), Clicks: rate(c.Clicked), Opens: rate(c.Opened)}
}

// tables are those of the page, without those that have no row.
func tables(r *web.Request, period result.Period, all sums.Results) (list []table) {
	tracked := all.Total().Tracked()
	add := func(name string, rows []row) {
		if len(rows) > 0 {
			list = append(list, table{Name: name, Title: r.Viewer.T("results.by_" + name), Place: r.Viewer.T("results.place_" + name), Tracked: tracked,
				Rows: rows[:min(len(rows), shown)], More: int64(len(rows) - min(len(rows), shown))})
		}
	}
	var rows []row
	for _, one := range all.Mailings {
		place := "/mailings/"
		if one.Series {
			place = "/series/"
		}
		next := newRow(r, one.Name, place+strconv.FormatInt(one.ID, 10), one.Counts)
		if r.OwnerID() == 0 {
			next.Note = one.OwnerName
		}
		rows = append(rows, next)
	}
	add("mailings", rows)
	rows = nil
	for _, one := range all.Owners {
		rows = append(rows, newRow(r, one.Name, "/results?"+period.Query()+"&owner="+strconv.FormatInt(one.ID, 10), one.Counts))
	}
	add("owners", rows)
	rows = nil
	for _, one := range all.Segments {
		rows = append(rows, newRow(r, segmentName(r, one), "", one.Counts))
	}
	add("segments", rows)
	rows = nil
	for _, one := range all.Domains {
		rows = append(rows, newRow(r, domainName(r, one), "", one.Counts))
	}
	add("domains", rows)
	return list
}

func segmentName(r *web.Request, one sums.Named) string {
	if one.Name != "" {
		return one.Name
	}
	return r.Viewer.T("results.audience_" + string(one.Kind))
}

func domainName(r *web.Request, one sums.Named) string {
	if one.Name != "" {
		return one.Name
	}
	return r.Viewer.T("results.other_domains")
}

// emailKeys are the kinds of emails that charts pile.
func emailKeys(r *web.Request, more ...string) []web.ChartKey {
	keys := []web.ChartKey{{Kind: "accepted", Label: r.Viewer.T("results.accepted")}, {Kind: "failed", Label: r.Viewer.T("results.failed")}}
	for _, one := range more {
		keys = append(keys, web.ChartKey{Label: r.Viewer.T("results." + one), Told: true})
	}
	return keys
}

var told = []string{"bounced", "unsubscribed", "complained", "clicked"}

func numbers(c result.Counts) []int64 {
	return []int64{c.Accepted, c.Failed, c.Bounced, c.Unsubscribed, c.Complained, c.Clicked}
}

// EmailsChart shows a period step by step.
func EmailsChart(r *web.Request, p result.Period, days map[time.Time]result.Counts) web.Chart {
	chart := web.Chart{ID: "emails", Title: r.Viewer.T("results.emails"), Place: r.Viewer.T("results.step_" + string(p.Step())), Keys: emailKeys(r, told...)}
	for _, one := range p.Buckets(days) {
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: bucketWords(r, p.Step(), one), Numbers: numbers(one.Counts)})
	}
	chart.Draw()
	return chart
}

// bucketWords is a step of a period in words.
func bucketWords(r *web.Request, step result.Step, one result.Bucket) string {
	switch step {
	case result.ByDay:
		return r.Viewer.DayMonth(one.First)
	case result.ByWeek:
		return r.Viewer.T("results.period", "From", r.Viewer.Date(one.First), "To", r.Viewer.Date(one.Last))
	}
	return r.Viewer.T("results.month", "Month", r.Viewer.T("time.name_"+one.First.Format("01")), "Year", one.First.Format("2006"))
}

func weekdaysChart(r *web.Request, all sums.Results) web.Chart {
	chart := web.Chart{ID: "weekdays", Title: r.Viewer.T("results.by_weekday"), Place: r.Viewer.T("results.place_weekday"), Keys: emailKeys(r, told...)}
	for i, one := range all.Weekdays {
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: r.Viewer.Weekday(time.Weekday((i + 1) % 7)), Numbers: numbers(one)})
	}
	chart.Draw()
	return chart
}

func hoursChart(r *web.Request, all sums.Results) web.Chart {
	chart := web.Chart{ID: "hours", Title: r.Viewer.T("results.by_hour"), Place: r.Viewer.T("results.place_hour"), Keys: emailKeys(r, told...)}
	for hour, one := range all.Hours {
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: time.Date(2000, 1, 1, hour, 0, 0, 0, time.UTC).Format("15:04"), Numbers: numbers(one)})
	}
	chart.Draw()
	return chart
}

// growthView is the block results/growth: how a list became longer and shorter.
type growthView struct {
	Now, Net     int64
	Gained, Lost []Figure
	Chart        web.Chart
}

func newGrowth(r *web.Request, p result.Period, g sums.Growth) *growthView {
	view := &growthView{Now: g.Now}
	for _, kind := range sums.Gained() {
		view.Gained = append(view.Gained, Figure{Label: r.Viewer.T("results.gained_" + kind), N: g.Kinds[kind]})
		view.Net += g.Kinds[kind]
	}
	for _, kind := range sums.Lost() {
		view.Net -= g.Kinds[kind]
		if g.Kinds[kind] != 0 {
			view.Lost = append(view.Lost, Figure{Label: r.Viewer.T("results.lost_" + kind), N: g.Kinds[kind]})
		}
	}
	total := g.Now - g.After - view.Net
	chart := web.Chart{ID: "growth", Title: r.Viewer.T("results.growth"), Place: r.Viewer.T("results.step_" + string(p.Step())), Line: true,
		Keys: []web.ChartKey{{Kind: "total", Label: r.Viewer.T("results.clients")}, {Label: r.Viewer.T("results.net"), Told: true}}}
	for _, one := range p.Buckets(nil) {
		net := int64(0)
		for d := one.First; !d.After(one.Last); d = d.AddDate(0, 0, 1) {
			net += g.Days[d]
		}
		total += net
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: bucketWords(r, p.Step(), one), Numbers: []int64{total, net}})
	}
	chart.Draw()
	view.Chart = chart
	return view
}
