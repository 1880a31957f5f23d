package handlers

// runChart is the block runs/chart: the newest runs of a page side by side, the oldest on the
// left.
type runChart struct {
	Bars     []chartBar
	Width    int64 // of the drawing, which is chartHeight high
	From, To Moment
	Highest  int64 // letters of the longest bar
	Numbers  bool  // no table stands beside it
}

// chartBar is one run as a pile of parts.
type chartBar struct {
	Run   runRow
	Parts []chartPart
}

// chartPart is a rectangle in a box of chartHeight that grows downwards. Kind: accepted, failed,
// deferred, unsent or open.
type chartPart struct {
	Kind         string
	X, Y, Height int64
}

// A chart has room for chartRuns bars of chartStep each. What there is at all is at least
// chartLeast high: one failed letter of a thousand should be seen.
const chartRuns, chartStep, chartHeight, chartLeast = 12, 10, 1000, 15

// chartShare is what a pile has of one kind.
type chartShare struct {
	kind string
	n    int64
}

// pile puts shares on each other, from the bottom up; highest is what fills the box.
func pile(x, highest int64, shares []chartShare) (parts []chartPart) {
	y := int64(chartHeight)
	for _, share := range shares {
		if share.n > 0 {
			height := max(chartLeast, chartHeight*share.n/highest)
			y -= height
			parts = append(parts, chartPart{share.kind, x, y, height})
		}
	}
	return parts
}

// newRunChart takes runs in the order of their list, the newest first.
func newRunChart(runs []runRow) (chart runChart) {
	for _, run := range runs {
		if run.Planned > 0 && len(chart.Bars) < chartRuns {
			chart.Bars = append([]chartBar{{Run: run}}, chart.Bars...)
			chart.Highest = max(chart.Highest, run.Planned)
		}
	}
	for i := range chart.Bars {
		run := chart.Bars[i].Run
		chart.Bars[i].Parts = pile(int64(i*chartStep), chart.Highest, []chartShare{
			{"accepted", run.Accepted}, {"failed", run.Failed}, {"unsent", run.Unsent()}, {"open", run.Open()}})
	}
	if n := len(chart.Bars); n > 0 {
		chart.From, chart.To = chart.Bars[0].Run.ScheduledAt, chart.Bars[n-1].Run.ScheduledAt
	}
	chart.Width = chartRuns * chartStep
	return chart
}
