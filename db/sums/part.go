package sums

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// part is what is summed at once of a run: a table of sums by run with its columns, and the rows that they are made of.
type part struct {
	table   string
	columns []string
	rows    string // the columns domain, at (a quarter of an hour) and those above; $1 is the run, $2 when it was due
}

// quarter is short enough for the zones that are not whole hours away.
const quarter = "date_bin('15 minutes', %, 'epoch'::timestamptz)"

func quarterOf(at string) string { return strings.ReplaceAll(quarter, "%", at) }

// deliveriesPart reads each delivery of a run, with the last of its attempts or the one that was accepted. It joins nothing:
// of a new run Postgres has no statistics, would take it for a few rows and compare each with each.
var deliveriesPart = part{"run_sums", []string{"planned", "accepted", "deferred", "failed"}, `WITH one AS (
		SELECT max(domain) AS domain, max(outcome) AS outcome, coalesce(min(at) FILTER (WHERE status = 'accepted'), max(at)) AS at,
			min(at) FILTER (WHERE status = 'deferred') AS deferred
		FROM (SELECT seq, lower(split_part(email, '@', 2)) AS domain, outcome, NULL::timestamptz AS at, NULL AS status FROM deliveries WHERE run_id = $1
			UNION ALL SELECT seq, NULL, NULL, at, status FROM attempts WHERE run_id = $1) AS found GROUP BY seq
	), grouped AS MATERIALIZED (
		SELECT domain, outcome, ` + quarterOf("at") + ` AS at, ` + quarterOf("deferred") + ` AS deferred, count(*) AS n
		FROM one WHERE outcome IS NOT NULL GROUP BY 1, 2, 3, 4
	), named AS (
		SELECT domain FROM grouped GROUP BY domain ORDER BY sum(n) DESC, domain LIMIT $3
	)
	SELECT coalesce(named.domain, '') AS domain, one.at, sum(planned)::bigint AS planned, sum(accepted)::bigint AS accepted,
		sum(one.deferred)::bigint AS deferred, sum(failed)::bigint AS failed
	FROM grouped LEFT JOIN named ON named.domain = grouped.domain, LATERAL (VALUES ($2::timestamptz, n, 0, 0, 0),
		(coalesce(grouped.at, $2), 0, CASE WHEN outcome = 'accepted' THEN n ELSE 0 END, 0, CASE WHEN outcome = 'failed' THEN n ELSE 0 END),
		(grouped.deferred, 0, 0, CASE WHEN grouped.deferred IS NULL THEN 0 ELSE n END, 0)) AS one (at, planned, accepted, deferred, failed)
	WHERE one.planned + one.accepted + one.deferred + one.failed > 0 GROUP BY 1, 2`}

// eventsPart reads what came back, as many rows of indexes as came.
var eventsPart = part{"run_event_sums", []string{"bounced", "complained", "unsubscribed", "opened", "clicked"}, `WITH events AS (
		SELECT seq, mark FROM bounces WHERE run_id = $1
		UNION ALL SELECT d.seq, 'unsubscribed' FROM unsubscribes AS u JOIN deliveries AS d ON d.run_id = $1 AND d.client_id = u.client_id
			WHERE u.run_id = $1 AND u.topic_id = 0
		UNION ALL SELECT seq, 'opened' FROM visits WHERE run_id = $1 AND n = 0 AND count > 0
		UNION ALL SELECT DISTINCT seq, 'clicked' FROM visits WHERE run_id = $1 AND n > 0 AND count > 0
	), named AS (
		SELECT DISTINCT domain FROM run_sums WHERE run_id = $1 AND $3 > 0
	)
	SELECT coalesce(named.domain, '') AS domain,
		` + quarterOf(`coalesce((SELECT min(at) FROM attempts AS a WHERE a.run_id = $1 AND a.seq = d.seq AND a.status = 'accepted'), $2)`) + ` AS at,
		count(*) FILTER (WHERE mark = 'bounced') AS bounced, count(*) FILTER (WHERE mark = 'complained') AS complained,
		count(*) FILTER (WHERE mark = 'unsubscribed') AS unsubscribed,
		count(*) FILTER (WHERE mark = 'opened') AS opened, count(*) FILTER (WHERE mark = 'clicked') AS clicked
	FROM events JOIN deliveries AS d ON d.run_id = $1 AND d.seq = events.seq LEFT JOIN named ON named.domain = lower(split_part(d.email, '@', 2))
	GROUP BY 1, 2`}

// sumRefusals counts the emails that receiving domains refused or put off, by what the last answer of either kind means.
// It reads the index of what was not accepted.
const sumRefusals = `WITH trouble AS (
		SELECT DISTINCT ON (seq, status = 'failed') seq, lower(split_part(email, '@', 2)) AS domain, status = 'failed' AS failed, class
		FROM attempts WHERE run_id = $1 AND status <> 'accepted' ORDER BY seq, status = 'failed', at DESC
	), named AS (
		SELECT DISTINCT domain FROM run_sums WHERE run_id = $1
	) INSERT INTO run_refusals (run_id, domain, class, deferred, failed)
	SELECT $1, coalesce(named.domain, ''), class, count(*) FILTER (WHERE NOT failed), count(*) FILTER (WHERE failed)
	FROM trouble JOIN deliveries AS d ON d.run_id = $1 AND d.seq = trouble.seq LEFT JOIN named ON named.domain = trouble.domain
	WHERE NOT failed OR outcome = 'failed' GROUP BY 2, 3`

// sum takes back what the run has added to the days of its owner, and adds what it comes to now.
func (p part) sum(ctx context.Context, tx pgx.Tx, r summed) error {
	columns := strings.Join(p.columns, ", ")
	_, err := tx.Exec(ctx, `WITH moved AS (DELETE FROM `+p.table+` WHERE run_id = $1 RETURNING *)`+p.add("-"), r.id, r.owner, r.mailing)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `WITH found AS (`+p.rows+`), moved AS (
			INSERT INTO `+p.table+` (run_id, day, hour, domain, `+columns+`)
			SELECT $1, (at AT TIME ZONE $6)::date, extract(hour FROM at AT TIME ZONE $6), domain, `+p.each("sum(%)")+` FROM found GROUP BY 2, 3, 4
			RETURNING *
		)`+strings.NewReplacer("$2", "$4", "$3", "$5").Replace(p.add("")), r.id, r.at, mostDomains, r.owner, r.mailing, r.zone)
	return err
}

// add adds moved to the days of the owner, $2, and the mailing, $3.
func (p part) add(sign string) string {
	columns := strings.Join(p.columns, ", ")
	upsert := func(table, key string) string {
		return `INSERT INTO ` + table + ` AS known (owner_id, day, mailing_id, ` + key + `, ` + columns + `)
			SELECT $2::bigint, day, $3::bigint, ` + key + `, ` + p.each(sign+"sum(%)") + ` FROM moved GROUP BY day, ` + key + `
			ON CONFLICT (owner_id, day, mailing_id, ` + key + `) DO UPDATE SET ` + p.each("% = known.% + excluded.%")
	}
	return `, domains AS (` + upsert("domain_days", "domain") + `) ` + upsert("mailing_days", "hour")
}

// each repeats a piece of SQL with every column for its %.
func (p part) each(piece string) string {
	pieces := make([]string, len(p.columns))
	for i, column := range p.columns {
		pieces[i] = strings.ReplaceAll(piece, "%", column)
	}
	return strings.Join(pieces, ", ")
}
