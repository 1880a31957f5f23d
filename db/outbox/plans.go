package outbox

import (
	"cmp"
	"context"
	"time"

	"skychimp/db"
	"skychimp/db/holdout"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/domain/digest"
	"skychimp/domain/email"
)

// Due are the mailings with an occurrence at or before now, one of each owner first,
// so that no owner waits behind another's many.
func (p Plans) Due(ctx context.Context, now time.Time) ([]int64, error) {
	var ids []int64
	err := p.pg.Bun.NewRaw(`
		SELECT mailing.id FROM mailings AS mailing JOIN users AS owner ON owner.id = mailing.owner_id
		WHERE mailing.kind = 'mailing' AND mailing.status = 'running' AND mailing.disabled_at IS NULL AND mailing.deleted_at IS NULL
		  AND mailing.next_run_at <= ? AND owner.blocked_at IS NULL
		ORDER BY row_number() OVER (PARTITION BY owner.id ORDER BY mailing.important DESC, mailing.next_run_at, mailing.id), mailing.next_run_at, mailing.id`,
		now).Scan(ctx, &ids)
	return ids, postgres.TranslateError(err)
}

// Forecast is what a run of the mailing at now would be, without making it.
type Forecast struct {
	Mailing    domain.Mailing
	At         time.Time
	Recipients int64 // after suppression
	Capped     db.Capped
}

// Forecast tells what PlanRun would do; ok is false when nothing is due.
func (p Plans) Forecast(ctx context.Context, id int64, now time.Time, force bool) (f Forecast, ok bool, err error) {
	err = p.pg.InTx(ctx, func(tx postgres.Tx) error {
		var run domain.Run
		if run, f.Mailing, ok, err = p.takeRun(ctx, tx, id, now, turn{out: force}); err != nil || !ok {
			return err
		}
		f.At = run.ScheduledAt
		if err := db.Resolve(ctx, tx, &f.Mailing); err != nil {
			return err
		}
		gets := db.Audience(tx.NewSelect().TableExpr("clients AS client"), f.Mailing).
			Where("("+db.SkipReason+") IS NULL", f.Mailing.TopicID, run.ScheduledAt)
		if out := f.Mailing.Holdout; out.On() {
			gets.Where("NOT ("+holdout.Drawn+")", []byte(out.Seed), out.Bound())
		}
		total, err := gets.Count(ctx)
		if err != nil {
			return err
		}
		f.Recipients = total
		if f.Capped, err = db.CappedIn(ctx, tx, f.Mailing, run.ScheduledAt); err != nil {
			return err
		}
		return postgres.ErrRollback
	})
	return f, ok, err
}

// Make takes the due occurrence of a mailing off its calendar and makes its run with its
// deliveries, in one transaction; what a large run has beyond the first part is left to PlanRest.
// force makes a run out of turn. ok is false when nothing is due, or when another process is
// planning the same mailing right now; while the installation is on hold it is refused.
func (p Plans) Make(ctx context.Context, id int64, now time.Time, force bool) (run domain.Run, ok bool, err error) {
	return p.make(ctx, id, now, turn{out: force})
}

// MakeRecallable makes the run out of turn that was asked for and can be taken back until notBefore; ok is false
// when it was.
func (p Plans) MakeRecallable(ctx context.Context, id int64, now, notBefore time.Time) (run domain.Run, ok bool, err error) {
	return p.make(ctx, id, now, turn{out: true, notBefore: notBefore})
}

// turn is why a run is made: its time has come or, out of turn, somebody asked for it.
type turn struct {
	out       bool
	notBefore time.Time // until when that can be taken back, zero: it can't
}

// recalled reports whether the mailing no longer has what was asked for.
func (t turn) recalled(m domain.Mailing) bool {
	return !t.notBefore.IsZero() && (m.Recall == nil || !m.Recall.Until.Equal(t.notBefore))
}

func (p Plans) make(ctx context.Context, id int64, now time.Time, why turn) (run domain.Run, ok bool, err error) {
	err = p.pg.InTx(ctx, func(tx postgres.Tx) error {
		if err := db.RefuseOnHold(ctx, tx); err != nil {
			return err
		}
		var m domain.Mailing
		if run, m, ok, err = p.takeRun(ctx, tx, id, now, why); err != nil || !ok {
			return err
		}
		plan := planRun
		if m.AB.On() {
			plan = planTest
		}
		if err := plan(ctx, tx, &run, m); err != nil {
			ok = false
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{})
	})
	return run, ok && err == nil, err
}

