// Package tracking keeps which emails were opened and which links of them were clicked, in batches, with the sums that
// pages show. What is known of a visitor is which email it was, the first time and how often.
package tracking

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/tracking"
)

// Tracking is in a database.
type Tracking struct{ pg *postgres.DB }

// New is in this one.
func New(d *db.DB) Tracking { return Tracking{d.Postgres()} }

// Key names a delivery.
type Key struct {
	RunID int64
	Seq   int32
}

// Links of a run, the n-th at n-1; none: the run is gone, or tracks no clicks.
func (t Tracking) Links(ctx context.Context, run int64) ([]string, error) {
	rows, err := t.pg.Pool.Query(ctx, `SELECT url FROM run_links WHERE run_id = $1 ORDER BY n`, run)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	links, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return links, postgres.TranslateError(err)
}

// delivery is one whose visits are to be written down, and what is known of it.
type delivery struct {
	Key
	Owner    int64
	Accepted *time.Time
	Open     bool  // not ended
	Links    int   // of the run
	People   []int // what a person visited before: links, 0 for the picture
	Programs []int // what programs alone did
}

// Write keeps the visits of some deliveries, all or none. Those of clients that were erased are dropped.
func (t Tracking) Write(ctx context.Context, visits map[Key][]tracking.Visit) error {
	if len(visits) == 0 {
		return nil
	}
	return t.pg.InTx(ctx, func(tx postgres.Tx) error {
		var runs []int64
		for key := range visits {
			if !slices.Contains(runs, key.RunID) {
				runs = append(runs, key.RunID)
			}
		}
		slices.Sort(runs)
		// Who writes down visits of the same run waits, so that each client is counted once.
		_, err := tx.Pgx.Exec(ctx, `INSERT INTO run_readers (run_id) SELECT id FROM runs WHERE id = ANY($1) ORDER BY id ON CONFLICT DO NOTHING`, runs)
		if err == nil {
			_, err = tx.Pgx.Exec(ctx, `SELECT FROM run_readers WHERE run_id = ANY($1) ORDER BY run_id FOR UPDATE`, runs)
		}
		if err != nil {
			return err
		}
		known, err := lookUp(ctx, tx, slices.Collect(maps.Keys(visits)))
		if err != nil {
			return err
		}
		w := written{readers: map[int64]*readers{}, hours: map[hour]*readers{}, links: map[link]*clicks{}}
		for _, d := range known {
			w.add(d, visits[d.Key])
		}
		return w.save(ctx, tx)
	})
}

// lookUp finds the deliveries that there are.
func lookUp(ctx context.Context, tx postgres.Tx, keys []Key) (known []delivery, err error) {
	slices.SortFunc(keys, func(a, b Key) int {
		if a.RunID != b.RunID {
			return int(min(1, max(-1, a.RunID-b.RunID)))
		}
		return int(a.Seq) - int(b.Seq)
	})
	runs, seqs := make([]int64, len(keys)), make([]int32, len(keys))
	for i, key := range keys {
		runs[i], seqs[i] = key.RunID, key.Seq
	}
	rows, err := tx.Pgx.Query(ctx, `SELECT d.run_id, d.seq, run.owner_id, accepted.at, d.outcome IN ('queued', 'deferred'), run.links,
			coalesce(seen.people, '{}'), coalesce(seen.programs, '{}')
		FROM unnest($1::bigint[], $2::int[]) AS asked (run_id, seq)
		JOIN (SELECT id, owner_id, (SELECT count(*) FROM run_links WHERE run_id = runs.id) AS links FROM runs WHERE id = ANY($1)) AS run ON run.id = asked.run_id
		JOIN deliveries AS d ON d.run_id = asked.run_id AND d.seq = asked.seq AND d.email NOT LIKE 'erased:%',
		LATERAL (SELECT min(at) AS at FROM attempts WHERE run_id = d.run_id AND seq = d.seq AND status = 'accepted') AS accepted,
		LATERAL (SELECT array_agg(n) FILTER (WHERE count > 0) AS people, array_agg(n) FILTER (WHERE count = 0) AS programs
			FROM visits WHERE run_id = d.run_id AND seq = d.seq) AS seen`, runs, seqs)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d delivery, err error) {
		err = row.Scan(&d.RunID, &d.Seq, &d.Owner, &d.Accepted, &d.Open, &d.Links, &d.People, &d.Programs)
		return d, err
	})
}

