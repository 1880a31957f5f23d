package tracking

import (
	"cmp"
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain/tracking"
)

// written is what a batch of visits comes to.
type written struct {
	visits  []visit
	readers map[int64]*readers // by run
	hours   map[hour]*readers
	links   map[link]*clicks
}

type visit struct {
	Key
	n, people, programs int
	first               *time.Time
}

type readers struct{ opened, openedByPrograms, clicked, clickedByPrograms int }

type hour struct {
	run int64
	at  time.Time
}

type link struct {
	run int64
	n   int
}

type clicks struct{ clients, clicks, programs int }

// at is the value of a key, made when there is none.
func at[K comparable, V any](all map[K]*V, key K) *V {
	if all[key] == nil {
		all[key] = new(V)
	}
	return all[key]
}

// add judges the visits of one delivery.
func (w *written) add(d delivery, visits []tracking.Visit) {
	accepted := time.Time{}
	switch {
	case d.Accepted != nil:
		accepted = *d.Accepted
	case d.Open: // the server has not even answered
		accepted = time.Now()
	}
	programs := tracking.Programs(visits, accepted, d.Links)
	each := map[int]*visit{}
	for i, one := range visits {
		v := at(each, one.Link)
		v.Key, v.n = d.Key, one.Link
		if programs[i] {
			v.programs++
			continue
		}
		if v.people++; v.first == nil || one.At.Before(*v.first) {
			v.first = &visits[i].At
		}
	}
	clickedBefore := func(links []int) bool { return slices.ContainsFunc(links, func(n int) bool { return n > 0 }) }
	var first *time.Time // click
	program := false
	for n, v := range each {
		w.visits = append(w.visits, *v)
		fresh, known := v.people > 0 && !slices.Contains(d.People, n), slices.Contains(d.People, n) || slices.Contains(d.Programs, n)
		if n == 0 {
			w.count(d, fresh, v.first, v.programs > 0 && v.people == 0 && !known, slices.Contains(d.Programs, 0), true)
			continue
		}
		l := at(w.links, link{d.RunID, n})
		l.clicks += v.people
		switch {
		case fresh:
			l.clients++
			if slices.Contains(d.Programs, n) {
				l.programs--
			}
		case v.people == 0 && !known:
			l.programs++
		}
		if v.first != nil && (first == nil || v.first.Before(*first)) {
			first = v.first
		}
		program = program || v.programs > 0
	}
	fresh, byPrograms := first != nil && !clickedBefore(d.People), clickedBefore(d.Programs) && !clickedBefore(d.People)
	w.count(d, fresh, first, program && first == nil && !clickedBefore(d.People) && !byPrograms, byPrograms, false)
}

// count adds a client that opened or clicked for the first time by itself (fresh), or by a program alone; before: until
// now only programs did.
func (w *written) count(d delivery, fresh bool, first *time.Time, program, before, open bool) {
	r := at(w.readers, d.RunID)
	people, programs := &r.clicked, &r.clickedByPrograms
	if open {
		people, programs = &r.opened, &r.openedByPrograms
	}
	switch {
	case fresh:
		*people++
		if before {
			*programs--
		}
		h := at(w.hours, hour{d.RunID, first.UTC().Truncate(time.Hour)})
		if open {
			h.opened++
		} else {
			h.clicked++
		}
	case program:
		*programs++
	}
}

func (w *written) save(ctx context.Context, tx postgres.Tx) error {
	for _, save := range []func(context.Context, postgres.Tx) error{w.saveVisits, w.saveReaders, w.saveHours, w.saveLinks} {
		if err := save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (w *written) saveVisits(ctx context.Context, tx postgres.Tx) error {
	slices.SortFunc(w.visits, func(a, b visit) int {
		return cmp.Or(cmp.Compare(a.RunID, b.RunID), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.n, b.n))
	})
	var runs []int64
	var seqs, people, programs []int32
	var ns []int16
	var firsts []*time.Time
	for _, v := range w.visits {
		runs, seqs, ns, firsts = append(runs, v.RunID), append(seqs, v.Seq), append(ns, int16(v.n)), append(firsts, v.first)
		people, programs = append(people, int32(v.people)), append(programs, int32(v.programs))
	}
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO visits AS known (run_id, seq, n, count, programs, first_at)
		SELECT * FROM unnest($1::bigint[], $2::int[], $3::smallint[], $4::int[], $5::int[], $6::timestamptz[])
		ON CONFLICT (run_id, seq, n) DO UPDATE SET count = known.count + excluded.count, programs = known.programs + excluded.programs,
			first_at = least(known.first_at, excluded.first_at)`, runs, seqs, ns, people, programs, firsts)
	return err
}

func (w *written) saveReaders(ctx context.Context, tx postgres.Tx) error {
	var fresh []int64
	for run, r := range w.readers {
		_, err := tx.Pgx.Exec(ctx, `UPDATE run_readers SET opened = opened + $2, opened_by_programs = opened_by_programs + $3, clicked = clicked + $4,
			clicked_by_programs = clicked_by_programs + $5, visited_at = now() WHERE run_id = $1`,
			run, r.opened, r.openedByPrograms, r.clicked, r.clickedByPrograms)
		if err != nil {
			return err
		}
		if r.opened+r.clicked > 0 {
			fresh = append(fresh, run)
		}
	}
	// Results by day are summed from all visits of a run, so not more often than they take.
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO sum_marks (run_id) SELECT id FROM runs WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM sum_marks WHERE run_id = runs.id)`, fresh)
	return err
}

func (w *written) saveHours(ctx context.Context, tx postgres.Tx) error {
	for h, r := range w.hours {
		_, err := tx.Pgx.Exec(ctx, `INSERT INTO run_reader_hours AS known (run_id, hour, opened, clicked) VALUES ($1, $2, $3, $4)
			ON CONFLICT (run_id, hour) DO UPDATE SET opened = known.opened + excluded.opened, clicked = known.clicked + excluded.clicked`,
			h.run, h.at, r.opened, r.clicked)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *written) saveLinks(ctx context.Context, tx postgres.Tx) error {
	for l, c := range w.links {
		_, err := tx.Pgx.Exec(ctx, `UPDATE run_links SET clients = clients + $3, clicks = clicks + $4, programs = programs + $5 WHERE run_id = $1 AND n = $2`,
			l.run, l.n, c.clients, c.clicks, c.programs)
		if err != nil {
			return err
		}
	}
	return nil
}