// planRun keeps a run with its email, and plans it.
func planRun(ctx context.Context, tx postgres.Tx, run *domain.Run, m domain.Mailing) error {
	if err := keepEmail(ctx, tx, m, run); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(run).Exec(ctx); err != nil {
		return err
	}
	if err := planFirst(ctx, tx, run, m); err != nil {
		return err
	}
	return recheckOwner(ctx, tx, run)
}

// takeRun advances the mailing and inserts the rows of its missed runs; the one to send is still to be planned.
func (p Plans) takeRun(ctx context.Context, tx postgres.Tx, id int64, now time.Time, why turn) (run domain.Run, m domain.Mailing, ok bool, err error) {
	if m, ok, err = lockPlannable(ctx, tx, id, now, why); err != nil || !ok {
		return run, m, false, err
	}
	if run, ok, err = wantedRun(ctx, tx, &m, now, why); err != nil {
		return run, m, false, err
	}
	_, err = tx.NewUpdate().Model(&m).WherePK().Comment(string(statement.Advance)).Exec(ctx)
	return run, m, ok && err == nil, err
}

// lockPlannable locks a mailing; ok is false when there is nothing to plan for it: it is gone or in the hands of another
// process, its owner is blocked, what was asked for has been taken back, a series plans itself, or its posts are not fetched yet.
func lockPlannable(ctx context.Context, tx postgres.Tx, id int64, now time.Time, why turn) (m domain.Mailing, ok bool, err error) {
	lock := "UPDATE SKIP LOCKED"
	if why.out {
		lock = "UPDATE" // nobody asks a second time for a run out of turn
	}
	if m, err = db.LockMailing(ctx, tx, id, lock); domain.KindOf(err) == domain.NotFound {
		return m, false, nil
	} else if err != nil {
		return m, false, err
	}
	if blocked, err := ownerBlocked(ctx, tx, m.OwnerID); err != nil || blocked || why.recalled(m) || m.Kind == domain.KindSeries && !why.out {
		return m, false, err
	}
	if err := db.FindZones(ctx, tx, &m, now); err != nil {
		return m, false, err
	}
	return m, !m.Digest.Waits(dueAt(m, why, now), now), nil
}

// wantedRun is the run that the locked mailing owes, taken off its calendar; ok is false when it owes none, which may have
// moved the calendar all the same.
func wantedRun(ctx context.Context, tx postgres.Tx, m *domain.Mailing, now time.Time, why turn) (run domain.Run, ok bool, err error) {
	run = domain.Run{MailingID: m.ID, OwnerID: m.OwnerID, TopicID: m.TopicID, WindowEnd: m.EndAt, CreatedAt: now, NotBefore: why.notBefore}
	if why.out {
		err, ok = outOfTurn(ctx, tx, m, &run, now), true
	} else if m.Status == domain.Running && !m.Disabled() {
		run.NotBefore = m.NotBefore(now)
		ok, err = inTurn(ctx, tx, m, &run, now)
	}
	if err == nil && ok && !m.Digest.None() {
		ok, err = takePosts(ctx, tx, m, &run, now)
	}
	if err != nil {
		return run, false, err
	}
	if ok {
		run.TakeMessage(m)
	}
	run.Fit(*m, now)
	run.Begin(now)
	return run, ok, nil
}

// dueAt is since when a run is wanted.
func dueAt(m domain.Mailing, why turn, now time.Time) time.Time {
	if why.out || m.NextRunAt.IsZero() {
		return now.Add(-24 * time.Hour) // whoever asks for it gets an answer
	}
	return m.NextRunAt
}

// takePosts gives the run the posts of its digest. Without new ones it is recorded as missed, with the reason.
func takePosts(ctx context.Context, tx postgres.Tx, m *domain.Mailing, run *domain.Run, now time.Time) (bool, error) {
	if run.Posts = m.Digest.New(now); len(run.Posts) > 0 {
		m.Digest.Take(run.Posts)
		return true, nil
	}
	missed := *run
	missed.Status, missed.Reason, missed.ClosedAt = domain.RunMissed, domain.ReasonNothingNew, now
	if m.Digest.Fetched.Problem {
		missed.Reason = domain.ReasonFeedFailed
	}
	_, err := tx.NewInsert().Model(&missed).Exec(ctx)
	return false, err
}

