package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Ready answers whether the database and the queue in it can be used, and whether an instance has
// had emails to send that stood still all the time of domain.Standstill.
func (db *DB) Ready(ctx context.Context) (still bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var one int
	err = db.bun.NewRaw(`SELECT count(*), EXISTS (SELECT FROM instances WHERE still_since < now() - make_interval(secs => ?))
		FROM (SELECT FROM river_job LIMIT 1) j, (SELECT FROM users LIMIT 1) u`, domain.Standstill.Seconds()).Scan(ctx, &one, &still)
	return still, explain(err)
}

// CreateUser keeps a new user who did not register, but was made by the command line, and puts
// it into the log.
func (db *DB) CreateUser(ctx context.Context, user *domain.User) error {
	return db.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewInsert().Model(user).Returning("id, created_at").Exec(ctx)
		if taken(err, "users_email") {
			return domain.Refuse(domain.Invalid, "email", "users.email_taken")
		}
		if err != nil {
			return err
		}
		return note(ctx, tx, domain.User{}, domain.AuditEntry{At: user.CreatedAt, Act: domain.ActCreate, ObjectID: user.ID, Object: user.Email})
	})
}

// User is one user by id.
func (db *DB) User(ctx context.Context, id int64) (user domain.User, err error) {
	err = db.bun.NewSelect().Model(&user).Where("id = ?", id).Scan(ctx)
	return user, explain(err)
}

// UserByEmail is the user with the address, whatever its case.
func (db *DB) UserByEmail(ctx context.Context, email string) (user domain.User, err error) {
	err = db.bun.NewSelect().Model(&user).Where("lower(email) = lower(?)", email).Scan(ctx)
	return user, explain(err)
}

// UpdateUser loads the user, lets change apply a rule, and saves him. When the password changed
// or the user is blocked, all his sessions end; a block also ends his runs that are going on.
func (db *DB) UpdateUser(ctx context.Context, id int64, change func(*domain.User) error) (user domain.User, err error) {
	err = db.InTx(ctx, func(tx Tx) error {
		user, err = updateUser(ctx, tx, id, change)
		return err
	})
	return user, err
}

// updateUser locks less than UPDATE would: only his key has to stay for others to refer to him.
func updateUser(ctx context.Context, tx Tx, id int64, change func(*domain.User) error) (user domain.User, err error) {
	if err := tx.NewSelect().Model(&user).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
		return user, err
	}
	before := user
	if err := change(&user); err != nil {
		return user, err
	}
	if _, err := tx.NewUpdate().Model(&user).ExcludeColumn("last_sign_in_at", "created_at").WherePK().Exec(ctx); err != nil {
		if taken(err, "users_email") {
			return user, domain.Refuse(domain.Invalid, "email", "users.email_taken")
		}
		return user, err
	}
	if user.Blocked() && !before.Blocked() {
		if err := endRuns(ctx, tx, "owner_id", id, domain.ReasonBlocked); err != nil {
			return user, err
		}
	}
	if user.Blocked() != before.Blocked() {
		if err := changed(ctx, tx, "stats"); err != nil {
			return user, err
		}
	}
	if user.PasswordHash == before.PasswordHash && !user.Blocked() {
		return user, nil
	}
	_, err = tx.NewRaw(`DELETE FROM sessions WHERE user_id = ?`, id).Exec(ctx)
	return user, err
}

// DeleteUser erases the user and all that is his.
func (db *DB) DeleteUser(ctx context.Context, id int64) error {
	return db.InTx(ctx, func(tx Tx) error {
		for _, statement := range []string{
			`SELECT FROM runs WHERE owner_id = ? FOR UPDATE`, // which may be being planned
			// The two tables without a foreign key first.
			`DELETE FROM attempts USING runs WHERE runs.id = attempts.run_id AND runs.owner_id = ?`,
			`DELETE FROM deliveries USING runs WHERE runs.id = deliveries.run_id AND runs.owner_id = ?`,
			`DELETE FROM users WHERE id = ?`,
		} {
			if _, err := tx.NewRaw(statement, id).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// UserFilter narrows the list: Query stands in the name or the e-mail; an empty Role takes all,
// Blocked only those who are. Page counts from 1.
type UserFilter struct {
	Query   string
	Role    domain.Role
	Blocked bool
	Page    int
}

// UserRow is a user in a list, without his password.
type UserRow struct {
	domain.User
	Mailings, Clients int64
}

// Users is one page of the list, the newest first, and the number of all that match. Beyond the
// last page the last is answered.
func (db *DB) Users(ctx context.Context, f UserFilter) ([]UserRow, int, error) {
	rows := []UserRow{}
	found := db.bun.NewSelect().Model((*domain.User)(nil)).ExcludeColumn("password_hash")
	if f.Role != "" {
		found.Where("role = ?", f.Role)
	}
	if f.Blocked {
		found.Where("blocked_at IS NOT NULL")
	}
	if f.Query != "" {
		like := "%" + escapeLike(clean(f.Query)) + "%"
		found.Where("lower(email || E'\n' || name) LIKE lower(?)", like)
	}
	total, err := found.Count(ctx)
	if err != nil || total == 0 {
		return rows, 0, explain(err)
	}
	page := found.Order("id DESC").Limit(PageSize).Offset(int64(pageStart(f.Page, int(total))))
	err = db.withCounts(page).OrderExpr("page.id DESC").Scan(ctx, &rows)
	return rows, int(total), explain(err)
}

// UserRow is one user as a row of the list.
func (db *DB) UserRow(ctx context.Context, id int64) (row UserRow, err error) {
	one := db.bun.NewSelect().Model((*domain.User)(nil)).ExcludeColumn("password_hash").Where("id = ?", id)
	return row, explain(db.withCounts(one).Scan(ctx, &row))
}

// withCounts adds to the users on a page how much each has.
func (db *DB) withCounts(page *bun.SelectQuery) *bun.SelectQuery {
	return db.bun.NewSelect().TableExpr("(?) AS page", page).ColumnExpr("page.*").
		ColumnExpr("(SELECT count(*) FROM mailings WHERE owner_id = page.id AND deleted_at IS NULL) AS mailings").
		ColumnExpr("(SELECT coalesce(sum(clients), 0)::bigint FROM client_sets WHERE owner_id = page.id) AS clients")
}
