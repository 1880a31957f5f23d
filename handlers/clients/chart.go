package clients

import (
	"time"

	"skychimp/handlers/web"
)

const chartDays = 60

// Chart shows how many clients there were at the end of each day. Clients that were deleted meanwhile are not in it.
func (h *Clients) Chart(r *web.Request, total int) (web.Chart, error) {
	say, today := r.Viewer.T, time.Now().In(r.Viewer.Zone)
	days := make([]time.Time, chartDays+1) // and the end of the last
	for i := range days {
		days[i] = time.Date(today.Year(), today.Month(), today.Day()+i+1-chartDays, 0, 0, 0, 0, r.Viewer.Zone)
	}
	added, err := h.DB.Clients().Added(r.UserContext(), r.Viewer.User.ID, days)
	if err != nil {
		return web.Chart{}, err
	}
	chart := web.Chart{ID: "clients", Title: say("clients.chart"), Place: say("clients.chart_day"), Line: true,
		Keys: []web.ChartKey{{Kind: "total", Label: say("clients.chart_total")}, {Label: say("clients.chart_added"), Told: true}}}
	there := int64(total)
	for _, n := range added {
		there -= n
	}
	for i, n := range added {
		there += n
		chart.Columns = append(chart.Columns, web.ChartColumn{Label: r.Viewer.DayMonth(days[i]), Numbers: []int64{there, n}})
	}
	chart.Draw()
	return chart, nil
}
