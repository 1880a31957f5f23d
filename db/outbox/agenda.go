package outbox

import (
	"context"
	"time"

	"skychimp/db"
	"skychimp/db/postgres"
)

// Agenda is what is to be done for runs and instances, found by one statement, which is a heartbeat besides
// where the last one is some seconds old.
type Agenda struct {
	Now              time.Time     // of the database
	Ahead            time.Duration // of this process's clock
	Beaten           bool          // it was a heartbeat
	Retries          bool          // some are due
	Resume           bool          // paused runs are due
	Shut             bool          // the hours of some are over
	Close            bool          // see Runs.Endable
	Finish           bool          // mailings have come to their end
	Alone            bool          // there is no other instance
	Unlocked, Silent []int64       // other instances whose lock is free, and that have been silent for too long
	NextAt           *time.Time    // when the next thing is due, nil: nothing that is known
}

const (
	// endable: all batches done and no retry waiting, or stopped or past its end with no batch fetched.
	endable = `status IN ('running', 'paused', 'stopping') AND plan_cursor IS NULL AND CASE
		WHEN status = 'stopping' OR window_end <= moment.at
		THEN NOT EXISTS (SELECT FROM batches WHERE run_id = runs.id AND NOT done AND instance_id IS NOT NULL)
		ELSE NOT EXISTS (SELECT FROM batches WHERE run_id = runs.id AND NOT done)
		 AND NOT EXISTS (SELECT FROM retries WHERE run_id = runs.id) END`

	// finishable: the end has come, or the only run is done.
	finishable = `status = 'running' AND deleted_at IS NULL AND (end_at <= moment.at OR (periodicity = 'once' AND next_no > 0 OR rotation_stops AND issues - rotation_from >= cardinality(message_ids) AND message_ids <> '{}')
		AND NOT EXISTS (SELECT FROM runs WHERE mailing_id = mailings.id AND closed_at IS NULL))`

	// unlocked are dead or just reconnecting. Who has batches without an entry is as good as unlocked.
	unlocked = `SELECT id FROM instances WHERE id <> $1 AND NOT EXISTS (SELECT FROM pg_locks WHERE ` + db.InstanceLock + ` AND objid = instances.id)
		UNION SELECT instance_id FROM batches WHERE instance_id <> $1 AND NOT EXISTS (SELECT FROM instances WHERE id = instance_id)`

	silent = `SELECT id FROM instances WHERE id <> $1 AND seen_at < now() - interval '` + db.InstanceTimeout + `'`
)

// Agenda of the instance.
func (o Outbox) Agenda(ctx context.Context, self int64) (a Agenda, err error) {
	asked := time.Now()
	var retryAt, resumeAt *time.Time
	err = o.pg.Pool.QueryRow(ctx, `WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at), beat AS (
			UPDATE instances SET seen_at = now() WHERE id = $1 AND seen_at < now() - interval '2 seconds' RETURNING 1
		)
		SELECT at, EXISTS (SELECT FROM beat), (SELECT min(due_at) FROM retries), (SELECT min(resume_at) FROM runs WHERE status = 'paused'),
			EXISTS (SELECT FROM runs WHERE `+endable+`), EXISTS (SELECT FROM mailings WHERE `+finishable+`),
			EXISTS (SELECT FROM runs WHERE `+shut+`),
			NOT EXISTS (SELECT FROM instances WHERE id <> $1), ARRAY(`+unlocked+`), ARRAY(`+silent+`),
			least((SELECT min(due_at) FROM retries), (SELECT min(resume_at) FROM runs WHERE status = 'paused'),
				(SELECT min(window_end) FROM runs WHERE status IN ('running', 'paused', 'stopping') AND window_end > at),
				(SELECT min(closes_at) FROM runs WHERE status = 'running' AND closes_at > at),
				(SELECT min(end_at) FROM mailings WHERE status = 'running' AND deleted_at IS NULL AND end_at > at))
		FROM moment`, postgres.Prepared, self).
		Scan(&a.Now, &a.Beaten, &retryAt, &resumeAt, &a.Close, &a.Finish, &a.Shut, &a.Alone, &a.Unlocked, &a.Silent, &a.NextAt)
	if err != nil {
		return a, postgres.TranslateError(err)
	}
	a.Ahead = postgres.Ahead(asked, a.Now)
	a.Retries = retryAt != nil && !a.Now.Before(*retryAt)
	a.Resume = resumeAt != nil && !a.Now.Before(*resumeAt)
	return a, nil
}
