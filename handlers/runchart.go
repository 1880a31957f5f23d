package handlers

// runChart draws the newest runs of a page side by side, the oldest on the left.
type runChart struct {
	Bars     []chartBar
	From, To Moment
	Highest  int64 // letters of the longest bar
}

// chartBar is one run as a pile of parts, in a box of chartHeight that grows downwards.
type chartBar struct {
	Run   runRow
	Parts []chartPart
}

type chartPart struct {
	Kind         string // accepted, failed, unsent or open
	X, Y, Height int64
}

// A chart has room for chartRuns bars of chartStep each. What there is at all is at least
// chartLeast high: one failed letter of a thousand should be seen.
const chartRuns, chartStep, chartHeight, chartLeast = 12, 10, 1000, 15

// newRunChart takes runs in the order of their list, the newest first.
func newRunChart(runs []runRow) (chart runChart) {
	for _, run := range runs {
		if run.Planned > 0 && len(chart.Bars) < chartRuns {
			chart.Bars = append([]chartBar{{Run: run}}, chart.Bars...)
			chart.Highest = max(chart.Highest, run.Planned)
		}
	}
	for i := range chart.Bars {
		bar := &chart.Bars[i]
		x, y := int64(i*chartStep), int64(chartHeight)
		for _, part := range []struct {
			kind string
			n    int64
		}{{"accepted", bar.Run.Accepted}, {"failed", bar.Run.Failed}, {"unsent", bar.Run.Unsent()}, {"open", bar.Run.Open()}} {
			if part.n > 0 {
				height := max(chartLeast, chartHeight*part.n/chart.Highest)
				y -= height
				bar.Parts = append(bar.Parts, chartPart{part.kind, x, y, height})
			}
		}
	}
	if n := len(chart.Bars); n > 0 {
		chart.From, chart.To = chart.Bars[0].Run.ScheduledAt, chart.Bars[n-1].Run.ScheduledAt
	}
	return chart
}
