package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// Pause stops a run for a while because its sender is broken. The deliveries in revert,
// failed for the same reason, are queued again: it was never their fault. They are so too when another
// process has paused the run before.
func (r Runs) Pause(ctx context.Context, id int64, reason string, now time.Time, revert []int32) error {
	return r.pg.InTx(ctx, func(tx postgres.Tx) error {
		run, err := pausing(ctx, tx, id)
		if err != nil || run.ID == 0 {
			return err
		}
		if run.Status == domain.RunRunning {
			if _, err := tx.Pgx.Exec(ctx, `UPDATE runs SET status = 'paused', reason = $2, pauses = $3, resume_at = $4 WHERE id = $1`,
				id, reason, run.Pauses+1, now.Add(domain.RetryAfter(run.Pauses+1, 0))); err != nil {
				return err
			}
		}
		_, err = tx.Pgx.Exec(ctx, `WITH again AS (
				UPDATE deliveries SET outcome = 'queued' WHERE run_id = $1 AND seq = ANY($2) AND outcome = 'failed' RETURNING seq
			) UPDATE batches SET open = open + n, failed = failed - n, done = false
			FROM (SELECT (seq - 1) / $3 * $3 + 1 AS first, count(*)::int AS n FROM again GROUP BY 1) AS part
			WHERE run_id = $1 AND first_seq = first`, id, revert, domain.BatchSize)
		return err
	})
}

// DomainHold is a receiving domain that a run sends nothing to for a while, and the refusal that is the reason.
type DomainHold struct {
	Domain string
	Answer domain.Answer
	Until  time.Time
}

// DeferDomain defers deliveries that failed because their receiving domain takes nothing from the sender:
// it was never their fault. The run goes on and shows the reason.
func (r Runs) DeferDomain(ctx context.Context, id int64, hold DomainHold, revert []int32) error {
	return r.pg.InTx(ctx, func(tx postgres.Tx) error {
		run, err := pausing(ctx, tx, id)
		if err != nil || run.ID == 0 {
			return err
		}
		if err := hold.note(ctx, tx.Pgx, id); err != nil {
			return err
		}
		if run.Status == domain.RunRunning {
			if _, err := tx.Pgx.Exec(ctx, `UPDATE runs SET reason = $2, pauses = $3 WHERE id = $1`,
				id, hold.Domain+": "+hold.Answer.String(), run.Pauses+1); err != nil {
				return err
			}
		}
		_, err = tx.Pgx.Exec(ctx, `WITH again AS (
				UPDATE deliveries SET outcome = 'deferred' WHERE run_id = $1 AND seq = ANY($2) AND outcome = 'failed' RETURNING seq
			), waiting AS (
				INSERT INTO retries (run_id, seq, due_at) SELECT $1, seq, $4 FROM again
			) UPDATE batches SET failed = failed - n
			FROM (SELECT (seq - 1) / $3 * $3 + 1 AS first, count(*)::int AS n FROM again GROUP BY 1) AS part
			WHERE run_id = $1 AND first_seq = first`, id, revert, domain.BatchSize, hold.Until)
		return err
	})
}

func (h DomainHold) note(ctx context.Context, to interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, run int64) error {
	_, err := to.Exec(ctx, `INSERT INTO run_holds (run_id, domain, class, code, answer, until)
		SELECT id, $2, $3, $4, $5, $6 FROM runs WHERE id = $1 AND closed_at IS NULL
		ON CONFLICT (run_id, domain) DO UPDATE SET class = excluded.class, code = excluded.code, answer = excluded.answer, until = excluded.until`,
		run, h.Domain, string(h.Answer.Class()), h.Answer.Code, h.Answer.Text, h.Until)
	return err
}

// NoteHold shows on a run that a receiver gets nothing for a while.
func (r Runs) NoteHold(ctx context.Context, id int64, hold DomainHold) error {
	return postgres.TranslateError(hold.note(ctx, r.pg.Pool, id))
}

// ResumeDomain says that a domain is held no more; last: it was the only one.
func (r Runs) ResumeDomain(ctx context.Context, id int64, name string, last bool) error {
	_, err := r.pg.Pool.Exec(ctx, `WITH resumed AS (DELETE FROM run_holds WHERE run_id = $1 AND domain = $2)
		UPDATE runs SET reason = '' WHERE id = $1 AND $3 AND status = 'running' AND reason <> ''`, id, name, last)
	return postgres.TranslateError(err)
}

// pausing locks a run that is not closed, none (ID 0) when it is. The lock is weaker than UPDATE, or
// retries, which name the run, would wait for it.
func pausing(ctx context.Context, tx postgres.Tx, id int64) (run domain.Run, err error) {
	err = tx.NewSelect().Model(&run).Column("id", "status", "pauses").Where("id = ? AND closed_at IS NULL", id).
		For("NO KEY UPDATE").Scan(ctx)
	if explained := postgres.TranslateError(err); domain.KindOf(explained) == domain.NotFound {
		return domain.Run{}, nil
	} else if explained != nil {
		return run, explained
	}
	return run, nil
}