// Prune deletes the visits of runs that nobody has visited for so long; the sums stay.
func (t Tracking) Prune(ctx context.Context, now time.Time) error {
	runs, err := t.pg.IDs(ctx, `SELECT run_id FROM run_readers WHERE visited_at < $1 ORDER BY run_id LIMIT 100`, now.AddDate(0, 0, -KeptDays))
	for _, run := range runs {
		if err != nil {
			break
		}
		err = t.pg.InTx(ctx, func(tx postgres.Tx) error {
			if _, err := tx.Pgx.Exec(ctx, `DELETE FROM visits WHERE run_id = $1`, run); err != nil {
				return err
			}
			_, err := tx.Pgx.Exec(ctx, `UPDATE run_readers SET visited_at = NULL WHERE run_id = $1`, run)
			return err
		})
	}
	return err
}

// KeptDays is how long after the last of them the visits of a run are kept.
const KeptDays = 400

// Hour is how many clients opened a run's email and clicked in it for the first time within an hour.
type Hour struct {
	At              time.Time
	Opened, Clicked int64
}

// Hours of a run, in their order, those in which somebody did.
func (t Tracking) Hours(ctx context.Context, run int64) (list []Hour, err error) {
	err = t.pg.Bun.NewRaw(`SELECT hour AS at, opened, clicked FROM run_reader_hours WHERE run_id = ? ORDER BY hour LIMIT 2000`, run).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}

// Link of a run, with what came of it.
type Link struct {
	N                         int
	URL                       string `bun:"url"`
	Clients, Clicks, Programs int64
}

// RunLinks are those of a run, the most clicked first.
func (t Tracking) RunLinks(ctx context.Context, run int64) (list []Link, err error) {
	err = t.pg.Bun.NewRaw(`SELECT n, url, clients, clicks, programs FROM run_links WHERE run_id = ? ORDER BY clients DESC, n`, run).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}

// Domain is what became of a run's emails at one receiving domain; Name is "" for all but the largest.
type Domain struct {
	Name                                                          string
	Planned, Accepted, Deferred, Failed, Bounced, Opened, Clicked int64
	Reasons                                                       []Reason `bun:"-"` // the most frequent first
}

// Reason is how many emails a domain refused or put off for one.
type Reason struct {
	Class            domain.Class
	Deferred, Failed int64
}

// Domains of a run as they were summed last (db/sums), the largest first.
func (t Tracking) Domains(ctx context.Context, run int64) (list []Domain, err error) {
	err = t.pg.Bun.NewRaw(`SELECT sent.domain AS name, planned, accepted, deferred, failed, coalesce(bounced, 0) AS bounced,
			coalesce(opened, 0) AS opened, coalesce(clicked, 0) AS clicked
		FROM (SELECT domain, sum(planned)::bigint AS planned, sum(accepted)::bigint AS accepted, sum(deferred)::bigint AS deferred, sum(failed)::bigint AS failed
			FROM run_sums WHERE run_id = ?0 GROUP BY domain) AS sent
		LEFT JOIN (SELECT domain, sum(bounced)::bigint AS bounced, sum(opened)::bigint AS opened, sum(clicked)::bigint AS clicked
			FROM run_event_sums WHERE run_id = ?0 GROUP BY domain) AS came ON came.domain = sent.domain
		ORDER BY sent.domain = '', planned DESC, sent.domain`, run).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return list, postgres.TranslateError(err)
	}
	var reasons []struct {
		Domain string
		Reason
	}
	err = t.pg.Bun.NewRaw(`SELECT domain, class, deferred, failed FROM run_refusals WHERE run_id = ? AND class <> ''
		ORDER BY failed DESC, deferred DESC, class`, run).Scan(ctx, &reasons)
	for _, one := range reasons {
		at := slices.IndexFunc(list, func(d Domain) bool { return strings.EqualFold(d.Name, one.Domain) })
		if at >= 0 && len(list[at].Reasons) < 3 {
			list[at].Reasons = append(list[at].Reasons, one.Reason)
		}
	}
	return list, postgres.TranslateError(err)
}
