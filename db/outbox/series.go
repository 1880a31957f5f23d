package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/series"
	"skychimp/db/statement"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// Series plan the steps of series that are due.
type Series struct{ pg *postgres.DB }

// Series of this outbox.
func (o Outbox) Series() Series { return Series(o) }

// seriesPart is how many clients of a series one transaction takes in, works out or plans: whole batches, as firstPart.
const seriesPart = firstPart

// stepFirst is how many emails a step's run begins with: they go out while the others are planned.
const stepFirst = 20 * domain.BatchSize

// clientZone is a client's time zone: as the owner's field for it says, else the owner's.
const clientZone = `coalesce(client.fields ->> (SELECT min(id)::text FROM fields WHERE owner_id = owner.id AND type = 'timezone'), owner.timezone)`

// dueSeries are the series that may send and have something to do, by the smallest due of each step, which the index has
// first: whoever waits costs nothing.
const dueSeries = `SELECT series.id FROM series JOIN mailings AS mailing ON mailing.id = series.id JOIN users AS owner ON owner.id = series.owner_id
	WHERE mailing.kind = 'series' AND mailing.status = 'running' AND mailing.disabled_at IS NULL AND mailing.deleted_at IS NULL
	  AND mailing.paused_at IS NULL AND owner.blocked_at IS NULL AND NOT EXISTS (SELECT FROM series_moves WHERE series_id = series.id)
	  AND (series.join_to IS NOT NULL OR series.entry = 'date' AND coalesce(series.looked_at, 'epoch') <= $1::timestamptz - $2::interval
		OR (SELECT min(due_at) FROM series_clients WHERE series_id = series.id AND next_step_id = 0 AND due_at IS NOT NULL) <= $1
		OR (SELECT min((SELECT min(due_at) FROM series_clients WHERE series_id = step.series_id AND next_step_id = step.id AND due_at IS NOT NULL))
			FROM series_steps AS step WHERE step.series_id = series.id) <= $1)
	ORDER BY series.id`

// Plan takes in who comes into series and makes runs of the steps that are due, a part of each series after the other, until
// nothing is left but what Plans.Continue plans. Several processes may do it at once. A series that can't be planned does
// not keep the others back. With only it plans this series alone.
func (ss Series) Plan(ctx context.Context, now time.Time, only int64) (whole []domain.Run, err error) {
	tried := map[int64]bool{} // and failed, or in the hands of another process
	for left := true; left; {
		left = false
		ids, failed := ss.pg.IDs(ctx, dueSeries, now, lookEvery)
		err = errors.Join(err, failed)
		for _, id := range ids {
			if tried[id] || only != 0 && id != only {
				continue
			}
			run, did, failed := ss.part(ctx, id, now)
			err = errors.Join(err, failed)
			tried[id] = failed != nil || !did
			left = left || did
			if run.ID != 0 && run.PlanCursor == nil {
				whole = append(whole, run)
			}
		}
	}
	return whole, err
}

// Wait tells whether a mailing is a series, and how long its launch can still be taken back.
func (ss Series) Wait(ctx context.Context, id int64, now time.Time) (is bool, wait time.Duration, err error) {
	var m domain.Mailing
	err = ss.pg.Bun.NewSelect().Model(&m).Where("id = ? AND kind = ?", id, domain.KindSeries).Scan(ctx)
	if explained := postgres.TranslateError(err); domain.KindOf(explained) == domain.NotFound {
		return false, 0, nil
	} else if explained != nil {
		return false, 0, explained
	}
	if until := m.NotBefore(now); now.Before(until) {
		wait = until.Sub(now)
	}
	return true, wait, nil
}

// part does the next part of all that is to be done for a series, in one transaction: whoever dies in it has done nothing.
func (ss Series) part(ctx context.Context, id int64, now time.Time) (run domain.Run, did bool, err error) {
	err = ss.pg.InTx(ctx, func(tx postgres.Tx) error {
		p, ok, err := ss.take(ctx, tx, id, now, "NO KEY UPDATE SKIP LOCKED")
		if err != nil || !ok {
			return err
		}
		joined, err := p.join(ctx)
		if err != nil {
			return err
		}
		placed, err := p.place(ctx)
		if err != nil {
			return err
		}
		step, err := p.due(ctx)
		if err != nil {
			return err
		}
		var sent bool
		if step != nil {
			if run, sent, err = p.begin(ctx, *step); err != nil {
				return err
			}
		}
		did = joined || placed || sent
		return nil
	})
	if err != nil {
		return domain.Run{}, false, err
	}
	return run, did, nil
}

// seriesPlan is a transaction that plans a series whose mailing it has locked.
type seriesPlan struct {
	rules.Series
	tx   postgres.Tx
	now  time.Time
	zone *time.Location // the owner's
}

