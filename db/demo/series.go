package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	dbseries "skychimp/db/series"
	rules "skychimp/domain/series"
)

// Series is one that clients have gone through since they came: some are through, some under way.
type Series struct {
	Name       string
	MessageIDs []int64
	Waits      []int // days
}

// create writes the series; nobody comes in before it is launched.
func (s Series) create(ctx context.Context, d *db.DB, owner int64, now time.Time) (int64, error) {
	in := rules.Input{Name: s.Name, Entry: string(rules.Added)}
	for i, message := range s.MessageIDs {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: message, Wait: strconv.Itoa(s.Waits[i])})
	}
	made, err := dbseries.In(d).Create(ctx, owner, in, now)
	return made.ID, err
}

const launched = `UPDATE mailings SET status = 'running', launched_at = $2::timestamptz - interval '180 days', created_at = $2::timestamptz - interval '182 days' WHERE id = $1`

// turns are the steps of each client, with the time at which each is sent.
const turns = `WITH turns AS (
	SELECT c.id AS client_id, c.email, c.created_at, step.id AS step_id, step.position,
		c.created_at + make_interval(days => sum(step.wait_days) OVER (PARTITION BY c.id ORDER BY step.position)::int, hours => 1) AS at
	FROM mailings AS m JOIN series_steps AS step ON step.series_id = m.id JOIN clients AS c ON c.owner_id = m.owner_id
	WHERE m.id = $1 AND c.created_at > m.launched_at AND c.suppressed_at IS NULL) `

const places = turns + `INSERT INTO series_clients (series_id, client_id, how, entered_at, since, passed, next_step_id, due_at, left_at, left_reason)
	SELECT $1, client_id, 'added', created_at, coalesce(max(at) FILTER (WHERE at < $2), created_at), coalesce(array_agg(step_id ORDER BY position) FILTER (WHERE at < $2), '{}'),
		coalesce(min(step_id) FILTER (WHERE at >= $2), 0), min(at) FILTER (WHERE at >= $2),
		CASE WHEN max(at) < $2 THEN max(at) END, CASE WHEN max(at) < $2 THEN 'finished' ELSE '' END
	FROM turns GROUP BY client_id, created_at`

const stepRuns = turns + `INSERT INTO runs (mailing_id, owner_id, step_id, occurrence_no, scheduled_at, subject, preheader, body, language, revision, brand, status, created_at, closed_at)
	SELECT m.id, m.owner_id, turns.step_id, row_number() OVER (ORDER BY turns.at, client_id), turns.at, message.subject, message.preheader, message.body, message.language, message.revision, '{}', 'done',
		turns.at, turns.at + interval '1 minute'
	FROM turns JOIN mailings AS m ON m.id = $1 JOIN series_steps AS step ON step.id = turns.step_id JOIN messages AS message ON message.id = step.message_id WHERE turns.at < $2`

const stepDeliveries = turns + `INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries)
	SELECT run.id, 1, client_id, email, 'accepted', 1 FROM turns JOIN runs AS run ON run.mailing_id = $1 AND run.step_id = turns.step_id AND run.scheduled_at = turns.at`

// history writes what the series has done until now.
func (s Series) history(ctx context.Context, tx pgx.Tx, id int64, now time.Time) error {
	for _, statement := range []string{launched, places, stepRuns, stepDeliveries} {
		args := []any{id, now}
		if statement == stepDeliveries {
			args = args[:1]
		}
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return fmt.Errorf("series: %w", err)
		}
	}
	return nil
}
