package db

import (
	"context"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Brands are how the emails and public pages of owners look.
type Brands struct{ db *DB }

// Brands of this database.
func (db *DB) Brands() Brands { return Brands{db} }

// Get is the owner's brand, the look of the service where there is none.
func (bs Brands) Get(ctx context.Context, owner int64) (domain.Brand, error) {
	return BrandOf(ctx, bs.db.pg.Bun, owner)
}

// BrandOf is Get by a connection or in a transaction, for runs that keep the brand when they are planned.
func BrandOf(ctx context.Context, conn bun.IDB, owner int64) (domain.Brand, error) {
	list := []domain.Brand{}
	err := conn.NewSelect().Model(&list).Where("owner_id = ?", owner).Scan(ctx)
	if err != nil || len(list) == 0 {
		return domain.Brand{OwnerID: owner, Links: []string{}}, postgres.TranslateError(err)
	}
	return list[0], nil
}

// Update lets change work on the owner's brand, which nobody else changes meanwhile, and saves what it made of it.
func (bs Brands) Update(ctx context.Context, owner int64, change func(*domain.Brand) error) (b domain.Brand, err error) {
	err = bs.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", owner).Exec(ctx); err != nil {
			return err
		}
		if b, err = BrandOf(ctx, tx, owner); err != nil {
			return err
		}
		if err := change(&b); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&b).On("CONFLICT (owner_id) DO UPDATE").Set("name = excluded.name, logo = excluded.logo").
			Set("color = excluded.color, ground = excluded.ground, font = excluded.font, address = excluded.address").
			Set("reason = excluded.reason, links = excluded.links, revision = excluded.revision, updated_at = excluded.updated_at").Exec(ctx)
		return err
	})
	return b, err
}
