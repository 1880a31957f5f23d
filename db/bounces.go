package db

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Bounces are what came back for deliveries: the marks, and what came in.
type Bounces struct{ db *DB }

// Bounces of this database.
func (db *DB) Bounces() Bounces { return Bounces{db} }

const (
	maxReturns  = 10       // of a delivery that are kept to read
	keptOfRaw   = 16 << 10 // bytes of each
	addressLock = 3        // key of the advisory locks by address
)

// returned is a delivery that something came back for.
type returned struct {
	RunID    int64
	Seq      int
	OwnerID  int64
	ClientID int64
	Email    string
	Kind     domain.ReturnKind
	Answer   domain.Answer
}

// erased reports whether the client was erased, and its address with it.
func (r returned) erased() bool { return strings.HasPrefix(r.Email, erasedMark) }

// Receive keeps what came back for a delivery and does what follows from it, all or nothing; the same
// again changes nothing. NotFound: there is no such delivery any more.
func (b Bounces) Receive(ctx context.Context, run int64, seq int, report domain.Report, raw []byte) error {
	return b.db.pg.InTx(ctx, func(tx Tx) error {
		r := returned{RunID: run, Seq: seq}
		err := tx.Pgx.QueryRow(ctx, `SELECT run.owner_id, d.email, d.client_id FROM deliveries AS d JOIN runs AS run ON run.id = d.run_id
			WHERE d.run_id = $1 AND d.seq = $2`, run, seq).Scan(&r.OwnerID, &r.Email, &r.ClientID)
		if err != nil {
			return err
		}
		r.Kind, r.Answer = report.Return(r.Email)
		if !r.erased() { // else the report holds the address
			if err := r.keep(ctx, tx, raw); err != nil {
				return err
			}
		}
		switch {
		case r.Kind.Bounced():
			return r.bounced(ctx, tx)
		case r.Kind == domain.ReturnComplaint:
			return r.complained(ctx, tx)
		}
		return nil
	})
}

// keep lets people read it.
func (r returned) keep(ctx context.Context, tx Tx, raw []byte) error {
	digest := sha256.Sum256(raw)
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO returns (run_id, seq, kind, code, answer, raw, digest) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE (SELECT count(*) FROM returns WHERE run_id = $1 AND seq = $2) < $8 ON CONFLICT (run_id, seq, digest) DO NOTHING`,
		r.RunID, r.Seq, string(r.Kind), r.Answer.Code, r.Answer.Text, raw[:min(len(raw), keptOfRaw)], digest[:], maxReturns)
	return err
}

// mark marks the delivery; false when it was so before. A hard bounce takes the place of another one.
func (r returned) mark(ctx context.Context, tx Tx, mark string, class domain.Class) (bool, error) {
	var fresh bool
	err := tx.Pgx.QueryRow(ctx, `INSERT INTO bounces (run_id, seq, mark, kind, class, owner_id, email) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (run_id, seq, mark) DO UPDATE SET kind = excluded.kind, class = excluded.class, at = excluded.at
		WHERE excluded.kind = 'hard' AND bounces.kind <> 'hard' RETURNING xmax = 0`,
		r.RunID, r.Seq, mark, string(r.Kind), string(class), r.OwnerID, r.Email).Scan(&fresh)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil || !fresh:
		return err == nil, err
	}
	return true, r.count(ctx, tx, mark)
}

// count puts the mark down to the day of the owner on which the email went out, on which depends how many
// emails a new account may send.
func (r returned) count(ctx context.Context, tx Tx, mark string) error {
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO owner_days AS known (owner_id, day, bounced, complained)
		SELECT owner.id, floor(extract(epoch FROM attempt.at - owner.created_at) / 86400), ($4 = 'bounced')::int, ($4 = 'complained')::int
		FROM users AS owner, (SELECT max(at) AS at FROM attempts WHERE run_id = $2 AND seq = $3) AS attempt
		WHERE owner.id = $1 AND attempt.at IS NOT NULL
		ON CONFLICT (owner_id, day) DO UPDATE SET bounced = known.bounced + excluded.bounced, complained = known.complained + excluded.complained`,
		r.OwnerID, r.RunID, r.Seq, mark)
	return err
}

