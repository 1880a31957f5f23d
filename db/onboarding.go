package db

import (
	"context"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Onboarding is the first mailing of an owner.
type Onboarding struct{ db *DB }

// Onboarding of this database.
func (db *DB) Onboarding() Onboarding { return Onboarding{db} }

// Get is how far the owner is on the way to the first mailing.
func (o Onboarding) Get(ctx context.Context, owner int64) (domain.Onboarding, error) {
	s, err := loadOnboarding(ctx, o.db.pg.Bun, owner)
	return s, postgres.TranslateError(err)
}

func loadOnboarding(ctx context.Context, tx bun.IDB, owner int64) (s domain.Onboarding, err error) {
	if s.Clients, err = tx.NewSelect().TableExpr("clients").Where("owner_id = ?", owner).Exists(ctx); err != nil {
		return s, err
	}
	first, err := firstLaunched(ctx, tx, owner)
	if s.Launched = first != 0; err != nil || s.Launched {
		return s, err
	}
	var mailings []domain.Mailing
	err = tx.NewSelect().Model(&mailings).Where("owner_id = ? AND deleted_at IS NULL AND status = ?", owner, domain.Created).
		Where("audience = ? AND disabled_at IS NULL", domain.AudienceAll).Order("id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return s, err
	}
	query := tx.NewSelect().Where("owner_id = ?", owner)
	if len(mailings) > 0 {
		s.Mailing = mailings[0]
		query.Where("id = ?", s.Mailing.MessageID)
	}
	var messages []domain.Message
	if err = query.Model(&messages).Order("id DESC").Limit(1).Scan(ctx); err == nil && len(messages) > 0 {
		s.Message = messages[0]
	}
	return s, err
}

// firstLaunched is the mailing that the owner launched first, 0 when there is none.
func firstLaunched(ctx context.Context, tx bun.IDB, owner int64) (id int64, err error) {
	err = tx.NewSelect().TableExpr("mailings").ColumnExpr("coalesce(min(id), 0)").
		Where("owner_id = ? AND kind = ? AND launched_at IS NOT NULL AND deleted_at IS NULL", owner, domain.KindMailing).Scan(ctx, &id)
	return id, err
}

// Save lets write and plan work on the email and the mailing that wait, and saves both. Who has launched one before
// gets its number and nothing is changed. The lock on the owner makes a double click wait for the first.
func (o Onboarding) Save(ctx context.Context, owner int64, write func(*domain.Message) error, plan func(*domain.Mailing) error) (m domain.Mailing, err error) {
	err = o.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.Pgx.Exec(ctx, `SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`, owner); err != nil {
			return err
		}
		if m.ID, err = firstLaunched(ctx, tx, owner); err != nil || m.ID != 0 {
			return err
		}
		s, err := loadOnboarding(ctx, tx, owner)
		if err != nil {
			return err
		}
		s.Message.OwnerID, s.Mailing.OwnerID = owner, owner
		if err := write(&s.Message); err != nil {
			return err
		}
		if err := saveMessage(ctx, tx, &s.Message); err != nil {
			return err
		}
		m, err = o.saveMailing(ctx, tx, s, func(m *domain.Mailing) error {
			m.MessageID = s.Message.ID
			return plan(m)
		})
		return err
	})
	return m, err
}

func saveMessage(ctx context.Context, tx Tx, m *domain.Message) (err error) {
	if m.ID == 0 {
		_, err = tx.NewInsert().Model(m).Exec(ctx)
	} else {
		_, err = tx.NewUpdate().Model(m).WherePK().Exec(ctx)
	}
	return err
}

func (o Onboarding) saveMailing(ctx context.Context, tx Tx, s domain.Onboarding, change func(*domain.Mailing) error) (domain.Mailing, error) {
	m := s.Mailing
	if m.ID != 0 {
		return o.db.Mailings().update(ctx, tx, m.OwnerID, m.ID, change)
	}
	m.Status = domain.Created
	before := m
	if err := change(&m); err != nil {
		return m, err
	}
	if _, err := tx.NewInsert().Model(&m).Exec(ctx); err != nil {
		return m, err
	}
	before.ID = m.ID
	if err := o.db.Mailings().save(ctx, tx, before, &m); err != nil {
		return m, err
	}
	return m, o.db.changed(ctx, tx, "stats")
}
