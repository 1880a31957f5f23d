package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/abtest"
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
	RunSums
}

// RunSums are what came of the emails of a run after they were accepted: clients, each once.
type RunSums struct {
	Bounced, Complained        int64 // these four are of Get, Last, List and Latest alone
	Unsubscribed               int64 // from everything
	LeftTopic                  int64 // the topic alone; of Get and Last
	Opened, OpenedByPrograms   int64 // by a person; where only a program did
	Clicked, ClickedByPrograms int64
}

// runColumns count an open run by its batches: the row itself is counted when it closes, so
// that sending never updates one hot row.
const runColumns = `run.*, mailing.name AS mailing_name,
	run.accepted + coalesce(live.accepted, 0) AS accepted,
	run.failed + coalesce(live.failed, 0) AS failed,
	run.suppressed + coalesce(live.suppressed, 0) AS suppressed,
	waiting.deferred, waiting.next_try_at,
	coalesce(readers.opened, 0) AS opened, coalesce(readers.opened_by_programs, 0) AS opened_by_programs,
	coalesce(readers.clicked, 0) AS clicked, coalesce(readers.clicked_by_programs, 0) AS clicked_by_programs`

// markColumns count what came back and who left, as many rows of an index as did.
const markColumns = `(SELECT count(*) FROM bounces WHERE run_id = run.id AND mark = 'bounced') AS bounced,
	(SELECT count(*) FROM bounces WHERE run_id = run.id AND mark = 'complained') AS complained,
	(SELECT count(*) FROM unsubscribes WHERE run_id = run.id AND topic_id = 0) AS unsubscribed,
	(SELECT count(*) FROM unsubscribes WHERE run_id = run.id AND topic_id <> 0) AS left_topic`

// sumColumns are the same for lists of runs, as they were summed last.
const sumColumns = `coalesce(sums.bounced, 0) AS bounced, coalesce(sums.complained, 0) AS complained, coalesce(sums.unsubscribed, 0) AS unsubscribed`

const sumTable = `LEFT JOIN LATERAL (SELECT sum(bounced) AS bounced, sum(complained) AS complained, sum(unsubscribed) AS unsubscribed
	FROM run_event_sums WHERE run_id = run.id) AS sums ON TRUE`

const liveCounts = `LEFT JOIN LATERAL (SELECT sum(accepted) AS accepted, sum(failed) AS failed, sum(suppressed) AS suppressed
	FROM batches WHERE run_id = run.id) AS live ON run.closed_at IS NULL`

const runTables = `runs AS run JOIN mailings AS mailing ON mailing.id = run.mailing_id ` + liveCounts + `
	LEFT JOIN LATERAL (SELECT count(*) AS deferred, min(due_at) AS next_try_at
		FROM retries WHERE run_id = run.id) AS waiting ON TRUE
	LEFT JOIN run_readers AS readers ON readers.run_id = run.id`

