package db

import (
	"context"
	"errors"
	"slices"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Mailings are messages with an audience and a calendar.
type Mailings struct{ db *DB }

// Mailings of this database.
func (db *DB) Mailings() Mailings { return Mailings{db} }

// Get is one mailing with its picked clients; owner 0 reads anybody's, for managers.
func (ms Mailings) Get(ctx context.Context, owner, id int64) (domain.Mailing, error) {
	return loadMailing(ctx, ms.db.pg.Bun, owner, id, "", withPicked)
}

// Create saves a new mailing.
func (ms Mailings) Create(ctx context.Context, m *domain.Mailing) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		if err := checkMessage(ctx, tx, m); err != nil {
			return err
		}
		return ms.CreateIn(ctx, tx, m)
	})
}

// CreateIn saves a new mailing, or what a new series has of one.
func (ms Mailings) CreateIn(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if err := errors.Join(checkSender(ctx, tx, m), checkTopic(ctx, tx, m)); err != nil {
		return err
	}
	if err := checkSegment(ctx, tx, m); err != nil {
		return err
	}
	if err := checkZones(ctx, tx, m); err != nil {
		return err
	}
	if err := checkDigest(ctx, tx, m); err != nil {
		return err
	}
	if err := checkCameBack(ctx, tx, m); err != nil {
		return err
	}
	m.Status = domain.Created
	if _, err := tx.NewInsert().Model(m).Exec(ctx); err != nil {
		return err
	}
	if err := savePicked(ctx, tx, m); err != nil {
		return err
	}
	return ms.db.changed(ctx, tx, "stats")
}

// Copy keeps a copy of a mailing, which sends nothing before it is launched.
func (ms Mailings) Copy(ctx context.Context, owner, id int64, name func(string) string, now time.Time) (domain.Mailing, error) {
	m, err := ms.Get(ctx, owner, id)
	if err != nil {
		return m, err
	}
	copied := m.Copy(name(m.Name), now)
	return copied, ms.Create(ctx, &copied)
}

// Update lets change work on the locked mailing and saves what it made of it. Runs
// that are going on feel a stop, a disable and a new end at once; a launch that is due is
// planned at once. owner 0 is for managers.
func (ms Mailings) Update(ctx context.Context, owner, id int64, change func(*domain.Mailing) error) (domain.Mailing, error) {
	var m domain.Mailing
	err := ms.db.pg.InTx(ctx, func(tx Tx) (err error) {
		m, err = ms.update(ctx, tx, owner, id, change)
		return err
	})
	return m, err
}

func (ms Mailings) update(ctx context.Context, tx Tx, owner, id int64, change func(*domain.Mailing) error) (m domain.Mailing, err error) {
	if m, err = ownMailing(ctx, tx, owner, id, withPicked); err != nil {
		return m, err
	}
	return ms.change(ctx, tx, m, change)
}

// UpdateSeries is Update for what a series has of a mailing.
func (ms Mailings) UpdateSeries(ctx context.Context, tx Tx, owner, id int64, change func(*domain.Mailing) error) (m domain.Mailing, err error) {
	if m, err = loadMailing(ctx, tx, owner, id, "UPDATE", withoutPicked); err != nil {
		return m, err
	}
	if m.Kind != domain.KindSeries {
		return m, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return ms.change(ctx, tx, m, change)
}

// change works on the locked mailing and saves what becomes of it.
func (ms Mailings) change(ctx context.Context, tx Tx, m domain.Mailing, change func(*domain.Mailing) error) (domain.Mailing, error) {
	if err := FindZones(ctx, tx, &m, time.Now()); err != nil {
		return m, err
	}
	before := m
	if err := change(&m); err != nil {
		return m, err
	}
	if err := checkChanged(ctx, tx, before, &m); err != nil {
		return m, err
	}
	return m, ms.save(ctx, tx, before, &m)
}

// checkChanged refuses what a change has made the mailing refer to; what it already had is not asked about again.
func checkChanged(ctx context.Context, tx Tx, before domain.Mailing, m *domain.Mailing) error {
	message := m.MessageID != before.MessageID
	for _, one := range []struct {
		changed bool
		check   func(context.Context, Tx, *domain.Mailing) error
	}{
		{m.ZoneOfClient && !before.ZoneOfClient, checkZones},
		{m.Digest.Source != before.Digest.Source || message, checkDigest},
		{message || !slices.Equal(m.MessageIDs, before.MessageIDs) || !slices.Equal(m.AB.Variants, before.AB.Variants), checkMessage},
		{m.SenderID != before.SenderID, checkSender},
		{m.TopicID != before.TopicID, checkTopic},
		{m.SegmentID != before.SegmentID, checkSegment},
		{m.Holdout.FieldID != before.Holdout.FieldID, checkCameBack},
	} {
		if !one.changed {
			continue
		}
		if err := one.check(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}

// Launch launches the mailing; what it sends at once can be taken back for wait. The database's clock decides.
func (ms Mailings) Launch(ctx context.Context, owner, id int64, wait time.Duration) (m domain.Mailing, err error) {
	err = ms.db.pg.InTx(ctx, func(tx Tx) error {
		now, err := tx.Clock(ctx)
		if err == nil {
			m, err = ms.update(ctx, tx, owner, id, func(m *domain.Mailing) error { return m.LaunchFor(now, wait) })
		}
		return err
	})
	return m, err
}

// RunNow has a run out of turn planned, which can be taken back for wait. The rule is asked now, for the answer
// to the owner, and again when the job plans.
func (ms Mailings) RunNow(ctx context.Context, owner, id int64, wait time.Duration) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		m, err := ownMailing(ctx, tx, owner, id, withoutPicked)
		if err != nil {
			return err
		}
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		if err := m.AskRun(now, wait); err != nil {
			return err
		}
		if err := mayLaunch(ctx, tx, m); err != nil {
			return err
		}
		if err := RefuseRepeat(ctx, tx, id, now); err != nil {
			return err
		}
		if err := RefuseOnHold(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&m).Column("recall").WherePK().Exec(ctx); err != nil {
			return err
		}
		job := domain.PlanJob{MailingID: id, Force: true}
		if m.Recall != nil {
			job.NotBefore = m.Recall.Until
		}
		return ms.db.pg.Enqueue(ctx, tx, job)
	})
}