// keepEmail gives the run what its emails are made of, which stays as it is now. A subject that it has already is another
// than that of its message.
func keepEmail(ctx context.Context, tx postgres.Tx, m domain.Mailing, run *domain.Run) error {
	subject := run.Subject
	err := tx.NewSelect().TableExpr("messages").Column("subject", "preheader", "body", "language", "revision").
		Where("id = ?", run.MessageID).Scan(ctx, &run.Subject, &run.Preheader, &run.Body, &run.Language, &run.Revision)
	if err != nil {
		return err
	}
	run.Subject = cmp.Or(subject, run.Subject)
	if run.From, err = db.FromOf(ctx, tx, m); err != nil {
		return err
	}
	run.Tracking = m.Tracking
	if run.UTMCampaign == "" {
		run.UTMCampaign = m.Name
	}
	brand, err := db.BrandOf(ctx, tx, m.OwnerID)
	if run.Brand = &brand; err != nil {
		return err
	}
	return fillRun(ctx, tx, run)
}

// fillRun puts the number and the date of the run into its texts, where the owner has no fields of these names.
func fillRun(ctx context.Context, tx postgres.Tx, run *domain.Run) error {
	var owner domain.User
	if err := tx.NewSelect().Model(&owner).Column("timezone", "language").Where("id = ?", run.OwnerID).Scan(ctx); err != nil {
		return err
	}
	var fields []domain.Field
	if err := tx.NewSelect().Model(&fields).Where("owner_id = ?", run.OwnerID).Scan(ctx); err != nil {
		return err
	}
	language := domain.EmailLanguage(run.Language, run.Subject, run.Body, owner.Language)
	words := email.RunWords{Issue: run.Issue, Date: run.ScheduledAt.In(owner.Location()), Language: language}
	for _, text := range []*string{&run.Subject, &run.Preheader, &run.Body} {
		*text = digest.Fill(words.Fill(*text, fields), run.Posts)
	}
	return nil
}

// inTurn makes of run the one that is due.
func inTurn(ctx context.Context, tx postgres.Tx, m *domain.Mailing, run *domain.Run, now time.Time) (bool, error) {
	missed, due, ok := m.Plan(now)
	if err := db.InsertMissed(ctx, tx, *m, missed, now); err != nil {
		return false, err
	}
	run.OccurrenceNo, run.ScheduledAt, run.Waves = &due.No, due.At, domain.WavesOf(*m, due.No)
	return ok, nil
}

// outOfTurn makes of run one that is asked for now.
func outOfTurn(ctx context.Context, tx postgres.Tx, m *domain.Mailing, run *domain.Run, now time.Time) error {
	no, numbered, err := m.RunNow(now)
	if err != nil {
		return err
	}
	run.ScheduledAt = now
	if numbered {
		run.OccurrenceNo = &no
		return nil
	}
	return db.RefuseRepeat(ctx, tx, m.ID, now)
}

func ownerBlocked(ctx context.Context, tx postgres.Tx, owner int64) (blocked bool, err error) {
	err = tx.NewSelect().TableExpr("users").ColumnExpr("blocked_at IS NOT NULL").Where("id = ?", owner).Scan(ctx, &blocked)
	return blocked, err
}

// recheckOwner undoes the run of an owner who was blocked meanwhile, and pauses that of one who is held.
// Whoever is from here on has this run stopped or paused; the lock waits for the commit.
func recheckOwner(ctx context.Context, tx postgres.Tx, run *domain.Run) error {
	var blocked, held bool
	err := tx.NewSelect().TableExpr("users").ColumnExpr("blocked_at IS NOT NULL, held_at IS NOT NULL").
		Where("id = ?", run.OwnerID).For("SHARE").Scan(ctx, &blocked, &held)
	switch {
	case err != nil:
		return err
	case blocked:
		return postgres.ErrRollback
	case !held:
		return nil
	}
	run.Status, run.Reason, run.ResumeAt = domain.RunPaused, domain.ReasonComplaints, time.Time{}
	_, err = tx.NewUpdate().Model(run).Column("status", "reason", "resume_at").WherePK().Exec(ctx)
	return err
}