// List are a page of the runs of a mailing, the newest first, and the number of all; beyond
// the last page the last is answered. owner 0 is for managers.
func (r Runs) List(ctx context.Context, owner, mailing int64, page int) ([]RunRow, int, error) {
	rows := []RunRow{}
	all := r.db.pg.Bun.NewSelect().TableExpr("runs AS run") // counted without the live counts of each
	query := r.db.pg.Bun.NewSelect().TableExpr(runTables).Join(sumTable).ColumnExpr(runColumns).ColumnExpr(sumColumns)
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

// OfTest are the runs of a test: its variants in their order, and behind them those who wait for the best.
func (r Runs) OfTest(ctx context.Context, test int64) ([]RunRow, error) {
	rows := []RunRow{}
	err := r.db.pg.Bun.NewSelect().TableExpr(runTables).ColumnExpr(runColumns).ColumnExpr(markColumns).
		Where("run.ab_test_id = ?", test).OrderExpr("run.variant = 0, run.variant").Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Result is what came of the run, as tests compare it.
func (r RunRow) Result() abtest.Result {
	return abtest.Result{Accepted: r.Accepted, Opened: r.Opened, Clicked: r.Clicked, Unsubscribed: r.Unsubscribed + r.LeftTopic}
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
	err := r.db.pg.Bun.NewSelect().TableExpr(runTables).Join(sumTable).ColumnExpr(runColumns).ColumnExpr(sumColumns).
		Where("run.status = ? AND run.owner_id = ? AND run.step_id IS NULL", domain.RunDone, owner).
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

// Received is the run's email as a client got it; NotFound when it got none, or was deleted.
func (r Runs) Received(ctx context.Context, run, client int64) (got domain.Run, to domain.Client, err error) {
	err = r.db.pg.Bun.NewSelect().Model(&to).Where("id = ?", client).
		Where("EXISTS (SELECT FROM deliveries WHERE run_id = ? AND client_id = client.id AND outcome IN ('accepted', 'queued', 'deferred', 'failed'))", run).Scan(ctx)
	if err == nil {
		err = r.db.pg.Bun.NewSelect().Model(&got).Where("id = ?", run).Scan(ctx)
	}
	if err == nil && got.Brand == nil {
		brand, wrong := BrandOf(ctx, r.db.pg.Bun, got.OwnerID)
		got.Brand, err = &brand, wrong
	}
	return got, to, postgres.TranslateError(err)
}

// Cancel ends a run and leaves the calendar of its mailing alone.
func (r Runs) Cancel(ctx context.Context, owner, id int64) (run domain.Run, err error) {
	err = r.db.pg.InTx(ctx, func(tx Tx) error {
		if run, err = lockRun(ctx, tx, owner, id); err != nil {
			return err
		}
		if err := run.Cancel(); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&run).Column("status", "end_outcome", "reason", "resume_at").WherePK().Exec(ctx); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{MailingID: run.MailingID})
	})
	return run, err
}

// lockRun locks a run of the owner, more weakly than UPDATE, or retries, which name it, would wait.
func lockRun(ctx context.Context, tx Tx, owner, id int64) (run domain.Run, err error) {
	err = tx.NewSelect().Model(&run).Where("id = ? AND owner_id = ?", id, owner).For("NO KEY UPDATE").Scan(ctx)
	return run, err
}

// maxAgain is how many clients a mailing to those who are picked can have.
const maxAgain = 10_000

// got tells that a client has got the run's message since, or is about to: by the same mailing, or by one that sent it again.
const got = `EXISTS (SELECT FROM mailings JOIN runs AS later ON later.mailing_id = mailings.id
	JOIN deliveries AS since ON since.run_id = later.id AND since.client_id = client.id AND since.outcome IN ('accepted', 'queued', 'deferred')
	WHERE mailings.again_of = ?1 OR mailings.id = ?2 AND later.id > ?1 AND later.revision = ?3 AND later.message_id IS NOT DISTINCT FROM (SELECT message_id FROM runs WHERE id = ?1) AND later.step_id IS NOT DISTINCT FROM nullif(?4, 0))`

// Again makes a mailing, to be launched, that sends the run's message to those who did not get it, or have joined its
// audience since. The lock on the run makes a double click come to the mailing of the first.
func (r Runs) Again(ctx context.Context, owner, id int64, who domain.Again, name string, now time.Time) (again domain.Mailing, err error) {
	err = r.db.pg.InTx(ctx, func(tx Tx) error {
		run, err := lockRun(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		if err := run.MayRepeat(who); err != nil {
			return err
		}
		m, err := loadMailing(ctx, tx, owner, run.MailingID, "KEY SHARE", withoutPicked)
		if err != nil {
			return err
		}
		if run.StepID != 0 {
			err := tx.NewRaw(`SELECT message_id FROM series_steps WHERE id = ? AND series_id = ?`, run.StepID, m.ID).Scan(ctx, &m.MessageID)
			if err != nil && domain.KindOf(postgres.TranslateError(err)) != domain.NotFound {
				return err
			}
		}
		again = run.Repeat(m, name, now)
		var before []int64
		err = tx.NewSelect().Table("mailings").Column("id").Where("again_of = ? AND name = ? AND status = ? AND deleted_at IS NULL", id, again.Name, domain.Created).
			Where("created_at > now() - interval '10 seconds'").Limit(1).Scan(ctx, &before)
		if err != nil || len(before) > 0 {
			again.ID = append(before, 0)[0]
			return err
		}
		if there, err := tx.NewSelect().Table("messages").Where("id = ? AND owner_id = ?", again.MessageID, owner).Exists(ctx); err != nil {
			return err
		} else if !there {
			return domain.Errorf(domain.Conflict, "", "mailings.message_required")
		}
		if _, err := tx.NewInsert().Model(&again).Exec(ctx); err != nil {
			return err
		}
		if err := pickAgain(ctx, tx, run, m, again.ID, who); err != nil {
			return err
		}
		return r.db.changed(ctx, tx, "stats")
	})
	return again, err
}

// pickAgain picks the clients of the mailing that sends a run's message again.
func pickAgain(ctx context.Context, tx Tx, run domain.Run, m domain.Mailing, again int64, who domain.Again) error {
	clients, err := againClients(ctx, tx, run, m, who)
	if err != nil {
		return err
	}
	picked, err := tx.NewRaw("INSERT INTO mailing_clients (mailing_id, client_id) ?", clients.ColumnExpr("?, client.id", again)).Exec(ctx)
	if err != nil {
		return err
	}
	switch n, _ := picked.RowsAffected(); {
	case n == 0:
		return domain.Errorf(domain.Conflict, "", "runs.again_nobody")
	case n > maxAgain:
		return domain.Errorf(domain.Conflict, "", "runs.again_many", "Max", maxAgain)
	}
	return nil
}

// AgainMost is counted as one more than a mailing to those who are picked can have.
const AgainMost = maxAgain

// AgainCounts are how many clients each choice would send the run's message to, AgainMost+1 at most.
func (r Runs) AgainCounts(ctx context.Context, run domain.Run, choices ...domain.Again) (counts map[domain.Again]int64, err error) {
	counts = map[domain.Again]int64{}
	err = r.db.pg.InTx(ctx, func(tx Tx) error {
		m, err := loadMailing(ctx, tx, run.OwnerID, run.MailingID, "", withoutPicked)
		if domain.KindOf(err) == domain.NotFound {
			return nil // deleted
		}
		for _, who := range choices {
			if err != nil {
				return err
			}
			var clients *bun.SelectQuery
			if clients, err = againClients(ctx, tx, run, m, who); err == nil {
				counts[who], err = tx.NewSelect().TableExpr("(?) AS found", clients.ColumnExpr("client.id")).Count(ctx)
			}
		}
		return err
	})
	return counts, err
}

// againClients are those whom a mailing that sends a run's message again is for, AgainMost+1 at most.
func againClients(ctx context.Context, tx Tx, run domain.Run, m domain.Mailing, who domain.Again) (*bun.SelectQuery, error) {
	if err := Resolve(ctx, tx, &m); err != nil {
		return nil, err
	}
	clients := tx.NewSelect().TableExpr("deliveries AS d").Join("JOIN clients AS client ON client.id = d.client_id").
		Where("d.run_id = ? AND d.outcome <> 'accepted' AND d.skipped IS DISTINCT FROM ? AND client.owner_id = ?", run.ID, domain.SkippedHoldout, run.OwnerID)
	switch who {
	case domain.AgainNotClicked, domain.AgainNotOpened:
		clients = tx.NewSelect().TableExpr("deliveries AS d").Join("JOIN clients AS client ON client.id = d.client_id").
			Where("d.run_id = ? AND d.outcome = 'accepted' AND client.owner_id = ?", run.ID, run.OwnerID).
			Where("NOT EXISTS (SELECT FROM visits WHERE run_id = d.run_id AND seq = d.seq AND count > 0 AND (n > 0) = ?)", who == domain.AgainNotClicked)
	case domain.AgainJoinedSince:
		clients = Audience(tx.NewSelect().TableExpr("clients AS client"), m).Where("client.created_at > ?", run.CreatedAt).
			Where("NOT EXISTS (SELECT FROM deliveries AS d WHERE d.run_id = ? AND d.client_id = client.id)", run.ID)
	}
	return clients.Where("client.suppressed_at IS NULL").
		Where("NOT "+got, nil, run.ID, run.MailingID, run.Revision, run.StepID).Limit(maxAgain + 1), nil
}

// Of a large run so many recipients are looked at, evenly spread: attempts are found by
// recipient, and a million of them would take a second. Their times stand in the index; whether
// they came to trouble tells another. Refusals and delays are few: up to paceTrouble are all counted.
const throughputSample, throughputTrouble, throughputParts = 3000, 20_000, 40

// Throughput counts the attempts of a run by time, in at most paceParts parts of whole seconds. The
// caller has made sure who may see the run.
func (r Runs) Throughput(ctx context.Context, run domain.Run) (domain.Throughput, error) {
	throughput := domain.Throughput{Every: max(1, run.Planned/throughputSample)}
	var trouble int64
	err := r.db.pg.Pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM attempts WHERE run_id = $1 AND status <> 'accepted' LIMIT $2) AS found`,
		run.ID, throughputTrouble+1).Scan(&trouble)
	if err != nil {
		return throughput, postgres.TranslateError(err)
	}
	rows, err := r.db.pg.Pool.Query(ctx, `WITH tries AS MATERIALIZED (
			SELECT attempt.at, coalesce(trouble.status, 'accepted') AS status, $3::bigint AS weight FROM generate_series(1, $2::int, $3::int) AS picked(seq)
				JOIN attempts AS attempt ON attempt.run_id = $1 AND attempt.seq = picked.seq
				LEFT JOIN attempts AS trouble ON trouble.run_id = $1 AND trouble.seq = attempt.seq AND trouble.at = attempt.at AND trouble.status <> 'accepted'
				WHERE trouble.status IS NULL OR NOT $4
			UNION ALL SELECT at, status, 1 FROM attempts WHERE run_id = $1 AND status <> 'accepted' AND $4
		), span AS (
			SELECT min(at) AS first, greatest(1, ceil(extract(epoch FROM max(at) - min(at)) / $5))::bigint AS seconds FROM tries
		) SELECT first, seconds, least($5 - 1, floor(extract(epoch FROM at - first) / seconds))::int AS part, status, sum(weight)::bigint
		FROM tries, span GROUP BY 1, 2, 3, 4 ORDER BY part`, run.ID, run.Planned, throughput.Every, trouble <= throughputTrouble, throughputParts)
	if err != nil {
		return throughput, postgres.TranslateError(err)
	}
	defer rows.Close()
	for rows.Next() {
		var part int
		var seconds, attempts int64
		var status domain.AttemptStatus
		if err := rows.Scan(&throughput.From, &seconds, &part, &status, &attempts); err != nil {
			return throughput, err
		}
		throughput.Step = time.Duration(seconds) * time.Second
		throughput.Add(part, status, attempts)
	}
	return throughput, postgres.TranslateError(rows.Err())
}
