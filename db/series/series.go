// Package series keeps series as pages see them: what they are, and who is where in them. What is due is planned by
// db/outbox.
package series

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// Series are what a database has of them. Each is a mailing, too.
type Series struct{ db *db.DB }

// In are the series of a database.
func In(d *db.DB) Series { return Series{d} }

// MaxSeries is how many an owner can have that are not deleted.
const MaxSeries = 200

// Row is a series in a list.
type Row struct {
	rules.Series
	Waiting  int64 // clients who are under way
	Finished int64 // who got all of it
	Messages []string
}

// List are the owner's series, the newest first.
func (ss Series) List(ctx context.Context, owner int64) ([]Row, error) {
	var mailings []domain.Mailing
	pg := ss.db.Postgres().Bun
	err := pg.NewSelect().Model(&mailings).Where("owner_id = ? AND kind = ? AND deleted_at IS NULL", owner, domain.KindSeries).Order("id DESC").Scan(ctx)
	rows := make([]Row, len(mailings))
	for i, m := range mailings {
		if err != nil {
			break
		}
		if rows[i].Series, err = load(ctx, pg, m, ""); err != nil {
			break
		}
		err = pg.NewRaw(`SELECT (SELECT count(*) FROM series_clients WHERE series_id = ?0 AND due_at IS NOT NULL),
			(SELECT count(*) FROM series_clients WHERE series_id = ?0 AND left_reason = ?1)`, m.ID, rules.LeftFinished).
			Scan(ctx, &rows[i].Waiting, &rows[i].Finished)
	}
	return rows, postgres.TranslateError(err)
}

// Get is one series with its steps; owner 0 reads anybody's, for managers.
func (ss Series) Get(ctx context.Context, owner, id int64) (s rules.Series, err error) {
	m, err := ss.db.Mailings().Get(ctx, owner, id)
	if err != nil {
		return s, err
	}
	s, err = load(ctx, ss.db.Postgres().Bun, m, "")
	return s, postgres.TranslateError(err)
}

// Load reads what the locked mailing has as a series.
func Load(ctx context.Context, tx db.Tx, m domain.Mailing) (rules.Series, error) {
	return load(ctx, tx, m, "NO KEY UPDATE")
}

func load(ctx context.Context, tx bun.IDB, m domain.Mailing, lock string) (s rules.Series, err error) {
	query := tx.NewSelect().Model(&s).ModelTableExpr("series AS series").Where("id = ?", m.ID)
	if lock != "" {
		query.For(lock)
	}
	if err := query.Scan(ctx); err != nil {
		return s, err
	}
	s.Mailing, s.Steps = m, []rules.Step{}
	err = tx.NewSelect().Model(&s.Steps).ModelTableExpr("series_steps AS step").Where("series_id = ?", m.ID).Order("position", "id").Scan(ctx)
	return s, err
}

// Own are the things of the owner that an entry can name.
func (ss Series) Own(ctx context.Context, owner int64) (own rules.Own, err error) {
	return loadOwn(ctx, ss.db.Postgres().Bun, owner)
}

func loadOwn(ctx context.Context, tx bun.IDB, owner int64) (own rules.Own, err error) {
	err = tx.NewSelect().Table("users").Column("timezone").Where("id = ?", owner).Scan(ctx, &own.Zone)
	if err == nil {
		err = tx.NewSelect().Model(&own.Forms).Where("owner_id = ?", owner).Order("id").Scan(ctx)
	}
	if err == nil {
		err = tx.NewSelect().Model(&own.Fields).Where("owner_id = ?", owner).Order("id").Scan(ctx)
	}
	return own, postgres.TranslateError(err)
}

// Create keeps a new series of the owner, which sends nothing before it is launched.
func (ss Series) Create(ctx context.Context, owner int64, in rules.Input, now time.Time) (s rules.Series, err error) {
	err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		// One at a time, so that the limit holds.
		if _, err := tx.NewRaw(`SELECT FROM users WHERE id = ? FOR NO KEY UPDATE`, owner).Exec(ctx); err != nil {
			return err
		}
		n, err := tx.NewSelect().Table("mailings").Where("owner_id = ? AND kind = ? AND deleted_at IS NULL", owner, domain.KindSeries).Count(ctx)
		if err != nil {
			return err
		}
		if n >= MaxSeries {
			return domain.Errorf(domain.Conflict, "", "series.many", "Max", MaxSeries)
		}
		own, err := loadOwn(ctx, tx, owner)
		if err != nil {
			return err
		}
		s = rules.Series{OwnerID: owner, Mailing: domain.Mailing{OwnerID: owner}}
		edit, err := s.Change(in, own, now)
		if err != nil {
			return err
		}
		if err := ss.db.Mailings().CreateIn(ctx, tx, &s.Mailing); err != nil {
			return err
		}
		s.ID = s.Mailing.ID
		if _, err := tx.NewInsert().Model(&s).ModelTableExpr("series").Exec(ctx); err != nil {
			return err
		}
		return saveSteps(ctx, tx, &s, edit, now)
	})
	return s, err
}

// Update lets change work on the locked series and saves what it made of it.
func (ss Series) Update(ctx context.Context, owner, id int64, change func(*rules.Series, rules.Own) (rules.Edit, error)) (s rules.Series, err error) {
	err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		own, err := loadOwn(ctx, tx, owner)
		if err != nil {
			return err
		}
		var edit rules.Edit
		s.Mailing, err = ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error {
			if s, err = Load(ctx, tx, *m); err != nil {
				return err
			}
			edit, err = change(&s, own)
			*m = s.Mailing
			return err
		})
		if err != nil {
			return err
		}
		if err := save(ctx, tx, s); err != nil {
			return err
		}
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		if err := saveSteps(ctx, tx, &s, edit, now); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.SeriesDue{})
	})
	return s, err
}

func save(ctx context.Context, tx db.Tx, s rules.Series) error {
	_, err := tx.NewUpdate().Model(&s).ModelTableExpr("series").Where("id = ?", s.ID).Exec(ctx)
	return err
}

// Delete hides a series for good and cancels its runs; its attempts stay on record.
func (ss Series) Delete(ctx context.Context, owner, id int64, now time.Time) error {
	return ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		_, err := ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error {
			m.DeletedAt = now
			return nil
		})
		if err == nil {
			// Its messages are free to be deleted.
			_, err = tx.NewRaw(`UPDATE series_steps SET message_id = NULL WHERE series_id = ?`, id).Exec(ctx)
		}
		return err
	})
}
