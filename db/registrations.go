package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Registrations are what forms said before the mailbox was confirmed.
type Registrations struct{ db *DB }

// Registrations of this database.
func (db *DB) Registrations() Registrations { return Registrations{db} }

// Create keeps a registration and queues its email. Whether the address has an account already
// is seen by the worker that writes the email, so that an observer can't tell.
func (r Registrations) Create(ctx context.Context, registration domain.Registration, now time.Time) error {
	return r.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(&registration).Returning("id").Exec(ctx); err != nil {
			return err
		}
		job := domain.MailJob{Email: domain.MailVerify, RegistrationID: registration.ID}
		return mailWithin(ctx, r.db, tx, now, domain.Invitation(registration.Email), job)
	})
}

// Prune drops what strangers typed whose links have run out: registrations, of which one that was asked for again
// has a newer link, new addresses, and counters.
func (r Registrations) Prune(ctx context.Context, now time.Time) error {
	return r.db.pg.InTx(ctx, func(tx Tx) error {
		for _, statement := range []string{
			`DELETE FROM tokens WHERE expires_at <= ?1`,
			`DELETE FROM registrations r WHERE created_at < ?0 AND NOT EXISTS (SELECT FROM tokens WHERE registration_id = r.id)`,
			`DELETE FROM email_changes c WHERE created_at < ?0 AND NOT EXISTS (SELECT FROM tokens WHERE change_id = c.id)`,
			`DELETE FROM signups WHERE sent_at < ?2`,
			`DELETE FROM quotas WHERE ends_at <= ?1`,
		} {
			if _, err := tx.NewRaw(statement, now.Add(-domain.TokenVerify.Life()), now, now.Add(-domain.SignupLife)).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// mailWithin queues an email. When the quota of its mailbox is used up the job is queued all the same, with
// nobody to write to, so that an observer can't tell.
func mailWithin(ctx context.Context, db *DB, tx Tx, now time.Time, quota domain.Quota, job domain.MailJob) error {
	wait, err := takeQuota(ctx, tx, now, quota)
	if err != nil {
		return err
	}
	if wait > 0 {
		job = domain.MailJob{Email: job.Email}
	}
	return db.pg.Enqueue(ctx, tx, job)
}

// Get is one registration by id.
func (r Registrations) Get(ctx context.Context, id int64) (registration domain.Registration, err error) {
	err = r.db.pg.Bun.NewSelect().Model(&registration).Where("id = ?", id).Scan(ctx)
	return registration, postgres.TranslateError(err)
}

// pendingMost is how many registrations a page shows.
const pendingMost = 50

// Pending are the newest registrations of addresses without an account, each address once, and how many there are, as
// far as CountMost. Query stands in the name or the address.
func (r Registrations) Pending(ctx context.Context, query string) (list []domain.Registration, total int, err error) {
	found := r.db.pg.Bun.NewSelect().Model(&list).
		Where("NOT EXISTS (SELECT FROM registrations AS newer WHERE lower(newer.email) = lower(registration.email) AND newer.id > registration.id)").
		Where("NOT EXISTS (SELECT FROM users WHERE lower(users.email) = lower(registration.email) OR users.id = registration.id)")
	if query != "" {
		found.Where("lower(registration.email || E'\n' || registration.name) LIKE lower(?)", "%"+escapeLike(clean(query))+"%")
	}
	if total, err = countOf(ctx, r.db, found); err != nil || total == 0 {
		return nil, 0, err
	}
	err = found.OrderExpr("registration.id DESC").Limit(pendingMost).Scan(ctx)
	return list, total, postgres.TranslateError(err)
}

// Accept makes the account of a registration whose mailbox an admin takes for confirmed, and puts it into the log. Other
// registrations of the address end.
func (r Registrations) Accept(ctx context.Context, by domain.User, id int64, passwordHash string, now time.Time) (user domain.User, err error) {
	err = r.db.pg.InTx(ctx, func(tx Tx) error {
		if by, err = lockActor(ctx, tx, by.ID, 0); err != nil {
			return err
		}
		var registration domain.Registration
		if err := tx.NewSelect().Model(&registration).Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		user = registration.User(passwordHash, now)
		user.ID = registration.ID
		if err := user.Verify(by, now); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&user).Returning("created_at").Exec(ctx)
		if postgres.IsUniqueViolation(err, "users_email") {
			return domain.Errorf(domain.Conflict, "", "account.email_taken")
		}
		if err != nil {
			return err
		}
		if _, err := tx.NewRaw(`DELETE FROM registrations WHERE lower(email) = lower(?)`, user.Email).Exec(ctx); err != nil {
			return err
		}
		return note(ctx, tx, by, domain.AuditEntry{At: now, Act: domain.ActVerify, ObjectID: user.ID, Object: user.Email})
	})
	return user, postgres.TranslateError(err)
}

// MailAgain queues the email of the newest registration of the address, or, where it has an
// account, one that says so. Of any other address the job has nobody to write to: it is queued all
// the same, so that an observer can't tell.
func (r Registrations) MailAgain(ctx context.Context, email string, now time.Time) error {
	return r.db.pg.InTx(ctx, func(tx Tx) error {
		job := domain.MailJob{Email: domain.MailVerify}
		err := tx.NewRaw(`SELECT (SELECT coalesce(max(id), 0) FROM users WHERE lower(email) = lower(?0)),
			(SELECT coalesce(max(id), 0) FROM registrations WHERE lower(email) = lower(?0))`, email).
			Scan(ctx, &job.UserID, &job.RegistrationID)
		if err != nil {
			return err
		}
		if job.UserID != 0 {
			job = domain.MailJob{Email: domain.MailKnown, UserID: job.UserID}
		}
		return mailWithin(ctx, r.db, tx, now, domain.Invitation(email), job)
	})
}

// MailReset queues the email with the link to a new password. Of an address without an account the
// job has nobody to write to, as with MailAgain.
func (us Users) MailReset(ctx context.Context, email string, now time.Time) error {
	return us.db.pg.InTx(ctx, func(tx Tx) error {
		job := domain.MailJob{Email: domain.MailReset}
		err := tx.NewRaw(`SELECT coalesce(max(id), 0) FROM users WHERE lower(email) = lower(?)`, email).Scan(ctx, &job.UserID)
		if err != nil {
			return err
		}
		return mailWithin(ctx, us.db, tx, now, domain.Resetting(email), job)
	})
}

// ByToken is what the link confirms; NotFound when it was used or ran out.
func (r Registrations) ByToken(ctx context.Context, hash []byte, now time.Time) (registration domain.Registration, err error) {
	err = r.db.pg.Bun.NewRaw(`SELECT r.* FROM tokens t JOIN registrations r ON r.id = t.registration_id
		WHERE t.hash = ? AND t.expires_at > ?`, hash, now).Scan(ctx, &registration)
	return registration, postgres.TranslateError(err)
}

// Confirm makes the account that the link confirms. All other registrations of the address end.
// NotFound when the link was used or ran out, or the address has an account meanwhile.
func (r Registrations) Confirm(ctx context.Context, hash []byte, passwordHash string, now time.Time) (user domain.User, err error) {
	err = r.db.pg.InTx(ctx, func(tx Tx) error {
		var registration domain.Registration
		err := tx.NewRaw(`SELECT r.* FROM tokens t JOIN registrations r ON r.id = t.registration_id
			WHERE t.hash = ? AND t.expires_at > ?`, hash, now).Scan(ctx, &registration)
		if err != nil {
			return err
		}
		// Of several links that are used at once, the index of the addresses lets one through.
		user = registration.User(passwordHash, now)
		_, err = tx.NewInsert().Model(&user).Returning("id, created_at").Exec(ctx)
		if postgres.IsUniqueViolation(err, "users_email") {
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM registrations WHERE lower(email) = lower(?)`, user.Email).Exec(ctx)
		return err
	})
	return user, err
}
