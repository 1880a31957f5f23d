package web

import (
	"fmt"
	"testing"
)

func TestCharts(t *testing.T) {
	pile := []ChartKey{{Kind: "accepted"}, {Kind: "failed"}, {Label: "Bounced", Told: true}}
	for _, tt := range []struct {
		name  string
		line  bool
		keys  []ChartKey
		of    [][]int64
		want  string // kind, height and place of the parts, or the points of the line
		width int64
	}{
		{"no columns", false, pile, nil, "", 0},
		{"nothing in them", false, pile, [][]int64{{0, 0, 0}, {0, 0, 7}}, "", 0},
		{"few are thin", false, pile, [][]int64{{75, 25, 3}}, "accepted 8x750@56,250 failed 8x250@56,0 ", 120},
		{"a gap", false, pile, [][]int64{{10, 0, 0}, {0, 0, 0}, {5, 0, 0}}, "accepted 24x1000@48,0 accepted 24x500@288,500 ", 360},
		{"one failed of many is seen", false, pile, [][]int64{{99_999, 1, 0}}, "accepted 8x999@56,1 failed 8x15@56,-14 ", 120},
		{"a line", true, []ChartKey{{Kind: "total"}, {Told: true}}, [][]int64{{0, 0}, {1, 1}, {4, 3}}, "60,1000 180,750 300,0", 360},
	} {
		chart := Chart{Keys: tt.keys, Line: tt.line}
		for _, numbers := range tt.of {
			chart.Columns = append(chart.Columns, ChartColumn{Numbers: numbers})
		}
		chart.Draw()
		drawn := chart.Points
		for _, column := range chart.Columns {
			for _, one := range column.Parts {
				drawn += fmt.Sprintf("%s %dx%d@%d,%d ", one.Kind, one.Width, one.Height, one.X, one.Y)
			}
		}
		if drawn != tt.want || chart.Width != tt.width {
			t.Errorf("%s: %q in %d, want %q in %d", tt.name, drawn, chart.Width, tt.want, tt.width)
		}
	}
}