// bounced suppresses an address that is dead, or that has taken nothing for the third time, for everybody
// who writes to it.
func (r returned) bounced(ctx context.Context, tx Tx) error {
	// Of two reports at the same time each would miss the other.
	if _, err := tx.Pgx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashtext(lower($2)))", addressLock, r.Email); err != nil {
		return err
	}
	class := r.Answer.Class()
	marked, err := r.mark(ctx, tx, "bounced", class)
	if err != nil || !marked || r.Kind == domain.ReturnBlocked || r.Kind == domain.ReturnSoft && !class.CountsAsSoft() {
		return err
	}
	if r.Kind == domain.ReturnSoft {
		var soft int
		err := tx.Pgx.QueryRow(ctx, `SELECT count(*) FROM bounces
			WHERE lower(email) = lower($1) AND at > now() - make_interval(days => $2) AND kind = 'soft' AND class <> ALL($3)`,
			r.Email, domain.SoftBounceDays, domain.NeverSoft()).Scan(&soft)
		if err != nil || soft < domain.SoftBounces {
			return err
		}
	}
	return suppress(ctx, tx, `WITH found AS (
			SELECT id FROM clients WHERE lower(email) = lower($1) AND suppressed_at IS NULL ORDER BY id FOR UPDATE
		) UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced', suppressed_run = $2 FROM found WHERE clients.id = found.id
		RETURNING clients.id`, r.Email, r.RunID)
}

// suppress tells the engines of those whom the statement returns.
func suppress(ctx context.Context, tx Tx, statement string, args ...any) error {
	rows, err := tx.Pgx.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	stopped, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(stopped) == 0 {
		return err
	}
	told := make([]postgres.Notification, len(stopped))
	for i, id := range stopped {
		told[i] = postgres.ClientSuppressed{ClientID: id}
	}
	return tx.Notify(ctx, told...)
}

// complained suppresses the address for its owner, and holds the owner's runs when that happens too often.
func (r returned) complained(ctx context.Context, tx Tx) error {
	var user domain.User // locked first, as whoever blocks somebody does
	if err := tx.NewSelect().Model(&user).Where("id = ?", r.OwnerID).For("NO KEY UPDATE").Scan(ctx); err != nil {
		return err
	}
	marked, err := r.mark(ctx, tx, "complained", "")
	if err != nil || !marked {
		return err
	}
	if err := r.stop(ctx, tx); err != nil || user.Held() {
		return err
	}
	rate, err := complaintRate(ctx, tx, user)
	if err != nil || !domain.TooManyComplaints(rate.Complaints, rate.Accepted) {
		return err
	}
	return holdOwner(ctx, tx, user.ID)
}

// stop ends the owner's emails to an address that complained, also when its client was deleted.
func (r returned) stop(ctx context.Context, tx Tx) error {
	if r.erased() {
		return unsubscribeDeleted(ctx, tx, domain.RecipientLink{ClientID: r.ClientID, RunID: r.RunID}, "")
	}
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	return suppress(ctx, tx, `WITH stopped AS (
			UPDATE clients SET suppressed_at = now(), suppressed_reason = 'complained'
			WHERE owner_id = $3 AND lower(email) = lower($4) AND suppressed_reason NOT IN ('unsubscribed', 'complained') RETURNING id
		), remembered AS (
			INSERT INTO optouts (owner_id, email_hash, at) SELECT $3, `+addressHash("$4::text")+`, now()
			WHERE NOT EXISTS (SELECT FROM clients WHERE owner_id = $3 AND lower(email) = lower($4)) ON CONFLICT DO NOTHING
		) SELECT id FROM stopped`, inner, outer, r.OwnerID, r.Email)
}

// ComplaintRate is what an owner's runs of the last days have come to, as far as they count.
type ComplaintRate struct{ Complaints, Accepted int64 }

func complaintRate(ctx context.Context, tx bun.IDB, user domain.User) (rate ComplaintRate, err error) {
	err = tx.NewRaw(`SELECT coalesce(sum(run.accepted + coalesce(live.accepted, 0)), 0)::bigint AS accepted,
			coalesce(sum((SELECT count(*) FROM bounces WHERE run_id = run.id AND mark = 'complained')), 0)::bigint AS complaints
		FROM runs AS run `+liveCounts+`
		WHERE run.owner_id = ? AND run.created_at > greatest(now() - make_interval(days => ?), ?)`,
		user.ID, domain.ComplaintDays, user.ReleasedAt).Scan(ctx, &rate)
	return rate, err
}

