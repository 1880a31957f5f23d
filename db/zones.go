package db

import (
	"context"
	"slices"
	"strconv"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// FindZones asks in which zones the owner's clients are, for a mailing that goes out by their clocks: by the first of
// the owner's fields that holds time zones. It reads all clients of the owner, so it is asked when a run is made, and
// once an hour in the day before.
func FindZones(ctx context.Context, tx Tx, m *domain.Mailing, now time.Time) error {
	if !m.ZoneOfClient {
		return nil
	}
	m.ZoneField, m.ClientZones = 0, nil
	err := tx.NewRaw(`SELECT coalesce(min(id), 0) FROM fields WHERE owner_id = ? AND type = ?`, m.OwnerID, domain.FieldZone).Scan(ctx, &m.ZoneField)
	if err != nil {
		return err
	}
	if m.ZoneField != 0 {
		key := strconv.FormatInt(m.ZoneField, 10)
		err = tx.NewRaw(`SELECT DISTINCT fields ->> ?0 FROM clients WHERE owner_id = ?1 AND jsonb_exists(fields, ?0)`, key, m.OwnerID).Scan(ctx, &m.ClientZones)
	}
	domain.KeepZones(m, now)
	return err
}

// checkZones refuses the clients' zones to an owner who has no field for them.
func checkZones(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if !m.ZoneOfClient {
		return nil
	}
	if err := FindZones(ctx, tx, m, time.Now()); err != nil || m.ZoneField != 0 {
		return err
	}
	return domain.ValidationErrors{domain.Errorf(domain.Invalid, "zone_of", "mailings.zone_no_field")}
}

// FollowZones moves the next time of mailings that go out by their clients' clocks when somebody has come in whose day
// begins earlier, from a day before on.
func (ms Mailings) FollowZones(ctx context.Context, now time.Time) error {
	ids, err := ms.db.pg.IDs(ctx, `SELECT id FROM mailings WHERE zone_of_client AND status = 'running' AND deleted_at IS NULL
		AND next_run_at > $1 AND next_run_at < $1 + interval '27 hours'`, now)
	for _, id := range ids {
		if err != nil {
			return err
		}
		err = ms.db.pg.InTx(ctx, func(tx Tx) error {
			m, err := LockMailing(ctx, tx, id, "UPDATE SKIP LOCKED")
			if domain.KindOf(err) == domain.NotFound {
				return nil
			} else if err != nil {
				return err
			}
			before := m.Zones
			if err := FindZones(ctx, tx, &m, now); err != nil || slices.Equal(before, m.Zones) {
				return err
			}
			domain.FollowZones(&m)
			_, err = tx.NewUpdate().Model(&m).Column("zones", "next_no", "next_run_at").WherePK().Exec(ctx)
			return err
		})
	}
	return postgres.TranslateError(err)
}
