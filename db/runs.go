package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Runs are occurrences of mailings, with their deliveries.
type Runs struct{ db *DB }

// Runs of this database.
func (db *DB) Runs() Runs { return Runs{db} }

// RunRow is a run with its live counts, as a page shows it.
type RunRow struct {
	domain.Run
	MailingName string
	Deferred    int64     // open deliveries that wait for a retry
	NextTryAt   time.Time `bun:",nullzero"` // the earliest of them
	Bounced     int64     // of those accepted; only Get and Last count them
	Complained  int64
}

// runColumns count an open run by its batches: the row itself is counted when it closes, so
// that sending never updates one hot row.
const runColumns = `run.*, mailing.name AS mailing_name,
	run.accepted + coalesce(live.accepted, 0) AS accepted,
	run.failed + coalesce(live.failed, 0) AS failed,
	run.suppressed + coalesce(live.suppressed, 0) AS suppressed,
	waiting.deferred, waiting.next_try_at`

// markColumns count what came back, as many rows of an index as came.
const markColumns = `(SELECT count(*) FROM bounces WHERE run_id = run.id AND mark = 'bounced') AS bounced,
	(SELECT count(*) FROM bounces WHERE run_id = run.id AND mark = 'complained') AS complained`

const liveCounts = `LEFT JOIN LATERAL (SELECT sum(accepted) AS accepted, sum(failed) AS failed, sum(suppressed) AS suppressed
	FROM batches WHERE run_id = run.id) AS live ON run.closed_at IS NULL`

const runTables = `runs AS run JOIN mailings AS mailing ON mailing.id = run.mailing_id ` + liveCounts + `
	LEFT JOIN LATERAL (SELECT count(*) AS deferred, min(due_at) AS next_try_at
		FROM retries WHERE run_id = run.id) AS waiting ON TRUE`

// List are a page of the runs of a mailing, the newest first, and the number of all; beyond
// the last page the last is answered. owner 0 is for managers.
func (r Runs) List(ctx context.Context, owner, mailing int64, page int) ([]RunRow, int, error) {
	rows := []RunRow{}
	all := r.db.pg.Bun.NewSelect().TableExpr("runs AS run") // counted without the live counts of each
	query := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns)
	for _, q := range []*bun.SelectQuery{all, query} {
		q.Where("run.mailing_id = ?", mailing)
		if owner != 0 {
			q.Where("run.owner_id = ?", owner)
		}
	}
	total, err := all.Count(ctx)
	if err != nil || total == 0 {
		return rows, 0, postgres.TranslateError(err)
	}
	err = query.OrderExpr("run.id DESC").
		Limit(PageSize).Offset(int64(pageStart(page, int(total)))).Scan(ctx, &rows)
	return rows, int(total), postgres.TranslateError(err)
}

// Last is what a mailing is sending, else what it sent last; NotFound when it never sent.
func (r Runs) Last(ctx context.Context, owner, mailing int64) (RunRow, error) {
	var row RunRow
	query := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns).ColumnExpr(markColumns).
		Where("run.mailing_id = ? AND run.status <> ?", mailing, domain.RunMissed)
	if owner != 0 {
		query.Where("run.owner_id = ?", owner)
	}
	return row, postgres.TranslateError(query.OrderExpr("run.closed_at IS NULL DESC, run.id DESC").Limit(1).Scan(ctx, &row))
}

// Ongoing are what the owner's mailings are sending, the newest first, at most 20.
func (r Runs) Ongoing(ctx context.Context, owner int64) ([]RunRow, error) {
	rows := []RunRow{}
	err := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns).
		Where("run.status IN ('running', 'paused', 'stopping') AND run.owner_id = ?", owner). // as the index runs_open has it
		OrderExpr("run.id DESC").Limit(20).Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Latest are the owner's newest runs that have ended.
func (r Runs) Latest(ctx context.Context, owner int64, limit int) ([]RunRow, error) {
	rows := []RunRow{}
	err := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns).
		Where("run.status = ? AND run.owner_id = ?", domain.RunDone, owner).
		OrderExpr("run.id DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Get is one run with its live counts; owner 0 is for managers.
func (r Runs) Get(ctx context.Context, owner, id int64) (RunRow, error) {
	var row RunRow
	query := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns).ColumnExpr(markColumns).Where("run.id = ?", id)
	if owner != 0 {
		query.Where("run.owner_id = ?", owner)
	}
	return row, postgres.TranslateError(query.Scan(ctx, &row))
}

// Unclosed are the runs that are going on, of one mailing or (0) of all.
func (r Runs) Unclosed(ctx context.Context, mailing int64) ([]int64, error) {
	return r.db.pg.IDs(ctx, `SELECT id FROM runs WHERE closed_at IS NULL AND $1::bigint IN (0, mailing_id) ORDER BY id`, mailing)
}

// Progress is how far some runs are, taken together.
type Progress struct {
	domain.Counts
	Unclosed  int // runs that are not closed, Paused among them, without those that can be taken back
	Paused    int
	Deferred  int64
	NextTryAt time.Time `bun:",nullzero"`
	Reason    string    // why a run that is going on does not move, empty: it does
}

// Progress sums the runs up.
func (r Runs) Progress(ctx context.Context, runs []int64) (Progress, error) {
	var p Progress
	err := r.db.pg.Bun.NewSelect().
		TableExpr(runTables).Where("run.id IN ?", bun.Tuple(runs)).
		ColumnExpr("sum(run.planned) AS planned, sum(run.accepted + coalesce(live.accepted, 0)) AS accepted").
		ColumnExpr("sum(run.failed + coalesce(live.failed, 0)) AS failed").
		ColumnExpr("sum(run.suppressed + coalesce(live.suppressed, 0)) AS suppressed").
		ColumnExpr("sum(run.expired) AS expired, sum(run.cancelled) AS cancelled").
		ColumnExpr("count(*) FILTER (WHERE run.closed_at IS NULL) AS unclosed").
		ColumnExpr("count(*) FILTER (WHERE run.status = 'paused' AND run.reason <> ?) AS paused", domain.ReasonRecall).
		ColumnExpr("sum(waiting.deferred) AS deferred, min(waiting.next_try_at) AS next_try_at").
		ColumnExpr("coalesce(max(run.reason) FILTER (WHERE run.closed_at IS NULL), '') AS reason").Scan(ctx, &p)
	return p, postgres.TranslateError(err)
}