func mayLaunch(ctx context.Context, tx Tx, m domain.Mailing) error {
	var user domain.User
	if err := tx.NewSelect().Model(&user).Column("name", "approved_name").Where("id = ?", m.OwnerID).Scan(ctx); err != nil {
		return err
	}
	if err := user.MayLaunch(); err != nil || m.SenderID == 0 {
		return err
	}
	sender, from, err := senderOf(ctx, tx, m)
	if err != nil {
		return err
	}
	return sender.MayLaunch(from)
}

// RefuseRepeat refuses what a double click would make: a doubled letter.
func RefuseRepeat(ctx context.Context, tx Tx, id int64, now time.Time) error {
	again, err := tx.NewSelect().TableExpr("runs").Where("mailing_id = ?", id).
		Where("reason <> ?", domain.ReasonRecalled).
		Where("occurrence_no IS NULL AND created_at > ? OR not_before > ?", now.Add(-10*time.Second), now).Exists(ctx)
	if err == nil && again {
		err = domain.Errorf(domain.Conflict, "", "mailings.just_ran")
	}
	return err
}

// Delete hides the mailing for good and cancels its runs; its attempts stay on record.
func (ms Mailings) Delete(ctx context.Context, owner, id int64, now time.Time) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		m, err := ownMailing(ctx, tx, owner, id, withoutPicked)
		if err != nil {
			return err
		}
		before := m
		m.DeletedAt, m.MessageID, m.MessageIDs = now, 0, []int64{}
		return ms.save(ctx, tx, before, &m)
	})
}

// save writes the row, the picked recipients and everything that follows from what changed.
func (ms Mailings) save(ctx context.Context, tx Tx, before domain.Mailing, m *domain.Mailing) error {
	if m.Status == domain.Running && before.Status != domain.Running {
		if err := mayLaunch(ctx, tx, *m); err != nil {
			return err
		}
	}
	if _, err := tx.NewUpdate().Model(m).WherePK().Exec(ctx); err != nil {
		return err
	}
	if !slices.Equal(m.ClientIDs, before.ClientIDs) {
		if err := savePicked(ctx, tx, m); err != nil {
			return err
		}
	}
	return ms.follow(ctx, tx, before, *m)
}

// follow does to the mailing's runs what follows from a change of it.
func (ms Mailings) follow(ctx context.Context, tx Tx, before, m domain.Mailing) error {
	if reason := endReason(before, m); reason != "" {
		if err := endRuns(ctx, tx, postgres.RunsChanged{MailingID: m.ID}, reason); err != nil {
			return err
		}
	}
	if m.Paused() && !before.Paused() {
		if err := pauseRuns(ctx, tx, m.ID); err != nil {
			return err
		}
	}
	if !m.EndAt.Equal(before.EndAt) || m.Window != before.Window {
		if err := moveWindow(ctx, tx, m); err != nil {
			return err
		}
	}
	if m.Status == domain.Running && before.Status == domain.Created {
		if err := ms.db.pg.Enqueue(ctx, tx, domain.PlanJob{MailingID: m.ID}); err != nil {
			return err
		}
	}
	if m.Status != before.Status || m.Disabled() != before.Disabled() || !m.DeletedAt.Equal(before.DeletedAt) {
		return ms.db.changed(ctx, tx, "stats")
	}
	return nil
}

// moveWindow gives the open runs of the mailing its new end and its new hours.
func moveWindow(ctx context.Context, tx Tx, m domain.Mailing) error {
	now, err := tx.Clock(ctx)
	if err != nil {
		return err
	}
	var runs []domain.Run
	err = tx.NewSelect().Model(&runs).Where("mailing_id = ? AND closed_at IS NULL", m.ID).Order("id").For("NO KEY UPDATE").Scan(ctx)
	for _, run := range runs {
		if err == nil {
			run.Refit(m, now)
			_, err = tx.NewUpdate().Model(&run).Column("window_end", "opens_at", "closes_at", "status", "reason", "resume_at").WherePK().Exec(ctx)
		}
	}
	if err != nil {
		return err
	}
	return tx.Notify(ctx, postgres.RunsChanged{MailingID: m.ID})
}

