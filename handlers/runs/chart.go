package runs

import (
	"skychimp/handlers/web"
)

// Chart is the block runs/chart: the newest runs of a page side by side, the oldest on the
// left.
type Chart struct {
	Bars     []chartBar
	Width    int64 // of the drawing, which is web.ChartHeight high
	From, To web.Moment
	Highest  int64 // emails of the tallest bar
	Numbers  bool  // there is no table beside it
}

// chartBar is one run as a pile of parts.
type chartBar struct {
	Run   Row
	Parts []web.ChartPart
}

// NewChart takes runs in the order of their list, the newest first.
func NewChart(runs []Row) (chart Chart) {
	for _, run := range runs {
		if run.Planned > 0 && len(chart.Bars) < web.ChartBars {
			chart.Bars = append([]chartBar{{Run: run}}, chart.Bars...)
			chart.Highest = max(chart.Highest, run.Planned)
		}
	}
	for i := range chart.Bars {
		run := chart.Bars[i].Run
		chart.Bars[i].Parts = web.Stack(int64(i*web.ChartStep), chart.Highest, []web.ChartShare{
			{Kind: "accepted", N: run.Accepted}, {Kind: "failed", N: run.Failed}, {Kind: "unsent", N: run.Unsent()}, {Kind: "open", N: run.Open()}})
	}
	if n := len(chart.Bars); n > 0 {
		chart.From, chart.To = chart.Bars[0].Run.ScheduledAt, chart.Bars[n-1].Run.ScheduledAt
	}
	chart.Width = web.ChartBars * web.ChartStep
	return chart
}
