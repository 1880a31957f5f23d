package results

import (
	"strconv"
	"time"

	"skychimp/db/sums"
	"skychimp/domain/result"
	"skychimp/handlers/web"
)

// The columns of files have the same names in all languages, for programs.
var countNames = []string{"planned", "accepted", "deferred", "failed", "bounced", "complained", "unsubscribed", "opened", "clicked"}

func countCells(c result.Counts) (cells []string) {
	for _, n := range []int64{c.Planned, c.Accepted, c.Deferred, c.Failed, c.Bounced, c.Complained, c.Unsubscribed, c.Opened, c.Clicked} {
		cells = append(cells, strconv.FormatInt(n, 10))
	}
	return cells
}

// csvRows is a table with its head; known is false when there is none of the name.
func csvRows(r *web.Request, name string, f sums.Filter, all sums.Results) (rows [][]string, known bool) {
	add := func(c result.Counts, names ...string) { rows = append(rows, append(names, countCells(c)...)) }
	head := func(names ...string) { rows = append(rows, append(names, countNames...)) }
	switch name {
	case "days":
		head("day")
		for d := f.From; !d.After(f.To); d = d.AddDate(0, 0, 1) {
			add(all.Days[d], d.Format(time.DateOnly))
		}
	case "mailings":
		head("id", "mailing")
		for _, one := range all.Mailings {
			add(one.Counts, strconv.FormatInt(one.ID, 10), one.Name)
		}
	case "owners":
		head("id", "owner")
		for _, one := range all.Owners {
			add(one.Counts, strconv.FormatInt(one.ID, 10), one.Name)
		}
	case "segments":
		head("segment")
		for _, one := range all.Segments {
			add(one.Counts, segmentName(r, one))
		}
	case "domains":
		head("domain")
		for _, one := range all.Domains {
			add(one.Counts, domainName(r, one))
		}
	case "weekdays":
		head("weekday") // 1 is Monday
		for i, one := range all.Weekdays {
			add(one, strconv.Itoa(i+1))
		}
	case "hours":
		head("hour")
		for hour, one := range all.Hours {
			add(one, strconv.Itoa(hour))
		}
	}
	return rows, len(rows) > 0
}

// growthRows are the clients that came and went by day.
func growthRows(p result.Period, g sums.Growth) [][]string {
	kinds := append(sums.Gained(), sums.Lost()...)
	rows := [][]string{append([]string{"day"}, kinds...)}
	for d := p.From; !d.After(p.To); d = d.AddDate(0, 0, 1) {
		row := []string{d.Format(time.DateOnly)}
		for _, kind := range kinds {
			row = append(row, strconv.FormatInt(g.ByKind[d][kind], 10))
		}
		rows = append(rows, row)
	}
	return rows
}
