package db

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"

	"skychimp/domain"
	"skychimp/domain/digest"
)

// FindZones asks in which zones the owner's clients are, for a mailing that goes out by their clocks: by the first of
// the owner's fields that holds time zones. It reads all clients of the owner, so it is asked when a run is made or
// the mailing saved, and where nobody has followed their changes.
func FindZones(ctx context.Context, tx Tx, m *domain.Mailing, now time.Time) error {
	m.ZonesAt = now
	return findZones(ctx, tx, m, now, "owner_id = ?1")
}

// zonesFollowed is for how long after a look the changes of clients tell all that is new: they are kept for an hour.
const zonesFollowed = 50 * time.Minute

// followZones is FindZones that reads those alone who have changed since, beside the zones which are known.
func followZones(ctx context.Context, tx Tx, m *domain.Mailing, now time.Time) error {
	if now.Sub(m.ZonesAt) > zonesFollowed {
		return FindZones(ctx, tx, m, now)
	}
	if now.Sub(m.ZonesAt) > zonesFollowed/2 {
		m.ZonesAt = now
	}
	return findZones(ctx, tx, m, now, "id IN (SELECT unnest(client_ids) FROM client_changes WHERE owner_id = ?1)", m.Zones...)
}

// findZones keeps those of the zones that are known and of the clients that a condition chooses.
func findZones(ctx context.Context, tx Tx, m *domain.Mailing, now time.Time, which string, known ...string) error {
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
		err = tx.NewRaw(`SELECT DISTINCT fields ->> ?0 FROM clients WHERE owner_id = ?1 AND jsonb_exists(fields, ?0) AND `+which, key, m.OwnerID).Scan(ctx, &m.ClientZones)
		m.ClientZones = append(m.ClientZones, known...)
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
// begins earlier, from a day before on. Where no clients have changed it costs nothing but the question, twice an hour a row.
func (ms Mailings) FollowZones(ctx context.Context, now time.Time) error {
	ids, err := ms.db.pg.IDs(ctx, `SELECT id FROM mailings WHERE zone_of_client AND status = 'running' AND deleted_at IS NULL
		AND next_run_at > $1 AND next_run_at < $1 + interval '27 hours'
		AND (coalesce(zones_at, 'epoch') < $1::timestamptz - $2::interval OR EXISTS (SELECT FROM client_changes WHERE owner_id = mailings.owner_id))`, now, zonesFollowed/2)
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
			before := m
			if err := followZones(ctx, tx, &m, now); err != nil || slices.Equal(before.Zones, m.Zones) && m.ZonesAt.Equal(before.ZonesAt) {
				return err
			}
			domain.FollowZones(&m)
			_, err = tx.NewUpdate().Model(&m).Column("zones", "zones_at", "next_no", "next_run_at").WherePK().Exec(ctx)
			return err
		})
	}
	return postgres.TranslateError(err)
}

// DigestsDue are the sources of the mailings that send newest posts and are due within minutes, by their numbers, where
// nothing was fetched lately.
func (ms Mailings) DigestsDue(ctx context.Context, now time.Time) (sources map[int64]string, err error) {
	sources = map[int64]string{}
	var due []struct {
		ID     int64
		Digest string
	}
	err = ms.db.pg.Bun.NewRaw(`SELECT id, digest FROM mailings WHERE digest <> '' AND status = 'running' AND deleted_at IS NULL AND disabled_at IS NULL
		AND next_run_at < ?0::timestamptz + interval '3 minutes' AND coalesce((digest_fetched ->> 'At')::timestamptz < ?0::timestamptz - interval '5 minutes', true)
		ORDER BY next_run_at LIMIT 500`, now).Scan(ctx, &due)
	for _, one := range due {
		sources[one.ID] = one.Digest
	}
	return sources, postgres.TranslateError(err)
}

// KeepFetched keeps what the source of a digest had.
func (ms Mailings) KeepFetched(ctx context.Context, id int64, fetched digest.Fetched) error {
	m := domain.Mailing{ID: id, Digest: digest.Digest{Fetched: &fetched}}
	_, err := ms.db.pg.Bun.NewUpdate().Model(&m).Column("digest_fetched").WherePK().Exec(ctx)
	return postgres.TranslateError(err)
}

// checkDigest refuses a digest whose messages have no place for posts.
func checkDigest(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if m.Digest.None() {
		return nil
	}
	var bodies []string
	err := tx.NewSelect().Table("messages").Column("body").Where("id IN ?", bun.Tuple(append([]int64{m.MessageID}, m.MessageIDs...))).Scan(ctx, &bodies)
	if err == nil && slices.ContainsFunc(bodies, func(body string) bool { return !digest.Asked(body) }) {
		err = domain.ValidationErrors{domain.Errorf(domain.Invalid, "digest", "mailings.digest_no_place")}
	}
	return err
}
