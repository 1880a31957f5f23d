package db

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Forms are the pages through which people become clients, each one owner's.
type Forms struct{ db *DB }

// Forms of this database.
func (db *DB) Forms() Forms { return Forms{db} }

// FormRow is a form with its sums of all days.
type FormRow struct {
	domain.Form
	Signups, Confirmed, Waiting int
}

const formSums = `(SELECT coalesce(sum(signups), 0) FROM form_days WHERE form_id = form.id) AS signups,
	(SELECT coalesce(sum(confirmed), 0) FROM form_days WHERE form_id = form.id) AS confirmed,
	(SELECT count(*) FROM signups WHERE form_id = form.id AND confirmed_at IS NULL) AS waiting`

// List are the owner's forms, the newest first.
func (fs Forms) List(ctx context.Context, owner int64) ([]FormRow, error) {
	rows := []FormRow{}
	err := fs.db.pg.Bun.NewSelect().TableExpr("forms AS form").ColumnExpr("form.*").ColumnExpr(formSums).
		Where("form.owner_id = ?", owner).OrderExpr("form.id DESC").Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Get is one form of the owner.
func (fs Forms) Get(ctx context.Context, owner, id int64) (row FormRow, err error) {
	err = fs.db.pg.Bun.NewSelect().TableExpr("forms AS form").ColumnExpr("form.*").ColumnExpr(formSums).
		Where("form.id = ? AND form.owner_id = ?", id, owner).Scan(ctx, &row)
	return row, postgres.TranslateError(err)
}

// PublicForm is a form as visitors see it, with what it asks for.
type PublicForm struct {
	domain.Form
	Owner domain.User
	Own   domain.FormChoices
}

// ByToken is the form at a public address; there is none of an owner who is blocked.
func (fs Forms) ByToken(ctx context.Context, token string) (form PublicForm, err error) {
	err = fs.db.pg.Bun.NewSelect().Model(&form.Form).Where("token = ?", strings.ToLower(token)).Scan(ctx)
	if err == nil {
		err = fs.db.pg.Bun.NewSelect().Model(&form.Owner).Where("id = ? AND blocked_at IS NULL", form.OwnerID).Scan(ctx)
	}
	if err != nil {
		return form, postgres.TranslateError(err)
	}
	form.Own, err = fs.Choices(ctx, form.OwnerID)
	return form, err
}

// Choices are what the owner may have in a form.
func (fs Forms) Choices(ctx context.Context, owner int64) (own domain.FormChoices, err error) {
	if own.Fields, err = fs.db.Fields().List(ctx, owner); err != nil {
		return own, err
	}
	own.Topics, err = fs.db.Topics().List(ctx, owner)
	return own, err
}

// Create saves a new form of f.OwnerID.
func (fs Forms) Create(ctx context.Context, f *domain.Form) error {
	return fs.db.pg.InTx(ctx, func(tx Tx) error {
		// One at a time, so that the limit holds.
		if _, err := tx.NewRaw(`SELECT FROM users WHERE id = ? FOR NO KEY UPDATE`, f.OwnerID).Exec(ctx); err != nil {
			return err
		}
		n, err := tx.NewSelect().Table("forms").Where("owner_id = ?", f.OwnerID).Count(ctx)
		if err != nil {
			return err
		}
		if n >= domain.MaxForms {
			return domain.Errorf(domain.Conflict, "", "forms.many", "Max", domain.MaxForms)
		}
		if err := checkFormSender(ctx, tx, *f); err != nil {
			return err
		}
		f.Token = strings.ToLower(rand.Text())
		if _, err := tx.NewInsert().Model(f).Returning("id, created_at").Exec(ctx); err != nil {
			return err
		}
		return agree(ctx, tx, f)
	})
}

// checkFormSender refuses a sender that is not the owner's.
func checkFormSender(ctx context.Context, tx Tx, f domain.Form) error {
	if f.SenderID == 0 {
		return nil
	}
	known, err := tx.NewSelect().Table("senders").Where("id = ? AND owner_id = ?", f.SenderID, f.OwnerID).Exists(ctx)
	if err == nil && !known {
		err = domain.Errorf(domain.Invalid, "sender_id", "senders.unknown")
	}
	return err
}

// agree keeps a new version of what people agree to.
func agree(ctx context.Context, tx Tx, f *domain.Form) error {
	err := tx.NewRaw(`INSERT INTO form_agreements (owner_id, form_id, version, form_name, form_text, agreement)
		SELECT ?0, ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4 FROM form_agreements WHERE form_id = ?1 RETURNING id`,
		f.OwnerID, f.ID, f.Name, f.Text, f.Agreement).Scan(ctx, &f.AgreementID)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`UPDATE forms SET agreement_id = ? WHERE id = ?`, f.AgreementID, f.ID).Exec(ctx)
	return err
}

