package series

import (
	"context"
	"slices"
	"strconv"
	"time"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

func fieldOf(s rules.Series) string { return strconv.FormatInt(s.FieldID, 10) }

// saveSteps keeps the steps and moves those on who waited for one that is gone or stands elsewhere.
func saveSteps(ctx context.Context, tx db.Tx, s *rules.Series, edit rules.Edit, now time.Time) error {
	if edit.Steps == nil {
		return nil
	}
	if err := checkMessages(ctx, tx, s.OwnerID, edit.Steps); err != nil {
		return err
	}
	if len(edit.Removed) > 0 {
		if _, err := tx.Pgx.Exec(ctx, `DELETE FROM series_steps WHERE series_id = $1 AND id = ANY($2)`, s.ID, edit.Removed); err != nil {
			return err
		}
	}
	for i := range edit.Steps {
		step := &edit.Steps[i]
		step.SeriesID = s.ID
		var err error
		if step.ID == 0 {
			_, err = tx.NewInsert().Model(step).ModelTableExpr("series_steps").Exec(ctx)
		} else {
			_, err = tx.NewUpdate().Model(step).ModelTableExpr("series_steps").Where("id = ? AND series_id = ?", step.ID, s.ID).Exec(ctx)
		}
		if err != nil {
			return err
		}
	}
	s.Steps = edit.Steps
	if err := moveAll(ctx, tx, s.ID, edit.Moves(now)); err != nil {
		return err
	}
	return dropQuestions(ctx, tx, s.ID)
}

// checkMessages refuses messages that are not the owner's, and keeps them from being deleted before the steps are saved.
func checkMessages(ctx context.Context, tx db.Tx, owner int64, steps []rules.Step) error {
	var ids, known []int64
	for _, one := range steps {
		ids = append(ids, one.MessageID)
	}
	rows, err := tx.Pgx.Query(ctx, `SELECT id FROM messages WHERE id = ANY($1) AND owner_id = $2 ORDER BY id FOR KEY SHARE`, ids, owner)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		known = append(known, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var p domain.ValidationErrors
	for i, id := range ids {
		if !slices.Contains(known, id) {
			p.Add("step_message_id-"+strconv.Itoa(i), "series.message_required")
		}
	}
	return p.Err()
}

// beyondPlace tells of clients (as sc) that they have gone past the place of a step (as step) without it.
const beyondPlace = `sc.series_id = step.series_id AND NOT step.id = ANY(sc.passed) AND sc.next_step_id <> step.id
	AND (sc.left_reason = 'finished' OR sc.left_at IS NULL AND sc.next_step_id IN (
		SELECT later.id FROM series_steps AS later WHERE later.series_id = step.series_id AND later.position > step.position))`

// StepCount is how many are where in a series.
type StepCount struct {
	StepID  int64
	Waiting int64
	NextAt  time.Time `bun:",nullzero"` // when the first of them gets it
	Sent    int64     // emails that servers took
	Passed  int64     // of a step that asks: have gone past its place without it

	Opened, Clicked, Unsubscribed int64 // clients, by the emails of the step
}

// Counts are how many wait for each step, got it, what came of it and, of those that ask, how many have passed its place.
// Sent is right at once: beside the sums of a step, only its runs that are open or have just ended are read.
func (ss Series) Counts(ctx context.Context, s rules.Series) (counts map[int64]StepCount, err error) {
	var rows []StepCount
	err = ss.db.Postgres().Bun.NewRaw(`SELECT step.id AS step_id, waiting.n AS waiting, waiting.next_at,
			coalesce(kept.accepted, 0) + live.accepted AS sent, coalesce(kept.opened, 0) AS opened, coalesce(kept.clicked, 0) AS clicked,
			coalesce(kept.unsubscribed, 0) AS unsubscribed,
			CASE WHEN step.asks THEN (SELECT count(*) FROM series_clients AS sc WHERE `+beyondPlace+`) ELSE 0 END AS passed
		FROM series_steps AS step LEFT JOIN step_sums AS kept ON kept.step_id = step.id,
		LATERAL (SELECT coalesce(sum(run.accepted - (SELECT coalesce(sum(accepted), 0) FROM run_sums WHERE run_id = run.id)
				+ CASE WHEN run.closed_at IS NULL THEN (SELECT coalesce(sum(accepted), 0) FROM batches WHERE run_id = run.id) ELSE 0 END), 0)::bigint AS accepted
			FROM runs AS run WHERE NOT run.summed AND run.status <> 'missed' AND run.mailing_id = step.series_id AND run.step_id = step.id) AS live,
		LATERAL (SELECT count(*) AS n, min(due_at) FILTER (WHERE due_at > 'epoch') AS next_at FROM series_clients
			WHERE series_id = step.series_id AND due_at IS NOT NULL AND (next_step_id = step.id OR next_step_id = 0 AND step.id = ?1)) AS waiting
		WHERE step.series_id = ?0`, s.ID, first(s)).Scan(ctx, &rows)
	counts = map[int64]StepCount{}
	for _, one := range rows {
		counts[one.StepID] = one
	}
	return counts, postgres.TranslateError(err)
}

// first is the number of the first step, for which those wait who have just come in.
func first(s rules.Series) int64 {
	if len(s.Steps) == 0 {
		return 0
	}
	return s.Steps[0].ID
}

// Answer says whether those who have passed the place of an added or moved step get it: at once, counted from now, or not
// at all.
func (ss Series) Answer(ctx context.Context, owner, id, step int64, send bool) error {
	return ss.step(ctx, func(tx db.Tx) error {
		var s rules.Series
		_, err := ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) (err error) {
			s, err = Load(ctx, tx, *m)
			return err
		})
		if err != nil {
			return err
		}
		asked := s.Step(step)
		if asked == nil {
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		if !asked.Asks {
			return nil // answered already
		}
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		move := rules.Move{Kind: rules.MoveLeft, StepID: step, At: now}
		if send {
			move.Kind = rules.MoveSent
		}
		if err := moveAll(ctx, tx, id, []rules.Move{move}); err != nil {
			return err
		}
		_, err = tx.Pgx.Exec(ctx, `UPDATE series_steps SET asks = false WHERE id = $1`, step)
		return err
	})
}
