package runs

import (
	"slices"

	"skychimp/handlers/web"
)

// ChartRuns is how many runs a chart shows at most.
const ChartRuns = 12

// Chart shows runs side by side, the oldest on the left. It takes them in the order of their list, the newest first.
func Chart(r *web.Request, rows []Row) web.Chart {
	say := r.Viewer.T
	chart := web.Chart{ID: "runs", Title: say("runs.chart"), Place: say("mailings.run_at"), Keys: []web.ChartKey{{Kind: "accepted", Label: say("runs.outcome_accepted")},
		{Kind: "failed", Label: say("runs.outcome_failed")}, {Kind: "unsent", Label: say("runs.unsent")}, {Kind: "open", Label: say("runs.open")}}}
	for _, row := range rows {
		if row.Planned > 0 && len(chart.Columns) < ChartRuns {
			label := row.ScheduledAt.Text
			if row.Mailing != "" {
				label = row.Mailing + ", " + label
			}
			chart.Columns = append(chart.Columns, web.ChartColumn{Label: label, Axis: row.ScheduledAt.Text, Numbers: []int64{row.Accepted, row.Failed, row.Unsent(), row.Open()}})
		}
	}
	slices.Reverse(chart.Columns)
	chart.Draw()
	return chart
}
