package runs

import (
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// ThroughputChart is the block runs/throughput: the results of a run over time, a column for
// each part of it.
type ThroughputChart struct {
	Columns  []throughputColumn
	Width    int64 // of the drawing, which is chartHeight high
	From, To web.Moment
	Highest  int64  // attempts of the highest column
	Step     string // how long a column is, in words
	Every    int64  // 1: exact
}

// throughputColumn is one column, its parts from the bottom up.
type throughputColumn struct {
	At web.Moment // Text is the clock
	domain.ThroughputPart
	Parts []web.ChartPart
}

// newThroughputChart draws nothing for less than two parts: there is nothing to compare.
func newThroughputChart(throughput domain.Throughput) (chart ThroughputChart) {
	if len(throughput.Parts) < 2 {
		return chart
	}
	for _, part := range throughput.Parts {
		chart.Highest = max(chart.Highest, part.Accepted+part.Deferred+part.Failed)
	}
	for i, part := range throughput.Parts {
		column := throughputColumn{ThroughputPart: part}
		column.Parts = web.Stack(int64(i*web.ChartStep), chart.Highest, []web.ChartShare{
			{Kind: "accepted", N: part.Accepted}, {Kind: "deferred", N: part.Deferred}, {Kind: "failed", N: part.Failed}})
		chart.Columns = append(chart.Columns, column)
	}
	chart.Width, chart.Every = int64(len(chart.Columns)*web.ChartStep), throughput.Every
	return chart
}

// ThroughputOf is the chart of a run, with its times in words.
func (h *Runs) ThroughputOf(r *web.Request, run domain.Run) (ThroughputChart, error) {
	throughput, err := h.DB.Runs().Throughput(r.UserContext(), run)
	if err != nil {
		return ThroughputChart{}, err
	}
	chart := newThroughputChart(throughput)
	for i := range chart.Columns {
		at := r.Viewer.Moment(throughput.At(i))
		at.Text = throughput.At(i).In(r.Viewer.Zone).Format(time.TimeOnly)
		chart.Columns[i].At = at
	}
	if n := len(chart.Columns); n > 0 {
		chart.From, chart.To = chart.Columns[0].At, chart.Columns[n-1].At
		chart.Step = r.Viewer.Span(throughput.Step)
	}
	return chart, nil
}
