// Package demo gives the demo months of history, so that no page of it is empty. It writes rows that sending would have
// written, in bulk, because nobody waits for months.
package demo

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/sums"
)

// Mailing is one of the past, with a run every so many days.
type Mailing struct {
	Name        string
	MessageID   int64
	Periodicity string
	Every, Hour int
}

// months of history: the clients came one after the other in them.
const days = 210

// opened is the account's beginning, before which pages show nothing.
const opened = `UPDATE users SET created_at = $2::timestamptz - make_interval(days => $3::int + 30) WHERE id = $1`

// clients came over the months, some by the form; a few more have left since, each a day after an email.
const clients = `WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS all FROM clients WHERE owner_id = $1)
	UPDATE clients SET created_at = $2::timestamptz - make_interval(days => CASE WHEN n % 3 = 0 THEN $3::int + 20 ELSE ($3::int - $3::int * n / numbered.all)::int END, mins => (n * 7)::int),
		source = CASE WHEN n % 4 = 1 THEN 'form' END
	FROM numbered WHERE clients.id = numbered.id`

const leavers = `INSERT INTO clients (owner_id, email, full_name, created_at, suppressed_at, suppressed_reason)
	SELECT $1, 'former' || n || '@example.' || (ARRAY['com', 'org', 'net'])[1 + n % 3], '', $2::timestamptz - make_interval(days => $3::int + 10),
		$2::timestamptz - make_interval(days => 4 + 14 * n), CASE WHEN n % 7 = 3 THEN 'complained' WHEN n % 3 = 0 THEN 'bounced' ELSE 'unsubscribed' END
	FROM generate_series(1, 14) AS n`

const mailing = `INSERT INTO mailings (owner_id, message_id, name, audience, start_local, timezone, periodicity, status, launched_at, finished_at, created_at)
	SELECT id, $4, $5, 'all', (($2::timestamptz - make_interval(days => $3::int)) AT TIME ZONE timezone)::date + make_interval(hours => $7::int), timezone, $6, 'finished',
		$2::timestamptz - make_interval(days => $3::int), $2::timestamptz - interval '1 day', $2::timestamptz - make_interval(days => $3::int)
	FROM users WHERE id = $1 RETURNING id`

const runs = `INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, subject, preheader, body, language, revision, brand, status, created_at, closed_at)
	SELECT m.id, m.owner_id, n, at, message.subject, message.preheader, message.body, message.language, message.revision, '{}', 'done', at, at + interval '21 minutes'
	FROM mailings AS m JOIN messages AS message ON message.id = m.message_id,
		generate_series(0, $3::int / $4::int) AS n, LATERAL (SELECT (m.start_local + make_interval(days => (n * $4)::int)) AT TIME ZONE m.timezone AS at) AS due
	WHERE m.id = $1 AND at < $2::timestamptz - interval '1 day'`

const deliveries = `INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries)
	SELECT run.id, row_number() OVER (PARTITION BY run.id ORDER BY c.id), c.id, c.email,
		CASE WHEN abs(hashint8(run.id * 7919 + c.id)) % 100 < 3 THEN 'failed' ELSE 'accepted' END, CASE WHEN abs(hashint8(run.id * 31 + c.id)) % 100 < 6 THEN 2 ELSE 1 END
	FROM runs AS run JOIN clients AS c ON c.owner_id = run.owner_id AND c.created_at < run.scheduled_at
		AND (c.suppressed_at IS NULL OR c.suppressed_at > run.scheduled_at)
	WHERE run.owner_id = $1 AND run.status = 'done' AND run.step_id IS NULL`

const attempts = `INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer, class)
	SELECT d.run_id, d.seq, d.client_id, d.email, n, run.scheduled_at + make_interval(secs => d.seq * 0.7 + (n - 1) * 61), answers.status, answers.code, answers.answer, answers.class
	FROM deliveries AS d JOIN runs AS run ON run.id = d.run_id, generate_series(1, d.tries) AS n, LATERAL (SELECT * FROM (VALUES
		(n < d.tries, 'deferred', 451, '4.7.1 Greylisted, try again later', 'greylist'), (d.outcome = 'accepted', 'accepted', 250, '2.0.0 Ok', ''),
		(true, 'failed', 550, '5.1.1 No such user here', 'dead')) AS answers (fits, status, code, answer, class) WHERE fits LIMIT 1) AS answers
	WHERE run.owner_id = $1 AND run.status = 'done'`

