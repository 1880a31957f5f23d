package clients

import (
	"fmt"
	"strings"
	"time"

	"skychimp/handlers/web"
)

// Chart is the block clients/chart: how many clients there were at the end of each day.
type Chart struct {
	Days     []clientDay
	Line     string // points of the line, in a box of Width by chartHeight
	Area     string // the same, closed along the bottom
	Width    int
	From, To string // days in words
	Highest  int64
}

type clientDay struct {
	Words        string
	Added, Total int64
}

const clientDays = 60

// newClientChart draws how the number of clients grew to total by those added on each day.
// Clients that were deleted meanwhile are not in it.
func newClientChart(added []int64, total int64) (chart Chart) {
	for _, n := range added {
		total -= n
	}
	for _, n := range added {
		total += n
		chart.Days = append(chart.Days, clientDay{Added: n, Total: total})
	}
	chart.Highest = total
	points := make([]string, len(chart.Days))
	for i, day := range chart.Days {
		points[i] = fmt.Sprintf("%d,%d", i*web.ChartStep, web.ChartHeight-web.ChartHeight*day.Total/max(1, total))
	}
	chart.Width = (len(added) - 1) * web.ChartStep
	chart.Line = strings.Join(points, " ")
	chart.Area = fmt.Sprintf("0,%d %s %d,%d", web.ChartHeight, chart.Line, chart.Width, web.ChartHeight)
	return chart
}

// Chart is how the list has grown.
func (h *Clients) Chart(r *web.Request, total int) (Chart, error) {
	to := r.Viewer
	today := time.Now().In(to.Zone)
	days := make([]time.Time, clientDays+1) // and the end of the last
	for i := range days {
		days[i] = time.Date(today.Year(), today.Month(), today.Day()+i+1-clientDays, 0, 0, 0, 0, to.Zone)
	}
	added, err := h.DB.Clients().Added(r.UserContext(), to.User.ID, days)
	if err != nil {
		return Chart{}, err
	}
	chart := newClientChart(added, int64(total))
	for i, day := range days[:clientDays] {
		chart.Days[i].Words = r.Viewer.DayMonth(day)
	}
	chart.From, chart.To = r.Viewer.Date(days[0]), r.Viewer.Date(today)
	return chart, nil
}
