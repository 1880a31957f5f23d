package clientindex

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// columns are what fill reads of `clients`, and of `client_results` as result.
func (t *table) columns() string {
	var sql strings.Builder
	sql.WriteString(`clients.id, clients.created_at, clients.suppressed_at IS NOT NULL, lower(array_to_string(clients.tags, E'\x01')), clients.search`)
	for _, f := range t.fields {
		key := strconv.FormatInt(f.ID, 10) // of our own making
		switch value := "clients.fields -> '" + key + "'"; f.Type {
		case domain.FieldNumber:
			sql.WriteString(`, CASE jsonb_typeof(` + value + `) WHEN 'number' THEN (` + value + `)::float8 ELSE CASE WHEN jsonb_exists(clients.fields, '` + key + `') THEN float8 'NaN' END END`)
		case domain.FieldYesNo:
			sql.WriteString(`, (` + value + `)::text`)
		default:
			sql.WriteString(`, lower(clients.fields ->> '` + key + `')`)
		}
	}
	sql.WriteString(`, coalesce(result.accepted, 0)::float8, result.last_accepted_at, result.last_opened_at, result.last_clicked_at`)
	return sql.String()
}

const withResults = ` LEFT JOIN client_results AS result ON result.client_id = clients.id`

// errLarge says that an owner has more clients than there is memory for.
var errLarge = errors.New("too many clients to be kept")

// load reads all clients of an owner. What is read by more than one statement is one snapshot's.
func load(ctx context.Context, pg *postgres.DB, owner int64, clients, most int) (t *table, err error) {
	byBytes := false // are texts ordered
	err = pgx.BeginTxFunc(ctx, pg.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		t = newTable(clients + clients/100)
		if err := t.findFields(ctx, tx, owner); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT pg_current_snapshot()::text, datlocprovider = 'b' OR datlocprovider = 'c' AND datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8')
			FROM pg_database WHERE datname = current_database()`).Scan(&t.snapshot, &byBytes)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+t.columns()+` FROM clients`+withResults+` WHERE clients.owner_id = $1 ORDER BY clients.created_at, clients.id`,
			pgx.QueryExecModeDescribeExec, owner)
		if err != nil {
			return err
		}
		defer rows.Close()
		for row := 0; rows.Next(); row++ {
			t.fill(row, rows.RawValues())
			if row%10_000 == 0 && t.size() > most {
				return errLarge
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	t.finish()
	if byBytes {
		t.orderNames()
	}
	return t, nil
}

// findFields adds columns for fields of the owner that the table does not have.
func (t *table) findFields(ctx context.Context, conn interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, owner int64) error {
	rows, err := conn.Query(ctx, `SELECT id, type FROM fields WHERE owner_id = $1 AND id <> ALL($2) ORDER BY id`, owner, t.fieldIDs())
	if err != nil {
		return err
	}
	var f domain.Field
	_, err = pgx.ForEachRow(rows, []any{&f.ID, &f.Type}, func() error {
		t.addField(f)
		return nil
	})
	return err
}

// changesAtOnce is how many changed clients are read while somebody waits.
const changesAtOnce = 5_000

// errBehind says that too much has changed since the table's snapshot, or that nobody knows what.
var errBehind = errors.New("too much has changed")

// errFields says that there are fields which the table does not have.
var errFields = errors.New("there are new fields")

// refresh brings the table up to date, and lowers a text as the database does. Who has a value of a field that was made since its
// snapshot has changed since.
func (t *table) refresh(ctx context.Context, pg *postgres.DB, owner int64, text string) (lowered string, err error) {
	lowered, err = t.read(ctx, pg, owner, text)
	if errors.Is(err, errFields) {
		if err = t.findFields(ctx, pg.Pool, owner); err == nil {
			lowered, err = t.read(ctx, pg, owner, text)
		}
	}
	return lowered, err
}

// read reads what one snapshot, the statement's, sees: the changes of transactions that the table's did not see, and what has
// become of these clients.
func (t *table) read(ctx context.Context, pg *postgres.DB, owner int64, text string) (lowered string, err error) {
	rows, err := pg.Pool.Query(ctx, `SELECT pg_current_snapshot()::text, lower($3), (SELECT xid FROM client_changes_since) <= pg_snapshot_xmin($2::pg_snapshot),
			EXISTS (SELECT FROM fields WHERE owner_id = $1 AND id <> ALL($5)), changed.client_id, `+t.columns()+`
		FROM (SELECT) AS one LEFT JOIN (
			SELECT DISTINCT client_id FROM client_changes, unnest(client_ids) AS client_id
			WHERE owner_id = $1 AND xid >= pg_snapshot_xmin($2::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $2::pg_snapshot) LIMIT $4
		) AS changed ON true LEFT JOIN clients ON clients.id = changed.client_id AND clients.owner_id = $1`+withResults,
		pgx.QueryExecModeDescribeExec, owner, t.snapshot, text, changesAtOnce+1, t.fieldIDs())
	if err != nil {
		return "", err
	}
	defer rows.Close()
	snapshot, n := "", 0
	for rows.Next() {
		values := rows.RawValues()
		snapshot, lowered = string(values[0]), string(values[1])
		if n++; n > changesAtOnce || len(values[2]) == 0 || values[2][0] == 0 {
			return "", errBehind
		}
		if values[3][0] != 0 {
			return "", errFields
		}
		if values[4] == nil {
			continue
		}
		id, of := number(values[4]), values[5:]
		if of[0] == nil {
			of = nil
		}
		t.change(id, of)
	}
	if err := rows.Err(); err != nil {
		return "", err // some may be newer than the snapshot: they are read again
	}
	t.snapshot = snapshot
	return lowered, nil
}