// SetStatusNote shows on running runs why nothing moves; an empty text takes it back.
func (r Runs) SetStatusNote(ctx context.Context, runs []int64, text string) error {
	_, err := r.pg.Pool.Exec(ctx, `UPDATE runs SET reason = $2
		WHERE id = ANY($1) AND status = 'running' AND reason <> $2`, runs, text)
	return postgres.TranslateError(err)
}

// Resume lets paused runs go on whose time has come: the sender is tried again, or the time to take a run back is over.
// That waits for the row of a run that is being taken back, and then finds it stopping.
func (r Runs) Resume(ctx context.Context, now time.Time) error {
	_, err := r.pg.Pool.Exec(ctx, `WITH resumed AS (
			UPDATE runs SET status = 'running', reason = '', resume_at = NULL WHERE status = 'paused' AND resume_at <= $1 RETURNING 1
		) SELECT `+postgres.NotifyRuns+` FROM resumed LIMIT 1`, now)
	return postgres.TranslateError(err)
}

// shut are runs that would go on, but not at this hour.
const shut = `status = 'running' AND (moment.at < opens_at OR moment.at >= closes_at) AND (window_end IS NULL OR window_end > moment.at)`

// Shut pauses the runs whose hours are over until those of the next day begin.
func (r Runs) Shut(ctx context.Context, now time.Time) error {
	ids, err := r.pg.IDs(ctx, `SELECT id FROM runs, (SELECT $1::timestamptz AS at) AS moment WHERE `+shut, now)
	for _, id := range ids {
		err = errors.Join(err, r.pg.InTx(ctx, func(tx postgres.Tx) error {
			var run domain.Run
			err := tx.NewSelect().Model(&run).Where("id = ? AND status = 'running'", id).For("NO KEY UPDATE").Scan(ctx)
			if explained := postgres.TranslateError(err); domain.KindOf(explained) == domain.NotFound {
				return nil // stopped meanwhile
			} else if explained != nil {
				return explained
			}
			m, err := db.LockMailing(ctx, tx, run.MailingID, "")
			if domain.KindOf(err) == domain.NotFound {
				return nil // deleted: whoever does it stops the run
			} else if err != nil {
				return err
			}
			run.Wait(m, now)
			_, err = tx.NewUpdate().Model(&run).Column("status", "reason", "resume_at", "opens_at", "closes_at").WherePK().Exec(ctx)
			return err
		}))
	}
	return err
}

// Endable are the open runs, planned to the end, that nobody sends for any more: all batches
// done and no retry waiting, or stopped or past their end with no batch fetched.
func (r Runs) Endable(ctx context.Context, now time.Time) ([]int64, error) {
	return r.pg.IDs(ctx, `SELECT id FROM runs, (SELECT $1::timestamptz AS at) AS moment WHERE `+endable, now)
}

// Close ends a run: what is open becomes cancelled or expired, the outcomes are counted
// from the deliveries themselves, and the mailing is finished when this was its last. An
// CountMismatch error means that the run was closed although its counts do not add up.
func (r Runs) Close(ctx context.Context, id int64, now time.Time) error {
	var mismatch error
	var mailing int64
	err := r.pg.InTx(ctx, func(tx postgres.Tx) error {
		var run domain.Run
		// A weaker lock than UPDATE, or recording a late attempt would wait for it.
		err := tx.NewSelect().Model(&run).Where("id = ? AND closed_at IS NULL AND plan_cursor IS NULL", id).For("NO KEY UPDATE SKIP LOCKED").Scan(ctx)
		if explained := postgres.TranslateError(err); domain.KindOf(explained) == domain.NotFound {
			return nil // another instance closes it
		} else if explained != nil {
			return explained
		}
		// A fetch that began before the run was stopped shows only now.
		var held int
		err = tx.Pgx.QueryRow(ctx, `SELECT count(instance_id) FROM (
			SELECT instance_id FROM batches WHERE run_id = $1 AND NOT done FOR UPDATE) AS open`, id).Scan(&held)
		if err != nil || held > 0 {
			return err
		}
		if run.Status != domain.RunStopping && !run.WindowEnd.IsZero() && !now.Before(run.WindowEnd) {
			run.Expire()
		}
		if err := countRun(ctx, tx, &run); err != nil {
			return err
		}
		if run.Open() != 0 {
			mismatch = CountMismatch{run.ID, run.Planned, run.Planned - run.Open()}
		}
		if run.EndOutcome == "" {
			run.Reason = "" // of a pause
		}
		run.Status, run.ClosedAt, run.ResumeAt, mailing = domain.RunDone, now, time.Time{}, run.MailingID
		_, err = tx.NewUpdate().Model(&run).WherePK().Exec(ctx)
		return err
	})
	if err == nil && mailing != 0 {
		// Apart, because whoever stops a mailing locks it before its runs. FinishMailings
		// does it when this process dies here.
		err = r.closeMailing(ctx, mailing, now)
	}
	if err == nil {
		return mismatch
	}
	return err
}

