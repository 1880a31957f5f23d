package mailings

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// throughput is the block mailings/throughput: the chart of the current or the last run. It is asked for less
// often than the numbers, because it costs more.
type throughput struct {
	MailingID int64
	Going     bool
	Chart     web.Chart
}

func (h *Mailings) throughputOf(r *web.Request, m domain.Mailing, last db.RunRow) (throughput, error) {
	view := throughput{MailingID: m.ID, Going: last.ID != 0 && !last.Closed() || aboutToRun(r, m, last.ID)}
	var err error
	if last.ID != 0 {
		view.Chart, err = h.Runs.Throughput(r, last.Run)
	}
	return view, err
}

// ShowThroughput is the chart alone.
func (h *Mailings) ShowThroughput(r *web.Request) error {
	return h.poll(r, func(m domain.Mailing, last db.RunRow) error {
		view, err := h.throughputOf(r, m, last)
		if err != nil {
			return err
		}
		status := fiber.StatusOK
		if !view.Going {
			status = web.StopPolling
		}
		return r.Block(status, "mailings/throughput", view)
	})
}
