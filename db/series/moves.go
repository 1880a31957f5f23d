package series

import (
	"context"
	"time"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// movePart is how many clients an edit moves in its own transaction, and each one that follows in the background.
const movePart = 5000

// moveOf says by SQL which clients (as sc, with the step as step where its place matters) a kind of move finds, and what
// becomes of them. $1 is the series, $2 the step, $3 the step onward, $4 the time of the move.
func moveOf(m rules.Move) (from, set string) {
	switch {
	case m.Kind == rules.MoveAnew:
		return `series_clients AS sc WHERE sc.next_step_id = $2 AND sc.due_at > 'epoch'`, `due_at = 'epoch'`
	case m.Kind == rules.MoveOnward && m.OnwardID != 0:
		return waitsFor, `next_step_id = $3, due_at = 'epoch'`
	case m.Kind == rules.MoveOnward:
		return waitsFor, `next_step_id = 0, due_at = NULL, left_at = $4, left_reason = 'finished'`
	case m.Kind == rules.MoveSent:
		return passedPlace, `next_step_id = $2, due_at = 'epoch', since = $4, left_at = NULL, left_reason = ''`
	}
	return passedPlace, `passed = passed || $2::bigint`
}

const (
	waitsFor    = `series_clients AS sc WHERE sc.next_step_id = $2 AND sc.due_at IS NOT NULL`
	passedPlace = `series_clients AS sc JOIN series_steps AS step ON step.id = $2 AND step.series_id = $1 WHERE ` + beyondPlace
)

// unused names the parameters that a move has no use for, or Postgres would not know their types.
const unused = ` AND $3::bigint IS NOT NULL AND $4::timestamptz IS NOT NULL`

// movePartOf moves the next clients, by their numbers; ended is true when none are left.
func movePartOf(ctx context.Context, tx db.Tx, m *rules.Move) (ended bool, err error) {
	from, set := moveOf(*m)
	var n int64
	err = tx.Pgx.QueryRow(ctx, `WITH part AS MATERIALIZED (
			SELECT sc.client_id FROM `+from+unused+` AND sc.series_id = $1 AND sc.client_id > $5 ORDER BY sc.client_id LIMIT $6 FOR NO KEY UPDATE OF sc
		), moved AS (
			UPDATE series_clients AS sc SET `+set+` FROM part WHERE sc.series_id = $1 AND sc.client_id = part.client_id
		) SELECT count(*), coalesce(max(client_id), 0) FROM part`,
		m.SeriesID, m.StepID, m.OnwardID, m.At, m.AfterID, movePart).Scan(&n, &m.AfterID)
	m.Done += n
	return n < movePart, err
}

// moveAll does the moves as far as one part goes, and leaves the rest to Move. Where some are left from before, all wait
// behind them.
func moveAll(ctx context.Context, tx db.Tx, series int64, moves []rules.Move) error {
	_, waiting, err := moving(ctx, tx, series)
	for _, m := range moves {
		if err != nil {
			return err
		}
		m.SeriesID = series
		if !waiting {
			var ended bool
			if ended, err = movePartOf(ctx, tx, &m); err != nil || ended {
				continue
			}
		}
		from, _ := moveOf(m)
		err = tx.Pgx.QueryRow(ctx, `SELECT count(*) FROM `+from+unused+` AND sc.series_id = $1 AND sc.client_id > $5`, series, m.StepID, m.OnwardID, m.At, m.AfterID).Scan(&m.Total)
		if m.Total += m.Done; err == nil {
			_, err = tx.NewInsert().Model(&m).ModelTableExpr("series_moves").Exec(ctx)
		}
		waiting = true
	}
	return err
}

// moving is the move of a series that is under way; ok is false when there is none.
func moving(ctx context.Context, tx db.Tx, series int64) (m rules.Move, ok bool, err error) {
	var list []rules.Move
	err = tx.NewSelect().Model(&list).ModelTableExpr("series_moves AS move").Where("series_id = ?", series).Order("id").Limit(1).Scan(ctx)
	if len(list) > 0 {
		m = list[0]
	}
	return m, len(list) > 0, err
}

// Moving tells how far the move of a series has come that is under way; ok is false when there is none.
func (ss Series) Moving(ctx context.Context, id int64) (m rules.Move, ok bool, err error) {
	err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		m, ok, err = moving(ctx, tx, id)
		return err
	})
	return m, ok, err
}

// Move moves the next part of the clients of each series that was edited; moved is false when nothing is left to do. Several
// processes may do it at once, and go on where one that died has stopped.
func (ss Series) Move(ctx context.Context) (moved bool, err error) {
	ids, err := ss.db.Postgres().IDs(ctx, `SELECT DISTINCT series_id FROM series_moves ORDER BY series_id`)
	for _, id := range ids {
		if err != nil {
			return moved, err
		}
		err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
			// Whoever plans or edits the series locks it likewise.
			if _, err := db.LockMailing(ctx, tx, id, "NO KEY UPDATE SKIP LOCKED"); err != nil {
				if domain.KindOf(err) == domain.NotFound {
					return nil
				}
				return err
			}
			m, ok, err := moving(ctx, tx, id)
			if err != nil || !ok {
				return err
			}
			moved = true
			return moveOn(ctx, tx, m)
		})
	}
	return moved, postgres.TranslateError(err)
}

// moveOn does the next part of a move that is kept.
func moveOn(ctx context.Context, tx db.Tx, m rules.Move) error {
	ended, err := movePartOf(ctx, tx, &m)
	if err != nil {
		return err
	}
	if !ended {
		_, err := tx.Pgx.Exec(ctx, `UPDATE series_moves SET after_id = $2, done = $3 WHERE id = $1`, m.ID, m.AfterID, m.Done)
		return err
	}
	if _, err := tx.Pgx.Exec(ctx, `DELETE FROM series_moves WHERE id = $1`, m.ID); err != nil {
		return err
	}
	return dropQuestions(ctx, tx, m.SeriesID)
}

// dropQuestions ends the questions about steps whose place nobody has passed, unless clients are still being moved.
func dropQuestions(ctx context.Context, tx db.Tx, series int64) error {
	_, err := tx.Pgx.Exec(ctx, `UPDATE series_steps AS step SET asks = false WHERE series_id = $1 AND asks
		AND NOT EXISTS (SELECT FROM series_moves WHERE series_id = $1) AND NOT EXISTS (SELECT FROM series_clients AS sc WHERE `+beyondPlace+`)`, series)
	return err
}

// sweepPart is how many places in series that are gone are deleted at once.
const sweepPart = 10_000

// Sweep deletes who was where in series that were deleted before a time, in parts.
func (ss Series) Sweep(ctx context.Context, before time.Time) error {
	gone, err := ss.db.Postgres().IDs(ctx, `SELECT id FROM mailings AS m WHERE kind = 'series' AND deleted_at < $1
		AND EXISTS (SELECT FROM series_clients WHERE series_id = m.id)`, before)
	for _, id := range gone {
		for left := true; left && err == nil; {
			var n []int64
			n, err = ss.db.Postgres().IDs(ctx, `WITH part AS (
					SELECT client_id FROM series_clients WHERE series_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED
				), gone AS (
					DELETE FROM series_clients AS sc USING part WHERE sc.series_id = $1 AND sc.client_id = part.client_id RETURNING 1
				) SELECT count(*) FROM gone`, id, sweepPart)
			left = err == nil && n[0] == sweepPart
		}
	}
	return err
}
