package clients

import "testing"

func TestClientChart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		added []int64
		total int64
		line  string
	}{
		{"nobody", []int64{0, 0, 0}, 0, "0,1000 10,1000 20,1000"},
		{"all were there before", []int64{0, 0, 0}, 4, "0,0 10,0 20,0"},
		{"growing", []int64{0, 1, 2}, 4, "0,750 10,500 20,0"},
		{"new today", []int64{0, 0, 4}, 4, "0,1000 10,1000 20,0"},
	} {
		chart := newClientChart(tt.added, tt.total)
		if chart.Line != tt.line || chart.Width != 20 || chart.Area != "0,1000 "+tt.line+" 20,1000" || len(chart.Days) != 3 {
			t.Errorf("%s: %q, want %q in %+v", tt.name, chart.Line, tt.line, chart)
		}
	}
}
