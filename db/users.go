package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Users are people with an account.
type Users struct{ db *DB }

// Users of this database.
func (db *DB) Users() Users { return Users{db} }

// Create keeps a new user who did not register, but was made by the command line, and puts
// it into the log.
func (us Users) Create(ctx context.Context, user *domain.User) error {
	return us.CreateBy(ctx, domain.User{}, user)
}

// CreateBy is Create by an admin.
func (us Users) CreateBy(ctx context.Context, by domain.User, user *domain.User) error {
	return us.db.pg.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewInsert().Model(user).Returning("id, created_at").Exec(ctx)
		if postgres.IsUniqueViolation(err, "users_email") {
			return domain.Errorf(domain.Invalid, "email", "account.email_taken")
		}
		if err != nil {
			return err
		}
		return note(ctx, tx, by, domain.AuditEntry{At: user.CreatedAt, Act: domain.ActCreate, ObjectID: user.ID, Object: user.Email})
	})
}

// Get is one user by id.
func (us Users) Get(ctx context.Context, id int64) (user domain.User, err error) {
	err = us.db.pg.Bun.NewSelect().Model(&user).Where("id = ?", id).Scan(ctx)
	return user, postgres.TranslateError(err)
}

// ByEmail is the user with the address, whatever its case.
func (us Users) ByEmail(ctx context.Context, email string) (user domain.User, err error) {
	err = us.db.pg.Bun.NewSelect().Model(&user).Where("lower(email) = lower(?)", email).Scan(ctx)
	return user, postgres.TranslateError(err)
}

// Update loads the user, lets change apply a rule, and saves what came of it. When the password changed
// or the user is blocked, all sessions end; a block also ends the runs that are going on. Links to a new
// password end with the old password, and with the old address.
func (us Users) Update(ctx context.Context, id int64, change func(*domain.User) error) (user domain.User, err error) {
	err = us.db.pg.InTx(ctx, func(tx Tx) error {
		user, err = us.update(ctx, tx, id, change)
		return err
	})
	return user, err
}

// update locks less than UPDATE would: only the key has to stay for others to refer to it.
func (us Users) update(ctx context.Context, tx Tx, id int64, change func(*domain.User) error) (user domain.User, err error) {
	if err := tx.NewSelect().Model(&user).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
		return user, err
	}
	before := user
	if err := change(&user); err != nil {
		return user, err
	}
	if _, err := tx.NewUpdate().Model(&user).ExcludeColumn("last_sign_in_at", "created_at").WherePK().Exec(ctx); err != nil {
		if postgres.IsUniqueViolation(err, "users_email") {
			return user, domain.Errorf(domain.Invalid, "email", "account.email_taken")
		}
		return user, err
	}
	return user, us.follow(ctx, tx, before, user)
}

// follow does what follows from a change of the user.
func (us Users) follow(ctx context.Context, tx Tx, before, user domain.User) error {
	id := user.ID
	if user.Blocked() && !before.Blocked() {
		if err := endRuns(ctx, tx, postgres.RunsChanged{OwnerID: id}, domain.ReasonBlocked); err != nil {
			return err
		}
	}
	if user.Blocked() != before.Blocked() {
		if err := us.db.changed(ctx, tx, "stats"); err != nil {
			return err
		}
	}
	if user.PasswordHash != before.PasswordHash || user.Email != before.Email {
		if err := dropTokens(ctx, tx, id, domain.TokenReset); err != nil {
			return err
		}
	}
	if before.Held() && !user.Held() {
		if err := resumeOwner(ctx, tx, id); err != nil {
			return err
		}
	}
	if user.PasswordHash == before.PasswordHash && !user.Blocked() {
		return nil
	}
	_, err := tx.NewRaw(`DELETE FROM sessions WHERE user_id = ?`, id).Exec(ctx)
	return err
}

// Delete deletes the user with everything they own.
func (us Users) Delete(ctx context.Context, id int64) error {
	return us.db.pg.InTx(ctx, func(tx Tx) error { return deleteUser(ctx, tx, id) })
}

// DeleteBy is Delete by an admin, and puts it into the log.
func (us Users) DeleteBy(ctx context.Context, by domain.User, id int64, now time.Time) (user domain.User, err error) {
	err = us.db.pg.InTx(ctx, func(tx Tx) error {
		if by, err = lockActor(ctx, tx, by.ID, id); err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&user).Where("id = ?", id).Scan(ctx); err != nil {
			return err
		}
		if err := user.Remove(by); err != nil {
			return err
		}
		// Before the deletion, which turns the address into a hash here, too.
		if err := note(ctx, tx, by, domain.AuditEntry{At: now, Act: domain.ActDelete, ObjectID: id, Object: user.Email}); err != nil {
			return err
		}
		return deleteUser(ctx, tx, id)
	})
	return user, postgres.TranslateError(err)
}