// Update lets change work on the locked form and saves what it made of it.
func (fs Forms) Update(ctx context.Context, owner, id int64, change func(*domain.Form) error) (f domain.Form, err error) {
	err = fs.db.pg.InTx(ctx, func(tx Tx) error {
		if err := tx.NewSelect().Model(&f).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		before := f
		if err := change(&f); err != nil {
			return err
		}
		if f.SenderID != before.SenderID {
			if err := checkFormSender(ctx, tx, f); err != nil {
				return err
			}
		}
		if _, err := tx.NewUpdate().Model(&f).WherePK().Exec(ctx); err != nil {
			return err
		}
		if f.Agreed() == before.Agreed() {
			return nil
		}
		return agree(ctx, tx, &f)
	})
	return f, postgres.TranslateError(err)
}

// Delete deletes a form with what waits in it. Its clients and the proofs of their consent stay.
func (fs Forms) Delete(ctx context.Context, owner, id int64) error {
	gone, err := fs.db.pg.Bun.NewDelete().Table("forms").Where("id = ? AND owner_id = ?", id, owner).Exec(ctx)
	if err != nil {
		return postgres.TranslateError(err)
	}
	if n, _ := gone.RowsAffected(); n == 0 {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return nil
}

// FormDay is what came through a form on one day.
type FormDay struct {
	Day                                  time.Time
	Signups, Confirmed, Waiting, Refused int
}

// formDaysMost is how many days a page shows.
const formDaysMost = 30

// Days are the last days on which anything came, the latest first, in the zone of the owner.
func (fs Forms) Days(ctx context.Context, form int64, zone *time.Location) ([]FormDay, error) {
	days := []FormDay{}
	err := fs.db.pg.Bun.NewRaw(`SELECT d.day, signups, confirmed, refused, coalesce(waits.n, 0) AS waiting FROM form_days AS d LEFT JOIN (
			SELECT (sent_at AT TIME ZONE ?0)::date AS day, count(*) AS n FROM signups WHERE form_id = ?1 AND confirmed_at IS NULL GROUP BY 1
		) AS waits ON waits.day = d.day WHERE form_id = ?1 ORDER BY d.day DESC LIMIT ?2`, zone.String(), form, formDaysMost).Scan(ctx, &days)
	return days, postgres.TranslateError(err)
}

// LatestSignup is one of the last through a form.
type LatestSignup struct {
	Email    string // of a client, or masked by whoever shows it
	ClientID int64  // 0: it waits, or the client was deleted
	Waits    bool
	At       time.Time
}

// formLatestMost is how many of the last a page shows.
const formLatestMost = 10

// Latest are the last who sent the form, those who confirmed by their confirmation.
func (fs Forms) Latest(ctx context.Context, form int64) ([]LatestSignup, error) {
	waiting, done := []LatestSignup{}, []LatestSignup{}
	err := fs.db.pg.Bun.NewRaw(`SELECT email, true AS waits, sent_at AS at FROM signups WHERE form_id = ? AND confirmed_at IS NULL
		ORDER BY sent_at DESC, id DESC LIMIT ?`, form, formLatestMost).Scan(ctx, &waiting)
	if err == nil {
		err = fs.db.pg.Bun.NewRaw(`SELECT client.email, client.id AS client_id, consent.at FROM consents AS consent
			JOIN clients AS client ON client.id = consent.client_id WHERE consent.form_id = ? ORDER BY consent.id DESC LIMIT ?`, form, formLatestMost).Scan(ctx, &done)
	}
	list := slices.Concat(waiting, done)
	slices.SortStableFunc(list, func(a, b LatestSignup) int { return b.At.Compare(a.At) })
	return list[:min(len(list), formLatestMost)], postgres.TranslateError(err)
}

// countForm adds to the sums of a day.
func countForm(ctx context.Context, tx Tx, form int64, day string, signups, confirmed, refused int) error {
	_, err := tx.NewRaw(`INSERT INTO form_days AS d (form_id, day, signups, confirmed, refused) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (form_id, day) DO UPDATE SET signups = d.signups + excluded.signups, confirmed = d.confirmed + excluded.confirmed,
		refused = d.refused + excluded.refused`, form, day, signups, confirmed, refused).Exec(ctx)
	return err
}

// Refused counts a sign-up that was taken for a program's, or that was one too many.
func (fs Forms) Refused(ctx context.Context, form PublicForm, now time.Time) error {
	return fs.db.pg.InTx(ctx, func(tx Tx) error {
		return countForm(ctx, tx, form.ID, dayOf(form.Owner, now), 0, 0, 1)
	})
}

// dayOf is the day of the owner's calendar.
func dayOf(owner domain.User, now time.Time) string {
	return now.In(owner.Location()).Format(time.DateOnly)
}
