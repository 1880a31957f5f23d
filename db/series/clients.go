package series

import (
	"context"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// Client is one client in one series.
type Client struct {
	ID         int64
	Email      string
	FullName   string
	How        string
	EnteredAt  time.Time
	Passed     []int64   `bun:",array"`
	NextStepID int64     // 0: the first, or none any more
	DueAt      time.Time `bun:",nullzero"` // the epoch: it is still worked out
	LeftAt     time.Time `bun:",nullzero"`
	LeftReason string    // also of who will leave when the next step is due
}

// columns of a Client. Who is suppressed leaves when its next step is due, and has left for whoever looks.
const columns = `client.id, client.email, client.full_name, sc.how, sc.entered_at, sc.passed, sc.next_step_id, sc.left_at,
	CASE WHEN sc.left_at IS NULL AND client.suppressed_at IS NOT NULL THEN NULL ELSE sc.due_at END AS due_at,
	CASE WHEN sc.left_at IS NULL AND client.suppressed_at IS NOT NULL THEN client.suppressed_reason ELSE sc.left_reason END AS left_reason`

const tables = `series_clients AS sc JOIN clients AS client ON client.id = sc.client_id`

// Where narrows the clients of a series.
type Where struct {
	Step  int64  // who waits for it
	State string // "": all; waiting, finished or left
	Page  int
}

// PageSize is how many clients a page shows.
const PageSize = 50

// Clients are a page of those in the series, who came last first, and how many there are.
func (ss Series) Clients(ctx context.Context, s rules.Series, where Where) (list []Client, total int, err error) {
	pg := ss.db.Postgres().Bun
	found, all := pg.NewSelect().TableExpr(tables).ColumnExpr(columns), pg.NewSelect().TableExpr("series_clients AS sc")
	condition, args := "sc.series_id = ?", []any{s.ID}
	switch {
	case where.Step != 0 && where.Step == first(s):
		condition, args = condition+" AND sc.due_at IS NOT NULL AND sc.next_step_id IN (0, ?)", append(args, where.Step)
	case where.Step != 0:
		condition, args = condition+" AND sc.due_at IS NOT NULL AND sc.next_step_id = ?", append(args, where.Step)
	case where.State == "waiting":
		condition += " AND sc.due_at IS NOT NULL"
	case where.State == "finished":
		condition, args = condition+" AND sc.left_reason = ?", append(args, rules.LeftFinished)
	case where.State == "left":
		condition, args = condition+" AND sc.left_at IS NOT NULL AND sc.left_reason <> ?", append(args, rules.LeftFinished)
	}
	n, err := all.Where(condition, args...).Count(ctx)
	if total = int(n); err != nil || total == 0 {
		return nil, 0, postgres.TranslateError(err)
	}
	last := (total + PageSize - 1) / PageSize
	err = found.Where(condition, args...).OrderExpr("sc.client_id DESC").Limit(PageSize).
		Offset(int64((min(max(1, where.Page), last)-1)*PageSize)).Scan(ctx, &list)
	return list, total, postgres.TranslateError(err)
}

// Added tells what came of adding clients by hand.
type Added struct{ Added, Already, Suppressed int64 }

// Add lets clients of the owner in by hand. Who was in it before stays as it is: nobody goes through a series twice.
func (ss Series) Add(ctx context.Context, owner, id int64, clients []int64) (a Added, err error) {
	err = ss.step(ctx, func(tx db.Tx) error {
		s, err := ss.editable(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		a.Added, err = AddIn(ctx, tx, s.OwnerID, id, clients, "manual")
		if err != nil {
			return err
		}
		err = tx.Pgx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE suppressed_at IS NOT NULL) FROM clients WHERE owner_id = $1 AND id = ANY($2)`,
			s.OwnerID, clients).Scan(&a.Already, &a.Suppressed)
		a.Already -= a.Added + a.Suppressed
		return err
	})
	return a, err
}

// AddIn lets clients in; who is in already or gets no emails is left out.
func AddIn(ctx context.Context, tx db.Tx, owner, id int64, clients []int64, how string) (int64, error) {
	added, err := tx.Pgx.Exec(ctx, `INSERT INTO series_clients (series_id, client_id, how)
		SELECT $1, id, $4 FROM clients WHERE owner_id = $2 AND id = ANY($3) AND suppressed_at IS NULL ON CONFLICT DO NOTHING`, id, owner, clients, how)
	return added.RowsAffected(), err
}

// editable is the locked series, if it is not finished.
func (ss Series) editable(ctx context.Context, tx db.Tx, owner, id int64) (s rules.Series, err error) {
	_, err = ss.db.Mailings().UpdateSeries(ctx, tx, owner, id, func(m *domain.Mailing) (err error) {
		if !m.MayEdit() {
			return domain.Errorf(domain.Conflict, "", "series.finished_fixed")
		}
		s, err = Load(ctx, tx, *m)
		return err
	})
	return s, err
}

// Remove takes a client out for good.
func (ss Series) Remove(ctx context.Context, owner, id, client int64) error {
	return ss.step(ctx, func(tx db.Tx) error {
		if _, err := ss.editable(ctx, tx, owner, id); err != nil {
			return err
		}
		removed, err := tx.Pgx.Exec(ctx, `UPDATE series_clients SET left_at = now(), left_reason = $3, due_at = NULL, next_step_id = 0
			WHERE series_id = $1 AND client_id = $2 AND left_at IS NULL`, id, client, rules.LeftRemoved)
		if err == nil && removed.RowsAffected() == 0 {
			err = domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		return err
	})
}

// Of is where a client is in the owner's series.
type Of struct {
	Client
	SeriesID   int64
	SeriesName string
	Steps      int
	Step       int // the position of the next one
}

// OfClient are the series of a client of the owner, the latest first.
func (ss Series) OfClient(ctx context.Context, owner, client int64) (list []Of, err error) {
	err = ss.db.Postgres().Bun.NewSelect().TableExpr(tables).ColumnExpr(columns).
		ColumnExpr("mailing.id AS series_id, mailing.name AS series_name").
		ColumnExpr("(SELECT count(*) FROM series_steps WHERE series_id = mailing.id) AS steps").
		ColumnExpr("coalesce((SELECT position FROM series_steps WHERE id = sc.next_step_id), 1) AS step").
		Join("JOIN mailings AS mailing ON mailing.id = sc.series_id").
		Where("mailing.owner_id = ? AND mailing.deleted_at IS NULL AND sc.client_id = ?", owner, client).OrderExpr("sc.entered_at DESC").Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}

// States are how many clients are in a series, and what became of them.
type States struct{ In, Waiting, Finished, Left int64 }

// States of a series.
func (ss Series) States(ctx context.Context, id int64) (s States, err error) {
	err = ss.db.Postgres().Bun.NewRaw(`SELECT count(*) AS "in", count(*) FILTER (WHERE due_at IS NOT NULL) AS waiting,
		count(*) FILTER (WHERE left_reason = ?0) AS finished, count(*) FILTER (WHERE left_at IS NOT NULL AND left_reason <> ?0) AS left
		FROM series_clients WHERE series_id = ?1`, rules.LeftFinished, id).Scan(ctx, &s)
	return s, postgres.TranslateError(err)
}

// Find are the owner's clients with these addresses.
func (ss Series) Find(ctx context.Context, owner int64, emails []string) ([]int64, error) {
	return ss.db.Postgres().IDs(ctx, `SELECT id FROM clients WHERE owner_id = $1 AND lower(email) = ANY(SELECT lower(one) FROM unnest($2::text[]) AS one)`, owner, emails)
}

// Messages are the chosen of the owner's and, besides, the newest: their subjects.
func (ss Series) Messages(ctx context.Context, owner int64, chosen []int64, newest int) (list []domain.Message, err error) {
	err = ss.db.Postgres().Bun.NewSelect().Model(&list).Column("id", "subject").Where("owner_id = ?", owner).
		Where("id = ANY(?) OR id IN (SELECT id FROM messages WHERE owner_id = ? ORDER BY id DESC LIMIT ?)", pgdialect.Array(chosen), owner, newest).
		Order("id DESC").Scan(ctx)
	return list, postgres.TranslateError(err)
}

// Open are the owner's series that clients can still be added to, the newest first.
func (ss Series) Open(ctx context.Context, owner int64) (list []domain.Mailing, err error) {
	err = ss.db.Postgres().Bun.NewSelect().Model(&list).Column("id", "name").
		Where("owner_id = ? AND kind = ? AND deleted_at IS NULL AND status <> ?", owner, domain.KindSeries, domain.Finished).Order("id DESC").Scan(ctx)
	return list, postgres.TranslateError(err)
}