// take locks a series; ok is false when it may not send, when another process plans it, or while its clients are being
// moved: who has not been moved yet must not get what the series had for them before.
func (ss Series) take(ctx context.Context, tx postgres.Tx, id int64, now time.Time, lock string) (p *seriesPlan, ok bool, err error) {
	if err := db.RefuseOnHold(ctx, tx); err != nil {
		return nil, false, err
	}
	m, err := db.LockMailing(ctx, tx, id, lock)
	if domain.KindOf(err) == domain.NotFound {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	s, err := series.Load(ctx, tx, m)
	if err != nil {
		return nil, false, err
	}
	if blocked, err := ownerBlocked(ctx, tx, m.OwnerID); err != nil || blocked || !s.Active() || now.Before(m.NotBefore(now)) {
		return nil, false, err
	}
	var zone string
	var moving bool
	err = tx.Pgx.QueryRow(ctx, `SELECT timezone, EXISTS (SELECT FROM series_moves WHERE series_id = $2) FROM users WHERE id = $1`, m.OwnerID, id).Scan(&zone, &moving)
	return &seriesPlan{s, tx, now, series.Zone(zone)}, err == nil && !moving, err
}

// due is the step that is due for the longest time, nil: none. What a run of it has left to plan comes first.
func (p *seriesPlan) due(ctx context.Context) (*rules.Step, error) {
	var id int64
	err := p.tx.Pgx.QueryRow(ctx, `SELECT id FROM (SELECT id, (SELECT min(due_at) FROM series_clients
			WHERE series_id = step.series_id AND next_step_id = step.id AND due_at > 'epoch') AS first
		FROM series_steps AS step WHERE series_id = $1
			AND NOT EXISTS (SELECT FROM runs WHERE mailing_id = step.series_id AND step_id = step.id AND closed_at IS NULL AND plan_cursor IS NOT NULL)
		) AS step WHERE first <= $2 ORDER BY first, id LIMIT 1`, p.ID, p.now).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return p.Step(id), err
}

// begin makes a run of a step with the first part of those whose turn it is. It is none when all of them have left or wait.
func (p *seriesPlan) begin(ctx context.Context, step rules.Step) (run domain.Run, did bool, err error) {
	who, full, err := p.turn(ctx, step, p.now, 0, stepFirst)
	if err != nil || len(who) == 0 {
		return run, false, err
	}
	if step.MessageID == 0 { // its owner has deleted it in spite of all: nothing is lost, and the page tells
		return run, false, nil
	}
	if gets := receivers(who); gets > 0 {
		run = domain.Run{MailingID: p.ID, OwnerID: p.OwnerID, TopicID: p.Mailing.TopicID, StepID: step.ID, MessageID: step.MessageID, Issue: step.Position, ScheduledAt: p.now, CreatedAt: p.now}
		run.Begin(p.now)
		if full { // a version that knows no series finds nobody by it
			run.PlanCursor = &domain.PlanCursor{Audience: domain.AudiencePicked, Tags: []string{}}
		}
		if err := keepEmail(ctx, p.tx, p.Mailing, &run); err != nil {
			return run, false, err
		}
		if _, err := p.tx.NewInsert().Model(&run).Exec(ctx); err != nil {
			return run, false, err
		}
	}
	if err := p.advance(ctx, step, &run, who); err != nil || run.ID == 0 {
		return run, err == nil, err
	}
	if err := recheckOwner(ctx, p.tx, &run); err != nil {
		return run, false, err
	}
	return run, true, p.tx.Notify(ctx, postgres.RunsChanged{})
}

// continueStep plans the next part of a step's run; ok is false when there is none. Where the run has been stopped, or the
// series has, who is left stays where it is. The series is locked before the run, as whoever stops it does.
func (p Plans) continueStep(ctx context.Context, mailing, id int64) (run domain.Run, ok bool, err error) {
	err = p.pg.InTx(ctx, func(tx postgres.Tx) error {
		plan, active, err := Series(p).takeActive(ctx, tx, mailing)
		if err != nil {
			return err
		}
		if run, ok, err = lockPartlyPlanned(ctx, tx, id); err != nil || !ok {
			return err
		}
		var who []turnOf
		full := false
		var step *rules.Step
		if active && run.Status == domain.RunRunning {
			step = plan.Step(run.StepID)
		}
		if step != nil {
			if who, full, err = plan.turn(ctx, *step, run.ScheduledAt, run.ID, nextPart/5); err != nil {
				return err
			}
		}
		if !full {
			run.PlanCursor = nil
		}
		if len(who) > 0 {
			if err := plan.advance(ctx, *step, &run, who); err != nil {
				return err
			}
		} else if _, err := tx.NewUpdate().Model(&run).Column("plan_cursor").WherePK().Exec(ctx); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{})
	})
	return run, ok && err == nil, err
}

// takeActive is take by the database's clock, which waits for whoever has the series; one that is refused is not active,
// while an installation on hold is an error.
func (ss Series) takeActive(ctx context.Context, tx postgres.Tx, id int64) (p *seriesPlan, active bool, err error) {
	now, err := tx.Clock(ctx)
	if err != nil {
		return nil, false, err
	}
	p, active, err = ss.take(ctx, tx, id, now, "NO KEY UPDATE")
	if kind := domain.KindOf(err); kind != 0 && kind != domain.Unavailable { // on hold
		return nil, false, nil
	}
	return p, active, err
}

// lockPartlyPlanned locks a run of which a part is still to be planned; ok is false when there is none.
func lockPartlyPlanned(ctx context.Context, tx postgres.Tx, id int64) (run domain.Run, ok bool, err error) {
	err = tx.NewSelect().Model(&run).Where("id = ? AND plan_cursor IS NOT NULL", id).For("NO KEY UPDATE").
		Comment(string(statement.PlanPart)).Scan(ctx)
	err = postgres.TranslateError(err)
	if domain.KindOf(err) == domain.NotFound {
		return run, false, nil
	}
	return run, err == nil, err
}