// ComplaintRate is that of one owner.
func (b Bounces) ComplaintRate(ctx context.Context, user domain.User) (ComplaintRate, error) {
	rate, err := complaintRate(ctx, b.db.pg.Bun, user)
	return rate, postgres.TranslateError(err)
}

// holdOwner pauses all runs of an owner until a manager has looked.
func holdOwner(ctx context.Context, tx Tx, owner int64) error {
	if _, err := tx.Pgx.Exec(ctx, `UPDATE users SET held_at = now() WHERE id = $1`, owner); err != nil {
		return err
	}
	_, err := tx.Pgx.Exec(ctx, `UPDATE runs SET status = 'paused', reason = $2, resume_at = NULL
		WHERE owner_id = $1 AND status IN ('running', 'paused')`, owner, domain.ReasonComplaints)
	if err != nil {
		return err
	}
	return tx.Notify(ctx, postgres.RunsChanged{OwnerID: owner})
}

// resumeOwner lets the runs go on that waited for a manager.
func resumeOwner(ctx context.Context, tx Tx, owner int64) error {
	return resumeRuns(ctx, tx, postgres.RunsChanged{OwnerID: owner}, domain.ReasonComplaints)
}

// Bounce is the mark of a delivery.
type Bounce struct {
	Kind  domain.ReturnKind
	Class domain.Class
	At    time.Time
	RunID int64 // 0: of another owner
}

// Latest is the newest bounce of an address that says something of it, nil: there is none.
func (b Bounces) Latest(ctx context.Context, owner int64, email string) (*Bounce, error) {
	var all []Bounce
	err := b.db.pg.Bun.NewRaw(`SELECT kind, class, at, CASE WHEN owner_id = ? THEN run_id ELSE 0 END AS run_id FROM bounces
		WHERE lower(email) = lower(?) AND kind IN ('hard', 'soft') ORDER BY at DESC LIMIT 1`, owner, email).Scan(ctx, &all)
	if err != nil || len(all) == 0 {
		return nil, postgres.TranslateError(err)
	}
	return &all[0], nil
}

// Return is an email that came back.
type Return struct {
	ID     int64
	Seq    int
	Email  string // that it is about
	Kind   domain.ReturnKind
	Code   int
	Answer string
	Raw    []byte // the first 16 KB
	At     time.Time
}

// List is a page of what came in for a run, the newest first, and the number of all. owner 0 is for managers.
func (b Bounces) List(ctx context.Context, owner, run int64, page Page) ([]Return, int, error) {
	rows := []Return{}
	found := b.db.pg.Bun.NewSelect().TableExpr("returns").Column("id").Where("run_id = ?", run)
	if owner != 0 {
		found.Where("EXISTS (SELECT FROM runs WHERE id = run_id AND owner_id = ?)", owner)
	}
	total, err := countOf(ctx, b.db, found)
	if err != nil || total == 0 {
		return rows, 0, err
	}
	err = b.db.pg.Bun.NewSelect().TableExpr("(?) AS page", page.newest(found, total, "id")).
		ColumnExpr("r.id, r.seq, d.email, r.kind, r.code, r.answer, r.raw, r.at").
		Join("JOIN returns AS r ON r.id = page.id").Join("JOIN deliveries AS d ON d.run_id = r.run_id AND d.seq = r.seq").
		OrderExpr("r.id DESC").Scan(ctx, &rows)
	return rows, total, postgres.TranslateError(err)
}

// Prune deletes what came in so long ago that nobody reads it any more, in parts that hold nobody up.
func (b Bounces) Prune(ctx context.Context) error {
	for {
		tag, err := b.db.pg.Pool.Exec(ctx, `DELETE FROM returns WHERE id IN (
			SELECT id FROM returns WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT 10000)`, domain.ReturnsKeptDays)
		if err != nil || tag.RowsAffected() == 0 {
			return postgres.TranslateError(err)
		}
	}
}
