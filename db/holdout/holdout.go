// Package holdout keeps whom mailings and series leave out on purpose, and who came back.
package holdout

import (
	"context"
	"time"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/holdout"
)

// Drawn tells whether a client (as `client`) is below the bound ?1 in the draw of the seed ?0: trial.Seed.Below in SQL.
const Drawn = `sha256(?0::bytea || int8send(client.id)) < ?1::bytea`

// SkipReason is db.SkipReason, and for those who would get it after all that they are drawn, by the seed ?2 and the bound ?3.
const SkipReason = `coalesce(` + db.SkipReason + `, CASE WHEN sha256(?2::bytea || int8send(client.id)) < ?3::bytea THEN '` + domain.SkippedHoldout + `' END)`

// Enrol, in the statement that plans a part of the run ?1, keeps who is in the comparison: the first planning counts.
const Enrol = `enrolled AS (
				INSERT INTO holdout_clients (mailing_id, client_id, left_out)
				SELECT run.mailing_id, part.id, part.skipped IS NOT NULL FROM part, runs AS run
				WHERE run.id = ?1 AND (part.skipped IS NULL OR part.skipped = '` + domain.SkippedHoldout + `') ON CONFLICT DO NOTHING
			)`

// EnrolThese does it for clients of the series $1: those who begin it and those who are left out.
const EnrolThese = `INSERT INTO holdout_clients (mailing_id, client_id, left_out)
	SELECT $1::bigint, id, false FROM unnest($2::bigint[]) AS id UNION ALL SELECT $1, id, true FROM unnest($3::bigint[]) AS id ON CONFLICT DO NOTHING`

const groups = `count(*) FILTER (WHERE NOT left_out), count(came_at) FILTER (WHERE NOT left_out), count(*) FILTER (WHERE left_out), count(came_at) FILTER (WHERE left_out)`

// GroupsOf a mailing or series are those in its comparison. The caller has made sure who may see it.
func GroupsOf(ctx context.Context, d *db.DB, m domain.Mailing) (g holdout.Groups, err error) {
	if m.Holdout.Result != nil {
		return *m.Holdout.Result, nil
	}
	err = d.Postgres().Pool.QueryRow(ctx, `SELECT `+groups+` FROM holdout_clients WHERE mailing_id = $1`, m.ID).
		Scan(&g.Got.Of, &g.Got.Came, &g.Left.Of, &g.Left.Came)
	return g, postgres.TranslateError(err)
}

// keptDays is how long after its last run the clients of a comparison are kept.
const keptDays = 400

// Prune ends comparisons of mailings that had no run for so long, and forgets their clients; the sums stay.
func Prune(ctx context.Context, d *db.DB, now time.Time) error {
	ids, err := d.Postgres().IDs(ctx, `SELECT id FROM mailings AS m WHERE holdout_share > 0 AND holdout_result IS NULL AND launched_at < $1
		AND NOT EXISTS (SELECT FROM runs WHERE mailing_id = m.id AND created_at >= $1) ORDER BY id LIMIT 100`, now.AddDate(0, 0, -keptDays))
	for _, id := range ids {
		if err != nil {
			break
		}
		_, err = d.Postgres().Pool.Exec(ctx, `WITH forgotten AS (DELETE FROM holdout_clients WHERE mailing_id = $1 RETURNING *),
				sums AS (SELECT `+groups+` FROM forgotten)
				UPDATE mailings SET holdout_ended_at = coalesce(holdout_ended_at, now()), holdout_result = jsonb_build_object(
					'Got', jsonb_build_object('Of', got, 'Came', got_came), 'Left', jsonb_build_object('Of', left_out, 'Came', left_came))
				FROM sums AS sums (got, got_came, left_out, left_came) WHERE id = $1 AND holdout_result IS NULL`, id)
	}
	return err
}
