package runs

import (
	"fmt"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// drawn writes the parts of a column: kind, height and where it begins.
func drawn(parts []web.ChartPart) (text string) {
	for _, one := range parts {
		text += fmt.Sprintf("%s %d@%d,%d ", one.Kind, one.Height, one.X, one.Y)
	}
	return text
}

func TestRunChart(t *testing.T) {
	run := func(planned, accepted, failed, cancelled int64) Row {
		return Row{runCounts: runCounts{Counts: domain.Counts{Planned: planned, Accepted: accepted, Failed: failed, Cancelled: cancelled}}}
	}
	for _, tt := range []struct {
		name string
		runs []Row // the newest first
		want []string
	}{
		{"none", nil, nil},
		{"empty runs are left out", []Row{run(0, 0, 0, 0)}, nil},
		{"all of it", []Row{run(100, 50, 20, 10)}, []string{"accepted 500@0,500 failed 200@0,300 unsent 100@0,200 open 200@0,0 "}},
		{"the oldest on the left", []Row{run(100, 100, 0, 0), run(50, 50, 0, 0)}, []string{"accepted 500@0,500 ", "accepted 1000@10,0 "}},
		{"one failed of many", []Row{run(100_000, 99_999, 1, 0)}, []string{"accepted 999@0,1 failed 15@0,-14 "}},
	} {
		chart := NewChart(tt.runs)
		for i, bar := range chart.Bars {
			if i >= len(tt.want) || drawn(bar.Parts) != tt.want[i] {
				t.Errorf("%s: bar %d is %q, want %q", tt.name, i, drawn(bar.Parts), tt.want)
			}
		}
		if len(chart.Bars) != len(tt.want) {
			t.Errorf("%s: %d bars", tt.name, len(chart.Bars))
		}
	}
	if many := NewChart(make40(run(1, 1, 0, 0))); len(many.Bars) != web.ChartBars {
		t.Errorf("%d bars of 40 runs", len(many.Bars))
	}
}

func make40(run Row) []Row {
	runs := make([]Row, 40)
	for i := range runs {
		runs[i] = run
	}
	return runs
}

func TestThroughputChart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts []domain.ThroughputPart
		want  []string
		width int64
	}{
		{"nothing", nil, nil, 0},
		{"one part is no comparison", []domain.ThroughputPart{{Accepted: 5}}, nil, 0},
		{"a pile and a gap", []domain.ThroughputPart{{Accepted: 6, Deferred: 2, Failed: 2}, {}, {Accepted: 5}},
			[]string{"accepted 600@0,400 deferred 200@0,200 failed 200@0,0 ", "", "accepted 500@20,500 "}, 30},
	} {
		chart := newThroughputChart(domain.Throughput{Every: 1, Parts: tt.parts})
		if len(chart.Columns) != len(tt.want) || chart.Width != tt.width {
			t.Errorf("%s: %d columns in %d", tt.name, len(chart.Columns), chart.Width)
			continue
		}
		for i, column := range chart.Columns {
			if drawn(column.Parts) != tt.want[i] {
				t.Errorf("%s: column %d is %q, want %q", tt.name, i, drawn(column.Parts), tt.want[i])
			}
		}
	}
}
