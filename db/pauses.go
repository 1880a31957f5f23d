package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// TakeBack undoes a launch or a run out of turn before its first email. The row of the run decides: either this
// stops it, or the engine has let it begin.
func (ms Mailings) TakeBack(ctx context.Context, owner, id int64) (m domain.Mailing, err error) {
	err = ms.db.pg.InTx(ctx, func(tx Tx) error {
		if m, err = ownMailing(ctx, tx, owner, id, withPicked); err != nil {
			return err
		}
		before := m
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		if err := m.TakeBack(now); err != nil {
			return err
		}
		taken, err := takeBackRun(ctx, tx, before)
		if err != nil {
			return err
		}
		for _, run := range taken {
			run.GiveMessageBack(&m)
		}
		if m.LaunchedAt.IsZero() { // nobody has been left out yet
			if _, err := tx.NewDelete().Table("holdout_clients").Where("mailing_id = ?", id).Exec(ctx); err != nil {
				return err
			}
		}
		return ms.save(ctx, tx, before, &m)
	})
	return m, err
}

// takeBackRun stops the run that waits for the end of the recall, if there is one yet. Its number is free again, and
// those of the times that the launch passed over.
func takeBackRun(ctx context.Context, tx Tx, m domain.Mailing) (waiting []domain.Run, err error) {
	err = tx.NewSelect().Model(&waiting).Column("id", "status", "issue", "message_id").Where("mailing_id = ? AND not_before = ?", m.ID, m.Recall.Until).
		For("NO KEY UPDATE").Scan(ctx)
	if err != nil {
		return nil, err
	}
	for _, run := range waiting {
		if run.Status != domain.RunPaused {
			return nil, domain.Errorf(domain.Conflict, "", "mailings.recall_late")
		}
		_, err := tx.NewUpdate().Model(&run).WherePK().Set("occurrence_no = NULL, status = ?, end_outcome = ?, reason = ?, resume_at = NULL",
			domain.RunStopping, domain.OutcomeCancelled, domain.ReasonRecalled).Exec(ctx)
		if err != nil {
			return nil, err
		}
	}
	if m.Recall.Status == domain.Created {
		if _, err := tx.NewDelete().Table("runs").Where("mailing_id = ? AND status = ?", m.ID, domain.RunMissed).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return waiting, tx.Notify(ctx, postgres.RunsChanged{MailingID: m.ID})
}

// Pause holds the mailing and what is left of its runs.
func (ms Mailings) Pause(ctx context.Context, owner, id int64) (domain.Mailing, error) {
	return ms.Update(ctx, owner, id, func(m *domain.Mailing) error { return m.Pause(time.Now()) })
}

// Resume lets the mailing and its runs go on; the times that came meanwhile are recorded as missed.
func (ms Mailings) Resume(ctx context.Context, owner, id int64) (m domain.Mailing, err error) {
	err = ms.db.pg.InTx(ctx, func(tx Tx) error {
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		m, err = ms.update(ctx, tx, owner, id, func(m *domain.Mailing) error {
			paused := *m
			missed, err := m.Resume(now)
			if err != nil {
				return err
			}
			return InsertMissed(ctx, tx, paused, missed, now)
		})
		if err != nil {
			return err
		}
		return resumeRuns(ctx, tx, postgres.RunsChanged{MailingID: id}, domain.ReasonPaused)
	})
	return m, err
}

// ResumeSeries lets a series and its runs go on.
func (ms Mailings) ResumeSeries(ctx context.Context, tx Tx, owner, id int64, now time.Time) (domain.Mailing, error) {
	m, err := ms.UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error {
		_, err := m.Resume(now)
		return err
	})
	if err != nil {
		return m, err
	}
	return m, resumeRuns(ctx, tx, postgres.RunsChanged{MailingID: id}, domain.ReasonPaused)
}

// InsertMissed records the occurrences that a mailing passed over.
func InsertMissed(ctx context.Context, tx Tx, m domain.Mailing, missed []domain.Occurrence, now time.Time) error {
	if len(missed) == 0 {
		return nil
	}
	reason := domain.ReasonMissed
	if m.Paused() {
		reason = domain.ReasonPaused
	}
	runs := make([]domain.Run, len(missed))
	for i, one := range missed {
		runs[i] = domain.Run{MailingID: m.ID, OwnerID: m.OwnerID, OccurrenceNo: &one.No, ScheduledAt: one.At, WindowEnd: m.EndAt,
			Status: domain.RunMissed, Reason: reason, CreatedAt: now, ClosedAt: now}
	}
	_, err := tx.NewInsert().Model(&runs).Exec(ctx)
	return err
}

// pauseRuns holds the open runs of a mailing, but for those that wait for a manager.
func pauseRuns(ctx context.Context, tx Tx, mailing int64) error {
	_, err := tx.Pgx.Exec(ctx, `UPDATE runs SET status = 'paused', reason = $2, resume_at = NULL
		WHERE mailing_id = $1 AND status IN ('running', 'paused') AND reason <> $3`, mailing, domain.ReasonPaused, domain.ReasonComplaints)
	if err != nil {
		return err
	}
	return tx.Notify(ctx, postgres.RunsChanged{MailingID: mailing})
}

// resumeRuns lets runs go on that were paused for a reason, unless there is another one to wait.
func resumeRuns(ctx context.Context, tx Tx, whose postgres.RunsChanged, reason string) error {
	_, err := tx.Pgx.Exec(ctx, `WITH waiting AS (
			SELECT run.id, run.not_before, CASE WHEN owner.held_at IS NOT NULL THEN $4::text WHEN mailing.paused_at IS NOT NULL THEN $5::text
				WHEN run.undecided THEN $7::text WHEN run.not_before > clock_timestamp() THEN $6::text ELSE '' END AS why
			FROM runs AS run JOIN mailings AS mailing ON mailing.id = run.mailing_id JOIN users AS owner ON owner.id = run.owner_id
			WHERE (run.mailing_id = $1 OR run.owner_id = $2) AND run.status = 'paused' AND run.reason = $3
		) UPDATE runs SET status = CASE waiting.why WHEN '' THEN 'running' ELSE 'paused' END, reason = waiting.why,
			resume_at = CASE waiting.why WHEN $6 THEN waiting.not_before END
		FROM waiting WHERE runs.id = waiting.id AND runs.status = 'paused' AND runs.reason = $3`,
		whose.MailingID, whose.OwnerID, reason, domain.ReasonComplaints, domain.ReasonPaused, domain.ReasonRecall, domain.ReasonTest)
	if err != nil {
		return err
	}
	return tx.Notify(ctx, whose)
}