func deleteUser(ctx context.Context, tx Tx, id int64) error {
	if err := eraseUser(ctx, tx, id); err != nil {
		return err
	}
	for _, statement := range []string{
		`SELECT FROM runs WHERE owner_id = ? FOR UPDATE`, // which may be being planned
		// The tables without a foreign key first.
		`DELETE FROM returns USING runs WHERE runs.id = returns.run_id AND runs.owner_id = ?`,
		`DELETE FROM bounces USING runs WHERE runs.id = bounces.run_id AND runs.owner_id = ?`,
		`DELETE FROM visits USING runs WHERE runs.id = visits.run_id AND runs.owner_id = ?`,
		`DELETE FROM attempts USING runs WHERE runs.id = attempts.run_id AND runs.owner_id = ?`,
		`DELETE FROM deliveries USING runs WHERE runs.id = deliveries.run_id AND runs.owner_id = ?`,
		`DELETE FROM holdout_clients USING mailings WHERE mailings.id = holdout_clients.mailing_id AND mailings.owner_id = ?`,
		`DELETE FROM users WHERE id = ?`,
	} {
		if _, err := tx.NewRaw(statement, id).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// UserFilter narrows the list: Query stands in the name or the e-mail; an empty Role takes all,
// Blocked and Held only those who are.
type UserFilter struct {
	Query   string
	Role    domain.Role
	Blocked bool
	Held    bool
	Waiting bool // only those with a run that waits for the limit of new accounts
	Page    Page
	Sort    string // one of UserSorts; "": the newest first
}

// UserSorts are what a list of users can be sorted by, besides its age: SQL by name. Such a list is counted to its page.
func UserSorts() map[string]string {
	return map[string]string{
		"name":     `lower("user".name)`,
		"last":     `"user".last_sign_in_at DESC NULLS LAST`,
		"mailings": `(SELECT count(*) FROM mailings WHERE owner_id = "user".id AND deleted_at IS NULL) DESC`,
		"clients":  `(SELECT coalesce(sum(clients), 0) FROM tag_counts WHERE owner_id = "user".id) DESC`,
	}
}

// UserRow is a user in a list, without the password.
type UserRow struct {
	domain.User
	Mailings, Clients int64
	Waiting           bool  // a run waits for the limit of new accounts
	Place             int64 `bun:",scanonly"` // in a list that is sorted
}

// List is one page of the list, the newest first, and the number of all that match.
func (us Users) List(ctx context.Context, f UserFilter) ([]UserRow, int, error) {
	rows := []UserRow{}
	found := us.db.pg.Bun.NewSelect().Model((*domain.User)(nil)).ExcludeColumn("password_hash")
	if f.Role != "" {
		found.Where("role = ?", f.Role)
	}
	if f.Blocked {
		found.Where("blocked_at IS NOT NULL")
	}
	if f.Held {
		found.Where("held_at IS NOT NULL")
	}
	if f.Waiting {
		found.Where("EXISTS (SELECT FROM runs WHERE owner_id = \"user\".id AND status = 'running' AND reason = ?)", domain.ReasonWarmUp)
	}
	if f.Query != "" {
		like := "%" + escapeLike(clean(f.Query)) + "%"
		found.Where("lower(email || E'\n' || name) LIKE lower(?)", like)
	}
	total, err := countOf(ctx, us.db, found)
	if err != nil || total == 0 {
		return rows, 0, err
	}
	by, sorted := UserSorts()[f.Sort]
	if sorted {
		found.ColumnExpr("row_number() OVER (ORDER BY " + by + `, "user".id DESC) AS place`).
			OrderExpr("place").Limit(PageSize).Offset(int64(pageStart(f.Page.Number, total)))
		by = "page.place"
	} else {
		by, found = "page.id DESC", f.Page.newest(found, total, "id")
	}
	err = us.withCounts(found).OrderExpr(by).Scan(ctx, &rows)
	return rows, total, postgres.TranslateError(err)
}

// HeldCount is how many wait for a manager because of complaints.
func (us Users) HeldCount(ctx context.Context) (int, error) {
	n, err := us.db.pg.Bun.NewSelect().Model((*domain.User)(nil)).Where("held_at IS NOT NULL").Count(ctx)
	return int(n), postgres.TranslateError(err)
}

// Row is one user as a row of the list.
func (us Users) Row(ctx context.Context, id int64) (row UserRow, err error) {
	one := us.db.pg.Bun.NewSelect().Model((*domain.User)(nil)).ExcludeColumn("password_hash").Where("id = ?", id)
	return row, postgres.TranslateError(us.withCounts(one).Scan(ctx, &row))
}

// withCounts adds to the users on a page how much each has.
func (us Users) withCounts(page *bun.SelectQuery) *bun.SelectQuery {
	return us.db.pg.Bun.NewSelect().TableExpr("(?) AS page", page).ColumnExpr("page.*").
		ColumnExpr("EXISTS (SELECT FROM runs WHERE owner_id = page.id AND status = 'running' AND reason = ?) AS waiting", domain.ReasonWarmUp).
		ColumnExpr("(SELECT count(*) FROM mailings WHERE owner_id = page.id AND deleted_at IS NULL) AS mailings").
		ColumnExpr("(SELECT coalesce(sum(clients), 0)::bigint FROM tag_counts WHERE owner_id = page.id) AS clients")
}
