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
	clicked := visit{} // whatever the link
	for n, v := range judge(d, visits) {
		w.visits = append(w.visits, *v)
		if n == 0 {
			w.addOpens(d, *v)
			continue
		}
		w.addLink(d, *v)
		clicked.join(*v)
	}
	w.addClicks(d, clicked)
}

// judge tells people's visits from programs', by link.
func judge(d delivery, visits []tracking.Visit) map[int]*visit {
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
		came := visit{people: 1, first: &visits[i].At}
		if programs[i] {
			came = visit{programs: 1}
		}
		v := at(each, one.Link)
		v.Key, v.n = d.Key, one.Link
		v.join(came)
	}
	return each
}

// join adds the visits of another.
func (v *visit) join(other visit) {
	v.people += other.people
	v.programs += other.programs
	if other.first != nil && (v.first == nil || other.first.Before(*v.first)) {
		v.first = other.first
	}
}

// news is by how much the visits change the clients that came themselves, and those for whom programs alone did, when
// people or programs had come before.
func (v *visit) news(people, programs bool) (clients, byPrograms int) {
	switch {
	case people:
		return 0, 0
	case v.people > 0 && programs:
		return 1, -1
	case v.people > 0:
		return 1, 0
	case v.programs > 0 && !programs:
		return 0, 1
	}
	return 0, 0
}

func (w *written) addOpens(d delivery, v visit) {
	clients, byPrograms := v.news(slices.Contains(d.People, 0), slices.Contains(d.Programs, 0))
	r := at(w.readers, d.RunID)
	r.opened += clients
	r.openedByPrograms += byPrograms
	if clients > 0 {
		w.hourOf(d, v).opened++
	}
}

// addClicks counts a client once, however many links it clicked.
func (w *written) addClicks(d delivery, v visit) {
	link := func(n int) bool { return n > 0 }
	clients, byPrograms := v.news(slices.ContainsFunc(d.People, link), slices.ContainsFunc(d.Programs, link))
	r := at(w.readers, d.RunID)
	r.clicked += clients
	r.clickedByPrograms += byPrograms
	if clients > 0 {
		w.hourOf(d, v).clicked++
	}
}

func (w *written) addLink(d delivery, v visit) {
	clients, byPrograms := v.news(slices.Contains(d.People, v.n), slices.Contains(d.Programs, v.n))
	l := at(w.links, link{d.RunID, v.n})
	l.clicks += v.people
	l.clients += clients
	l.programs += byPrograms
}

// hourOf is the hour that people first came in.
func (w *written) hourOf(d delivery, v visit) *readers {
	return at(w.hours, hour{d.RunID, v.first.UTC().Truncate(time.Hour)})
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
	// A mark that is there already may be one that is being worked off, without these.
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO sum_marks (run_id) SELECT unnest($1::bigint[])`, fresh)
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
