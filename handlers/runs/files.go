package runs

import (
	"bufio"
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// file streams CSV with a byte order mark, for spreadsheets: next gives the rows of a page, none at the end.
func (h *Runs) file(r *web.Request, name string, head []string, next func(ctx context.Context) ([][]string, error)) error {
	ctx, number := context.WithoutCancel(r.UserContext()), r.RequestID
	rows, err := next(ctx)
	if err != nil {
		return err
	}
	r.Attachment(name)
	r.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	return r.Stream(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff" + domain.CSVRow(head...))
		for len(rows) > 0 && err == nil {
			for _, row := range rows {
				_, _ = out.WriteString(domain.CSVRow(row...)) // Flush tells below
			}
			if out.Flush() != nil {
				return // the viewer has gone
			}
			rows, err = next(ctx)
		}
		if err != nil {
			r.Site.Log.Error("file of a run", "request_id", number, "error", err)
		}
	})
}

// File is a run's deliveries, each with the last answer.
func (h *Runs) File(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	outcome, page, over := domain.Outcome(r.Query("outcome")), db.Page{Number: 1}, false
	head := []string{"email", "outcome", "attempts", "skipped", "status", "code", "answer"}
	return h.file(r, "skychimp-run-"+strconv.FormatInt(run.ID, 10)+".csv", head, func(ctx context.Context) (rows [][]string, err error) {
		if over {
			return nil, nil
		}
		list, more, err := h.DB.Runs().Deliveries(ctx, run.ID, outcome, page)
		for _, one := range list {
			code := ""
			if one.Code != 0 {
				code = strconv.Itoa(one.Code)
			}
			rows = append(rows, []string{one.Email, string(one.Outcome), strconv.Itoa(one.Tries), one.Skipped, string(one.Status), code, one.Answer})
		}
		page, over = following(page, outcome != "", list), !more
		return rows, err
	})
}

// following is the page after this one: those of an outcome are found by the last of them.
func following(page db.Page, narrowed bool, list []db.DeliveryRow) db.Page {
	if narrowed && len(list) > 0 {
		return db.Page{Number: page.Number + 1, After: db.Cursor{int64(list[len(list)-1].Seq)}}
	}
	return db.Page{Number: page.Number + 1}
}

// AttemptsFile is the record of attempts as its page shows it.
func (h *Runs) AttemptsFile(r *web.Request) error {
	filter, over := db.AttemptFilter{OwnerID: r.OwnerID(), MailingID: int64(r.QueryInt("mailing")), Status: domain.AttemptStatus(r.Query("status")), Page: db.Page{Number: 1}}, false
	head := []string{"at", "mailing", "run", "email", "attempt", "status", "code", "answer"}
	return h.file(r, "skychimp-attempts.csv", head, func(ctx context.Context) (rows [][]string, err error) {
		if over {
			return nil, nil
		}
		list, more, err := h.DB.Attempts().List(ctx, filter)
		for _, one := range list {
			rows = append(rows, []string{one.At.UTC().Format(time.RFC3339), one.MailingName, strconv.FormatInt(one.RunID, 10), one.Email, strconv.Itoa(one.N),
				string(one.Status), strconv.Itoa(one.Code), one.Answer})
		}
		if over = !more || len(list) == 0; !over {
			last := list[len(list)-1]
			filter.Page = db.Page{Number: filter.Page.Number + 1, After: db.Cursor{last.RunID, int64(last.Seq), last.At.UnixMicro()}}
		}
		return rows, err
	})
}