const counts = `UPDATE runs SET planned = d.planned, accepted = d.accepted, failed = d.failed
	FROM (SELECT run_id, count(*) AS planned, count(*) FILTER (WHERE outcome = 'accepted') AS accepted, count(*) FILTER (WHERE outcome = 'failed') AS failed
		FROM deliveries GROUP BY run_id) AS d WHERE runs.id = d.run_id AND owner_id = $1 AND status = 'done'`

// last is the last email that each of the former clients took.
const last = `(SELECT DISTINCT ON (c.id) c.id, c.email, c.suppressed_reason AS reason, d.run_id, d.seq, c.suppressed_at AS at FROM clients AS c
	JOIN deliveries AS d ON d.client_id = c.id AND d.outcome = 'accepted' JOIN runs AS run ON run.id = d.run_id
	WHERE c.owner_id = $1 AND c.suppressed_at IS NOT NULL ORDER BY c.id, run.scheduled_at DESC) AS last`

const cameBack = `INSERT INTO bounces (run_id, seq, mark, kind, class, owner_id, email, at)
	SELECT run_id, seq, reason, CASE reason WHEN 'bounced' THEN 'hard' ELSE 'complaint' END, CASE reason WHEN 'bounced' THEN 'dead' ELSE '' END, $1, email, at
	FROM ` + last + ` WHERE reason IN ('bounced', 'complained')`

const left = `INSERT INTO unsubscribes (client_id, owner_id, run_id, reason, at)
	SELECT id, $1, run_id, (ARRAY['', 'too_many', 'not_relevant'])[1 + id % 3], at FROM ` + last + ` WHERE reason = 'unsubscribed'`

const listDays = `WITH gone AS (DELETE FROM client_days WHERE owner_id = $1), own AS (
		SELECT c.*, known_zone(owner.timezone) AS zone FROM clients AS c JOIN users AS owner ON owner.id = c.owner_id WHERE owner_id = $1)
	INSERT INTO client_days SELECT $1, (created_at AT TIME ZONE zone)::date, coalesce(source, 'typed'), count(*) FROM own GROUP BY 2, 3
	UNION ALL SELECT $1, (suppressed_at AT TIME ZONE zone)::date, suppressed_reason, count(*) FROM own WHERE suppressed_at IS NOT NULL GROUP BY 2, 3`

const formDays = `INSERT INTO form_days (form_id, day, signups, confirmed)
	SELECT form.id, c.created_at::date, count(*) + count(*) / 3, count(*) FROM forms AS form JOIN clients AS c ON c.owner_id = form.owner_id AND c.source = 'form'
	WHERE form.owner_id = $1 GROUP BY 1, 2`

// History writes the months before now for an owner who has clients, messages and a form, and sums them up.
func History(ctx context.Context, d *db.DB, owner int64, mailings []Mailing, welcome Series, now time.Time) error {
	series, err := welcome.create(ctx, d, owner, now)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, d.Postgres().Pool, func(tx pgx.Tx) error {
		for _, statement := range []string{opened, clients, leavers} {
			if _, err := tx.Exec(ctx, statement, owner, now, days); err != nil {
				return err
			}
		}
		for _, one := range mailings {
			var id int64
			if err := tx.QueryRow(ctx, mailing, owner, now, days, one.MessageID, one.Name, one.Periodicity, one.Hour).Scan(&id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, runs, id, now, days, one.Every); err != nil {
				return err
			}
		}
		if err := welcome.history(ctx, tx, series, now); err != nil {
			return err
		}
		for _, statement := range []string{deliveries, attempts, counts, cameBack, left, listDays, formDays} {
			if _, err := tx.Exec(ctx, statement, owner); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return postgres.TranslateError(err)
	}
	return sums.New(d).Update(ctx)
}
