package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Refusals are what mail servers refused in a run, for its page.
type Refusals struct {
	Holds      []DomainHold
	Classes    []ClassCount // the most frequent first
	More       bool         // there are more than were counted
	Suppressed int64        // the owner's clients that get no more emails since the run found them dead
}

// DomainHold is a receiving domain that gets nothing of a run for now.
type DomainHold struct {
	Domain string
	Class  domain.Class
	Code   int
	Answer string
	Until  time.Time
}

// ClassCount is how many attempts came to a class.
type ClassCount struct {
	Class domain.Class
	Count int64
}

// maxRefusals of a run are counted: more would take longer than people wait for a page.
const maxRefusals = 50_000

// Refusals of a run. The caller has made sure who may see it.
func (r Runs) Refusals(ctx context.Context, run domain.Run) (Refusals, error) {
	var found Refusals
	err := r.db.pg.Bun.NewRaw(`SELECT domain, class, code, answer, until FROM run_holds WHERE run_id = ? AND until > now()
		ORDER BY domain LIMIT ?`, run.ID, PageSize).Scan(ctx, &found.Holds)
	if err != nil {
		return found, postgres.TranslateError(err)
	}
	err = r.db.pg.Bun.NewRaw(`SELECT class, count(*) AS count FROM (
			SELECT class FROM attempts WHERE run_id = ? AND status <> 'accepted' LIMIT ?) AS refused
		WHERE class <> '' GROUP BY class ORDER BY count DESC, class`, run.ID, maxRefusals).Scan(ctx, &found.Classes)
	if err != nil {
		return found, postgres.TranslateError(err)
	}
	var counted int64
	for _, one := range found.Classes {
		counted += one.Count
	}
	found.More = counted >= maxRefusals
	err = r.db.pg.Pool.QueryRow(ctx, `SELECT count(*) FROM clients
		WHERE suppressed_run = $1 AND owner_id = $2 AND suppressed_reason = $3`, run.ID, run.OwnerID, string(domain.Bounced)).Scan(&found.Suppressed)
	return found, postgres.TranslateError(err)
}

// Unsuppress lets the owner's clients get emails again that were suppressed because a run found their addresses dead, and says
// how many. Who has unsubscribed since stays so.
func (r Runs) Unsuppress(ctx context.Context, owner, run int64) (int, error) {
	if _, err := r.Get(ctx, owner, run); err != nil {
		return 0, err
	}
	tag, err := r.db.pg.Pool.Exec(ctx, `WITH found AS (
			SELECT id FROM clients WHERE suppressed_run = $1 AND owner_id = $2 AND suppressed_reason = $3 ORDER BY id FOR UPDATE
		) UPDATE clients SET suppressed_at = NULL, suppressed_reason = '', suppressed_run = NULL FROM found WHERE clients.id = found.id`,
		run, owner, string(domain.Bounced))
	return int(tag.RowsAffected()), postgres.TranslateError(err)
}