// countRun ends what is open, counts, and drops what only sending needed.
func countRun(ctx context.Context, tx postgres.Tx, run *domain.Run) error {
	if run.EndOutcome != "" {
		_, err := tx.Pgx.Exec(ctx, `UPDATE deliveries SET outcome = $2 WHERE run_id = $1 AND outcome IN ('queued', 'deferred')`,
			run.ID, string(run.EndOutcome))
		if err != nil {
			return err
		}
	}
	err := tx.Pgx.QueryRow(ctx, `SELECT
			count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'failed'),
			count(*) FILTER (WHERE outcome = 'suppressed'), count(*) FILTER (WHERE outcome = 'expired'),
			count(*) FILTER (WHERE outcome = 'cancelled') FROM deliveries WHERE run_id = $1`, run.ID).
		Scan(&run.Accepted, &run.Failed, &run.Suppressed, &run.Expired, &run.Cancelled)
	if err != nil {
		return err
	}
	if _, err := tx.Pgx.Exec(ctx, `WITH holds AS (DELETE FROM run_holds WHERE run_id = $1) DELETE FROM batches WHERE run_id = $1`, run.ID); err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, statement.Close.SQL(`DELETE FROM retries WHERE run_id = $1`), run.ID)
	return err
}

// FinishMailings finishes the mailings whose end has come or whose only run is done.
func (r Runs) FinishMailings(ctx context.Context, now time.Time) error {
	ended, err := r.pg.IDs(ctx, `SELECT id FROM mailings, (SELECT $1::timestamptz AS at) AS moment WHERE `+finishable, now)
	for _, id := range ended {
		if err == nil {
			err = r.closeMailing(ctx, id, now)
		}
	}
	return err
}

func (r Runs) closeMailing(ctx context.Context, id int64, now time.Time) error {
	return r.pg.InTx(ctx, func(tx postgres.Tx) error {
		m, err := db.LockMailing(ctx, tx, id, "UPDATE")
		if domain.KindOf(err) == domain.NotFound {
			return nil // deleted
		} else if err != nil {
			return err
		}
		open, err := tx.NewSelect().TableExpr("runs").Where("mailing_id = ? AND closed_at IS NULL", id).Exists(ctx)
		if err != nil || !m.Close(open, now) {
			return err
		}
		if _, err := tx.NewUpdate().Model(&m).WherePK().Exec(ctx); err != nil {
			return err
		}
		if m.RotationOver() {
			if err := r.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailRotation, UserID: m.OwnerID, MailingID: id}); err != nil {
				return err
			}
		}
		return tx.Notify(ctx, postgres.NewCacheVersion("stats"))
	})
}

// SendingRun is what composing and sending the emails of a run needs to know.
type SendingRun struct {
	domain.Run
	OwnerName     string // domain.User.SenderName
	OwnerEmail    string
	OwnerLanguage string
	ApprovedName  string
	Fields        []domain.Field      `bun:"-"` // the owner's
	SenderDomain  domain.SenderDomain `bun:"-"` // zero: the installation signs
}

// Get loads a run for the engine.
func (r Runs) Get(ctx context.Context, id int64) (SendingRun, error) {
	var run SendingRun
	err := r.pg.Bun.NewSelect().TableExpr("runs AS run").
		ColumnExpr("run.*, owner.name AS owner_name, owner.approved_name, owner.email AS owner_email, owner.language AS owner_language").
		Join("JOIN users AS owner ON owner.id = run.owner_id").
		Where("run.id = ?", id).Scan(ctx, &run)
	owner := domain.User{Name: run.OwnerName, ApprovedName: run.ApprovedName, Email: run.OwnerEmail}
	if run.OwnerName = owner.SenderName(); run.From.Name == "" { // planned by a version that knew no senders
		run.From = owner.From()
	}
	if err == nil {
		err = r.pg.Bun.NewSelect().Model(&run.Fields).Where("owner_id = ?", run.OwnerID).Order("id").Scan(ctx)
	}
	if err == nil && run.Brand == nil {
		brand, wrong := db.BrandOf(ctx, r.pg.Bun, run.OwnerID)
		run.Brand, err = &brand, wrong
	}
	if err == nil && run.From.DomainID != 0 {
		err = r.pg.Bun.NewSelect().Model(&run.SenderDomain).Where("id = ? AND owner_id = ?", run.From.DomainID, run.OwnerID).Scan(ctx)
	}
	return run, postgres.TranslateError(err)
}
