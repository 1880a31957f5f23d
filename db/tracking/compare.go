package tracking

import (
	"context"
	"strings"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Rates are shares of a run in hundredths of a percent: accepted of those planned, the others of those accepted. -1: not known.
type Rates struct{ Accepted, Opened, Clicked, Bounced, Unsubscribed int }

// Comparison is a run beside the one of its mailing before, and the middle of its owner's.
type Comparison struct {
	Run, Before, Middle Rates
	BeforeID            int64 // 0: there is none
	Others              int   // runs of the owner that Middle is of
}

// compared runs of an owner make the middle; fewer than enough of them say nothing.
const compared, enough = 50, 3

// Compare reads the sums of the owner's newest runs that are over.
func (t Tracking) Compare(ctx context.Context, run domain.Run) (c Comparison, err error) {
	var before *int64
	median := func(share, where string) string {
		return `coalesce(round(10000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY ` + share + `) FILTER (WHERE other AND ` + where + `))::int, -1)`
	}
	one := func(share, of, where string) string {
		return `coalesce(round(10000 * max(` + share + `) FILTER (WHERE id = ` + of + ` AND ` + where + `))::int, -1)`
	}
	var columns []string
	for _, kind := range []func(share, where string) string{
		func(share, where string) string { return one(share, "$1", where) },
		func(share, where string) string { return one(share, "(SELECT id FROM before)", where) }, median,
	} {
		columns = append(columns, kind("accepted", "true"), kind("opened", "track_opens"), kind("clicked", "track_clicks"),
			kind("bounced", "true"), kind("unsubscribed", "true"))
	}
	err = t.pg.Pool.QueryRow(ctx, `WITH before AS (
			SELECT id FROM runs WHERE mailing_id = $3 AND id < $1 AND status = 'done' AND accepted > 0 ORDER BY id DESC LIMIT 1
		), listed AS (
			(SELECT * FROM runs WHERE owner_id = $2 AND id <> $1 AND status = 'done' AND accepted > 0 ORDER BY id DESC LIMIT $4)
			UNION SELECT * FROM runs WHERE id = $1 OR id = (SELECT id FROM before)
		), rated AS (
			SELECT id, id <> $1 AS other, track_opens, track_clicks, accepted::float8 / nullif(planned, 0) AS accepted,
				coalesce(opened, 0)::float8 / nullif(accepted, 0) AS opened, coalesce(clicked, 0)::float8 / nullif(accepted, 0) AS clicked,
				coalesce(came.bounced, 0)::float8 / nullif(accepted, 0) AS bounced, coalesce(came.unsubscribed, 0)::float8 / nullif(accepted, 0) AS unsubscribed
			FROM listed LEFT JOIN run_readers ON run_readers.run_id = id,
			LATERAL (SELECT sum(bounced) AS bounced, sum(unsubscribed) AS unsubscribed FROM run_event_sums WHERE run_id = id) AS came
		) SELECT (SELECT id FROM before), count(*) FILTER (WHERE other), `+strings.Join(columns, ", ")+` FROM rated`, run.ID, run.OwnerID, run.MailingID, compared).
		Scan(&before, &c.Others, &c.Run.Accepted, &c.Run.Opened, &c.Run.Clicked, &c.Run.Bounced, &c.Run.Unsubscribed,
			&c.Before.Accepted, &c.Before.Opened, &c.Before.Clicked, &c.Before.Bounced, &c.Before.Unsubscribed,
			&c.Middle.Accepted, &c.Middle.Opened, &c.Middle.Clicked, &c.Middle.Bounced, &c.Middle.Unsubscribed)
	if before != nil {
		c.BeforeID = *before
	}
	if c.Others < enough {
		c.Middle = Rates{-1, -1, -1, -1, -1}
	}
	return c, postgres.TranslateError(err)
}
