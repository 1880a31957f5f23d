package runs

import (
	"slices"

	"skychimp/handlers/web"
)

// ChartRuns is how many runs a chart shows at most.
const ChartRuns = 12

// Chart shows runs side by side, the oldest on the left. It takes them in the order of their list, the newest first. Who
// read them and who left is told, where it was counted, and piled on nothing: these are among the accepted.
func Chart(r *web.Request, rows []Row) web.Chart {
	say := r.Viewer.T
	chart := web.Chart{ID: "runs", Title: say("runs.chart"), Place: say("mailings.run_at"), Keys: []web.ChartKey{{Kind: "accepted", Label: say("runs.outcome_accepted")},
		{Kind: "failed", Label: say("runs.outcome_failed")}, {Kind: "unsent", Label: say("runs.unsent")}, {Kind: "open", Label: say("runs.open")}}}
	opens, clicks := slices.ContainsFunc(rows, func(one Row) bool { return one.TrackOpens }), slices.ContainsFunc(rows, func(one Row) bool { return one.TrackClicks })
	told := func(shown bool, label string) {
		if shown {
			chart.Keys = append(chart.Keys, web.ChartKey{Label: say(label), Told: true})
		}
	}
	told(opens, "runs.opened")
	told(clicks, "runs.clicked")
	told(true, "runs.unsubscribed")
	for _, row := range rows {
		if row.Planned > 0 && len(chart.Columns) < ChartRuns {
			label := row.ScheduledAt.Text
			if row.Mailing != "" {
				label = row.Mailing + ", " + label
			}
			numbers := []int64{row.Accepted, row.Failed, row.Unsent(), row.Open()}
			if opens {
				numbers = append(numbers, row.Opened)
			}
			if clicks {
				numbers = append(numbers, row.Clicked)
			}
			chart.Columns = append(chart.Columns, web.ChartColumn{Label: label, Axis: row.ScheduledAt.Text, Numbers: append(numbers, row.Unsubscribed)})
		}
	}
	slices.Reverse(chart.Columns)
	chart.Draw()
	return chart
}
