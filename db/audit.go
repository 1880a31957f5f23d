package db

import (
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Audit is the log of what managers and admins did.
type Audit struct{ db *DB }

// Audit of this database.
func (db *DB) Audit() Audit { return Audit{db} }

// AuditFilter narrows the log: Query stands in the actor, the object or the reason; an empty Act
// takes all.
type AuditFilter struct {
	Query string
	Act   domain.Act
	Page  Page
}

// List is one page of the log, the newest first, and the number of all that match.
func (a Audit) List(ctx context.Context, f AuditFilter) ([]domain.AuditEntry, int, error) {
	entries := []domain.AuditEntry{}
	query := a.db.pg.Bun.NewSelect().Table("audit").Column("id")
	if f.Act != "" {
		query.Where("act = ?", f.Act)
	}
	if f.Query != "" {
		like := "%" + escapeLike(clean(f.Query)) + "%"
		query.Where("lower(actor || E'\n' || object || E'\n' || reason) LIKE lower(?)", like)
	}
	total, err := countOf(ctx, a.db, query)
	if err != nil || total == 0 {
		return entries, 0, err
	}
	err = a.db.pg.Bun.NewSelect().Model(&entries).ModelTableExpr("audit AS audit_entry").
		Where("id IN (?)", f.Page.newest(query, total, "id")).Order("id DESC").Scan(ctx)
	return entries, total, postgres.TranslateError(err)
}

// Note writes what was done to the queue, which River does by itself.
func (a Audit) Note(ctx context.Context, by domain.User, entry domain.AuditEntry) error {
	return a.db.pg.InTx(ctx, func(tx Tx) error { return note(ctx, tx, by, entry) })
}

// note writes an act into the log, in the transaction that does it.
func note(ctx context.Context, tx Tx, by domain.User, entry domain.AuditEntry) error {
	entry.ActorID, entry.Actor = by.ID, by.Email
	_, err := tx.NewInsert().Model(&entry).ModelTableExpr("audit").Exec(ctx)
	return err
}

// Disable stops a mailing and its runs that are going on, and puts it into the log.
func (ms Mailings) Disable(ctx context.Context, by domain.User, id int64, reason string, now time.Time) (domain.Mailing, error) {
	return ms.oversee(ctx, by, id, domain.ActDisable, now, func(m *domain.Mailing) error { return m.Disable(by, reason, now) })
}

// Enable lifts what DisableMailing did, and puts it into the log.
func (ms Mailings) Enable(ctx context.Context, by domain.User, id int64, now time.Time) (domain.Mailing, error) {
	return ms.oversee(ctx, by, id, domain.ActEnable, now, func(m *domain.Mailing) error { return m.Enable(by) })
}

// oversee logs the act unless nothing was left to do.
func (ms Mailings) oversee(ctx context.Context, by domain.User, id int64, act domain.Act, now time.Time, change func(*domain.Mailing) error) (m domain.Mailing, err error) {
	err = ms.db.pg.InTx(ctx, func(tx Tx) error {
		disabled := false
		m, err = ms.update(ctx, tx, 0, id, func(m *domain.Mailing) error {
			disabled = m.Disabled()
			return change(m)
		})
		if err != nil || m.Disabled() == disabled {
			return err
		}
		return note(ctx, tx, by, domain.AuditEntry{At: now, Act: act, ObjectID: id, Object: m.Name, Reason: m.DisabledReason})
	})
	return m, err
}

// Block shuts an account, which ends its sessions and its runs that are going on, and puts
// it into the log.
func (us Users) Block(ctx context.Context, by domain.User, id int64, reason string, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Block(by, reason, now) })
}

// Unblock opens an account again, and puts it into the log.
func (us Users) Unblock(ctx context.Context, by domain.User, id int64, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Unblock(by) })
}

// Release lets the runs of a user go on that wait because of complaints, and puts it into the log.
func (us Users) Release(ctx context.Context, by domain.User, id int64, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Release(by, now) })
}

// Lift takes the limit of a new account away, and puts it into the log.
func (us Users) Lift(ctx context.Context, by domain.User, id int64, reason string, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Lift(by, reason, now) })
}

// Limit brings the limit of a new account back, and puts it into the log.
func (us Users) Limit(ctx context.Context, by domain.User, id int64, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Limit(by) })
}

// ApproveName lets a name pass that is like somebody else's, and puts it into the log.
func (us Users) ApproveName(ctx context.Context, by domain.User, id int64, reason string, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.ApproveName(by, reason, now) })
}

// HoldName takes that back, and puts it into the log.
func (us Users) HoldName(ctx context.Context, by domain.User, id int64, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.HoldName(by) })
}

// Verify takes the address of a user for confirmed, and puts it into the log.
func (us Users) Verify(ctx context.Context, by domain.User, id int64, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.Verify(by, now) })
}

// GiveRole changes a user's role, and puts it into the log. The command line is an admin without
// an id.
func (us Users) GiveRole(ctx context.Context, by domain.User, id int64, role domain.Role, now time.Time) (domain.User, error) {
	return us.oversee(ctx, by, id, now, func(by domain.User, u *domain.User) error { return u.GiveRole(by, role) })
}

// oversee lets change act on a user, and logs what it did. The actor is read again: of two
// admins who take each other's role only the first succeeds.
func (us Users) oversee(ctx context.Context, by domain.User, id int64, now time.Time, change func(by domain.User, user *domain.User) error) (user domain.User, err error) {
	err = us.db.pg.InTx(ctx, func(tx Tx) error {
		if by.ID != 0 {
			if by, err = lockActor(ctx, tx, by.ID, id); err != nil {
				return err
			}
		}
		var before domain.User
		user, err = us.update(ctx, tx, id, func(user *domain.User) error {
			before = *user
			return change(by, user)
		})
		if err != nil {
			return err
		}
		act, reason := domain.ActOf(before, user)
		if act == "" {
			return nil
		}
		return note(ctx, tx, by, domain.AuditEntry{At: now, Act: act, ObjectID: id, Object: user.Email, Reason: reason})
	})
	return user, err
}

// lockActor reads the acting user, and locks both users in the order of their ids, so
// that two who act on each other take turns.
func lockActor(ctx context.Context, tx Tx, actor, user int64) (domain.User, error) {
	var both []domain.User
	err := tx.NewSelect().Model(&both).Where("id IN ?", bun.Tuple([]int64{actor, user})).
		Order("id").For("NO KEY UPDATE").Scan(ctx)
	if err != nil {
		return domain.User{}, err
	}
	at := slices.IndexFunc(both, func(u domain.User) bool { return u.ID == actor && !u.Blocked() })
	if at < 0 {
		return domain.User{}, domain.Errorf(domain.Unauthenticated, "", "errors.unauthenticated")
	}
	return both[at], nil
}
