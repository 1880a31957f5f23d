package series

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// Qualifying narrows clients (as `client`) to those who would have come into the series, had it been running.
func Qualifying(query *bun.SelectQuery, s rules.Series, now time.Time, zone *time.Location) *bun.SelectQuery {
	query.Where("client.owner_id = ? AND client.suppressed_at IS NULL", s.OwnerID)
	if s.GoalTag != "" {
		query.Where("NOT has_tag(client.tags, ?)", s.GoalTag)
	}
	switch s.Entry {
	case rules.Added:
	case rules.Tag:
		query.Where("has_tag(client.tags, ?)", s.Tag)
	case rules.Form:
		query.Where("EXISTS (SELECT FROM consents WHERE client_id = client.id AND kind = 'form' AND form_id = ?)", s.FormID)
	case rules.Date:
		today := now.In(zone)
		Dated(query, s, today, today)
	default:
		query.Where("FALSE")
	}
	return query
}

// Dated narrows clients to those with a date that begins the series between two days.
func Dated(query *bun.SelectQuery, s rules.Series, first, last time.Time) {
	date := "client.fields->>?"
	if s.Yearly {
		date = "substr(client.fields->>?, 5)"
	}
	query.Where("jsonb_exists(client.fields, ?0)", fieldOf(s)).Where(date+" IN (?)", fieldOf(s), bun.List(s.Dates(first, last)))
}

// Launch has the series let in whoever comes from now on and, with all, those who qualify already. It can be taken back
// for wait; no email leaves before.
func (ss Series) Launch(ctx context.Context, owner, id int64, all bool, wait time.Duration) (s rules.Series, err error) {
	if s, err = ss.Get(ctx, owner, id); err != nil {
		return s, err // without a lock on anybody
	}
	err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		// Who is becoming a client at this moment is waited for, before anything is locked: see enter_series.
		if _, err := tx.Pgx.Exec(ctx, `SELECT pg_advisory_xact_lock(5, hashint8($1))`, s.OwnerID); err != nil {
			return err
		}
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		s.Mailing, err = ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error {
			if s, err = Load(ctx, tx, *m); err != nil {
				return err
			}
			if err := s.Ready(); err != nil {
				return err
			}
			return m.LaunchFor(now, wait)
		})
		if err != nil {
			return err
		}
		s.JoinAfter, s.JoinTo, s.LookedAt = 0, 0, time.Time{}
		if all && s.Entry != rules.Manual {
			err := tx.Pgx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM clients WHERE owner_id = $1`, s.OwnerID).Scan(&s.JoinTo)
			if err != nil {
				return err
			}
		}
		if err := save(ctx, tx, s); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.SeriesDue{})
	})
	return s, err
}

// TakeBack undoes a launch before its first email: who came in by it is out again.
func (ss Series) TakeBack(ctx context.Context, owner, id int64) (s rules.Series, err error) {
	err = ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		s.Mailing, err = ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error {
			if s, err = Load(ctx, tx, *m); err != nil {
				return err
			}
			return m.TakeBack(now)
		})
		if err != nil {
			return err
		}
		s.JoinAfter, s.JoinTo = 0, 0
		if err := save(ctx, tx, s); err != nil {
			return err
		}
		_, err = tx.Pgx.Exec(ctx, `DELETE FROM series_clients WHERE series_id = $1 AND how <> $2 AND passed = '{}'`, id, string(rules.Manual))
		return err
	})
	return s, err
}

// Pause holds the series: nobody gets anything and nobody's step is lost. What becomes due meanwhile goes out when it goes on.
func (ss Series) Pause(ctx context.Context, owner, id int64, now time.Time) error {
	return ss.step(ctx, func(tx db.Tx) error {
		_, err := ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error { return m.Pause(now) })
		return err
	})
}

// Resume lets it go on.
func (ss Series) Resume(ctx context.Context, owner, id int64, now time.Time) error {
	return ss.step(ctx, func(tx db.Tx) error {
		_, err := ss.db.Mailings().ResumeSeries(ctx, tx, owner, id, now)
		return err
	})
}

// Finish ends the series for everybody.
func (ss Series) Finish(ctx context.Context, owner, id int64, now time.Time) error {
	return ss.step(ctx, func(tx db.Tx) error {
		_, err := ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) error { return m.Stop(now) })
		return err
	})
}

func (ss Series) step(ctx context.Context, do func(tx db.Tx) error) error {
	return ss.db.Postgres().InTx(ctx, func(tx db.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.SeriesDue{})
	})
}

// Zone is the time zone of a name that was checked when it was saved.
func Zone(name string) *time.Location {
	return domain.Mailing{Timezone: strings.TrimSpace(name)}.Schedule().Zone
}