// endReason says why runs of the mailing have to end now, empty when they go on.
func endReason(before, after domain.Mailing) string {
	switch {
	case !after.DeletedAt.IsZero():
		return domain.ReasonDeleted
	case after.Disabled() && !before.Disabled():
		return domain.ReasonDisabled
	case after.Status == domain.Finished && before.Status != domain.Finished:
		return domain.ReasonStopped
	}
	return ""
}

// endRuns turns the open runs of a mailing or an owner to stopping; the engine closes them.
func endRuns(ctx context.Context, tx Tx, whose postgres.RunsChanged, reason string) error {
	_, err := tx.NewUpdate().Table("runs").
		Set("status = ?, resume_at = NULL, end_outcome = ?, reason = ?", domain.RunStopping, domain.OutcomeCancelled, reason).
		Where("mailing_id = ? OR owner_id = ?", whose.MailingID, whose.OwnerID). // one of them is no number of anybody
		Where("status IN (?, ?)", domain.RunRunning, domain.RunPaused).Exec(ctx)
	if err != nil {
		return err
	}
	return tx.Notify(ctx, whose)
}

// Only forms and the page of a mailing need the picked clients; planning must not load them.
const withPicked, withoutPicked = true, false

// LockMailing reads a mailing of whichever owner, without the picked clients, with lock as the strength
// of the row's lock.
func LockMailing(ctx context.Context, tx Tx, id int64, lock string) (domain.Mailing, error) {
	return loadMailing(ctx, tx, 0, id, lock, withoutPicked)
}

// ownMailing locks a mailing for a change. An owner's series is none: it has pages and rules of its own. Owner 0, a manager
// who disables, may mean either.
func ownMailing(ctx context.Context, tx Tx, owner, id int64, picked bool) (domain.Mailing, error) {
	m, err := loadMailing(ctx, tx, owner, id, "UPDATE", picked)
	if err == nil && owner != 0 && m.Kind == domain.KindSeries {
		err = domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return m, err
}

// loadMailing reads a mailing, with lock as the strength of the row's lock (none: "").
func loadMailing(ctx context.Context, tx bun.IDB, owner, id int64, lock string, picked bool) (domain.Mailing, error) {
	var m domain.Mailing
	query := tx.NewSelect().Model(&m).Where("id = ? AND deleted_at IS NULL", id)
	if owner != 0 {
		query.Where("owner_id = ?", owner)
	}
	if lock != "" {
		query.For(lock)
	}
	if err := query.Scan(ctx); err != nil || !picked {
		return m, postgres.TranslateError(err)
	}
	err := tx.NewSelect().Table("mailing_clients").Column("client_id").
		Where("mailing_id = ?", id).Order("client_id").Scan(ctx, &m.ClientIDs)
	return m, postgres.TranslateError(err)
}

// checkMessage refuses a message that is not the owner's, and keeps it from being deleted
// before the mailing is saved.
func checkMessage(ctx context.Context, tx Tx, m *domain.Mailing) error {
	own, err := tx.NewSelect().TableExpr("messages").
		Where("id = ? AND owner_id = ?", m.MessageID, m.OwnerID).For("KEY SHARE").Exists(ctx)
	if err == nil && !own {
		err = domain.Errorf(domain.Invalid, "message_id", "mailings.message_required")
	}
	if err == nil {
		err = checkMessages(ctx, tx, m.OwnerID, "message_id", m.MessageIDs)
	}
	if err == nil {
		err = checkMessages(ctx, tx, m.OwnerID, "ab_subject", m.AB.MessageIDs())
	}
	return err
}

func checkMessages(ctx context.Context, tx Tx, owner int64, field string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	var known []int64
	err := tx.NewSelect().Table("messages").Column("id").Where("id IN ? AND owner_id = ?", bun.Tuple(ids), owner).For("KEY SHARE").Scan(ctx, &known)
	if err == nil && slices.ContainsFunc(ids, func(id int64) bool { return !slices.Contains(known, id) }) {
		err = domain.Errorf(domain.Invalid, field, "mailings.message_required")
	}
	return err
}

// savePicked refuses clients that are not the owner's.
func savePicked(ctx context.Context, tx Tx, m *domain.Mailing) error {
	_, err := tx.NewDelete().Table("mailing_clients").Where("mailing_id = ?", m.ID).Exec(ctx)
	if err != nil || len(m.ClientIDs) == 0 {
		return err
	}
	saved, err := tx.Pgx.Exec(ctx, `INSERT INTO mailing_clients (mailing_id, client_id)
		SELECT $1, id FROM clients WHERE id = ANY($2) AND owner_id = $3`, m.ID, m.ClientIDs, m.OwnerID)
	if err == nil && saved.RowsAffected() != int64(len(m.ClientIDs)) {
		err = domain.Errorf(domain.Invalid, "client_ids", "mailings.clients_unknown")
	}
	return err
}
