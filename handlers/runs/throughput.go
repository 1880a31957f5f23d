package runs

import (
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// Throughput shows the results of a run over time, a column for each part of it. Of less than two parts there is nothing
// to compare.
func (h *Runs) Throughput(r *web.Request, run domain.Run) (chart web.Chart, err error) {
	throughput, err := h.DB.Runs().Throughput(r.UserContext(), run)
	if err != nil || len(throughput.Parts) < 2 {
		return chart, err
	}
	say := r.Viewer.T
	chart = web.Chart{ID: "throughput", Title: say("runs.throughput"), Place: say("mailings.run_at"), Keys: []web.ChartKey{{Kind: "accepted", Label: say("runs.attempt_accepted")},
		{Kind: "deferred", Label: say("runs.attempt_deferred")}, {Kind: "failed", Label: say("runs.attempt_failed")}}}
	for i, part := range throughput.Parts {
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: throughput.At(i).In(r.Viewer.Zone).Format(time.TimeOnly), Numbers: []int64{part.Accepted, part.Deferred, part.Failed}})
	}
	chart.Note = say("runs.throughput_step", "Step", r.Viewer.Span(throughput.Step))
	if throughput.Every > 1 {
		chart.Note += "; " + r.Viewer.TN("runs.throughput_sample", int(throughput.Every))
	}
	chart.Draw()
	return chart, nil
}
