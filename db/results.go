package db

import (
	"context"
	"errors"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Results of emails by client: runs are counted after their end, for owners who have a segment that asks. So sending
// pays nothing for them, and neither do owners who never ask.

// resultsAtOnce is how many deliveries are counted while somebody waits for a page; more are left to the queue.
const resultsAtOnce = 20_000

// uncounted are the ended runs of an owner whose results are not counted.
const uncounted = "owner_id = ? AND status = 'done' AND NOT results_counted"

// CountResults adds the owner's ended runs to the results of its clients. Runs that another transaction is counting
// are waited for.
func CountResults(ctx context.Context, tx Tx, owner int64) error {
	var runs []int64
	err := tx.NewSelect().Table("runs").Column("id").Where(uncounted, owner).Order("id").For("NO KEY UPDATE").Scan(ctx, &runs)
	for _, run := range runs {
		if err == nil {
			err = countRun(ctx, tx, owner, run)
		}
	}
	if err == nil {
		err = countReaders(ctx, tx, owner)
	}
	return err
}

// visited are the runs of an owner with visits since they were counted.
const visited = "runs.owner_id = ? AND visited_at > coalesce(results_at, '-infinity')"

// countReaders notes when the owner's clients opened and clicked last, as far as their first times tell.
func countReaders(ctx context.Context, tx Tx, owner int64) error {
	var runs []int64
	err := tx.NewSelect().Table("run_readers").Column("run_id").Join("JOIN runs ON runs.id = run_id").Where(visited, owner).
		Order("run_id").For("UPDATE OF run_readers").Scan(ctx, &runs)
	for _, run := range runs {
		if err != nil {
			break
		}
		// A visit is written down within seconds, or as late as the database was away.
		_, err = tx.Pgx.Exec(ctx, `INSERT INTO client_results AS kept (client_id, last_opened_at, last_clicked_at)
			SELECT d.client_id, max(first_at) FILTER (WHERE n = 0), max(first_at) FILTER (WHERE n > 0)
			FROM run_readers AS r JOIN visits AS v ON v.run_id = r.run_id AND v.first_at > coalesce(r.results_at - interval '1 hour', '-infinity')
			JOIN deliveries AS d ON d.run_id = v.run_id AND d.seq = v.seq JOIN clients ON clients.id = d.client_id AND clients.owner_id = $2
			WHERE r.run_id = $1 GROUP BY 1
			ON CONFLICT (client_id) DO UPDATE SET last_opened_at = greatest(kept.last_opened_at, excluded.last_opened_at),
				last_clicked_at = greatest(kept.last_clicked_at, excluded.last_clicked_at)`, run, owner)
		if err == nil {
			_, err = tx.Pgx.Exec(ctx, `UPDATE run_readers SET results_at = visited_at WHERE run_id = $1`, run)
		}
	}
	return err
}

// countRun reads the attempts of a run, because they hold the times.
func countRun(ctx context.Context, tx Tx, owner, run int64) error {
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO client_results AS kept (client_id, accepted, last_accepted_at)
		SELECT client_id, 1, max(at) FROM attempts JOIN clients ON clients.id = client_id AND clients.owner_id = $2
		WHERE run_id = $1 AND status = 'accepted' GROUP BY client_id
		ON CONFLICT (client_id) DO UPDATE SET accepted = kept.accepted + 1,
			last_accepted_at = greatest(kept.last_accepted_at, excluded.last_accepted_at)`, run, owner)
	if err == nil {
		_, err = tx.Pgx.Exec(ctx, `UPDATE runs SET results_counted = true WHERE id = $1`, run)
	}
	return err
}

// asking are the owners whose segments, or whose lists of clients, ask for results that are not counted.
const asking = `SELECT DISTINCT owner_id FROM (
		SELECT owner_id FROM segments WHERE jsonb_path_exists(conditions,
			'$[*].where ? (@ == "last_accepted_at" || @ == "emails_accepted" || @ == "last_opened_at" || @ == "last_clicked_at")')
		UNION ALL SELECT owner_id FROM client_lists WHERE results_asked_at > now() - interval '30 days'
	) AS asks (owner_id)
	WHERE EXISTS (SELECT FROM runs WHERE runs.owner_id = asks.owner_id AND status = 'done' AND NOT results_counted)
	OR EXISTS (SELECT FROM run_readers JOIN runs ON runs.id = run_id WHERE runs.owner_id = asks.owner_id AND visited_at > coalesce(results_at, '-infinity'))`

// AskResults has the queue count results where a segment asks for them.
func (ss Segments) AskResults(ctx context.Context) error {
	owners, err := ss.db.pg.IDs(ctx, asking)
	if err != nil || len(owners) == 0 {
		return err
	}
	return ss.db.pg.InTx(ctx, func(tx Tx) error { return ss.db.pg.Enqueue(ctx, tx, domain.ResultsJob{}) })
}

// CountAllResults counts them, a run at a time.
func (ss Segments) CountAllResults(ctx context.Context) error {
	owners, err := ss.db.pg.IDs(ctx, asking)
	for _, owner := range owners {
		err = errors.Join(err, ss.db.pg.InTx(ctx, func(tx Tx) error { return countReaders(ctx, tx, owner) }))
	}
	if err != nil {
		return err
	}
	runs, err := ss.db.pg.IDs(ctx, `SELECT id FROM runs WHERE status = 'done' AND NOT results_counted AND owner_id IN (`+asking+`) ORDER BY id`)
	for _, run := range runs {
		err = errors.Join(err, ss.db.pg.InTx(ctx, func(tx Tx) error {
			var owners []int64
			err := tx.NewSelect().Table("runs").Column("owner_id").Where("id = ? AND NOT results_counted", run).For("NO KEY UPDATE").Scan(ctx, &owners)
			for _, owner := range owners {
				if err == nil {
					err = countRun(ctx, tx, owner, run)
				}
			}
			return err
		}))
	}
	return err
}

// catchUp counts what a selection asks for and is not counted. Much of it is left to the queue, which is reported.
func (ss Segments) catchUp(ctx context.Context, owner int64, s domain.Selection) (pending bool, err error) {
	if !s.Results() {
		return false, nil
	}
	var waiting int64
	err = ss.db.pg.Bun.NewRaw(`SELECT ((SELECT coalesce(sum(planned), 0) FROM runs WHERE `+uncounted+`)
		+ (SELECT coalesce(sum(opened + clicked + 1), 0) FROM run_readers JOIN runs ON runs.id = run_id WHERE `+visited+`))::bigint`, owner, owner).Scan(ctx, &waiting)
	if err != nil || waiting == 0 {
		return false, postgres.TranslateError(err)
	}
	err = ss.db.pg.InTx(ctx, func(tx Tx) error {
		if pending = waiting > resultsAtOnce; pending {
			return ss.db.pg.Enqueue(ctx, tx, domain.ResultsJob{})
		}
		return CountResults(ctx, tx, owner)
	})
	return pending, err
}
