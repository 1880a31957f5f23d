package db

import (
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Signups are what visitors have typed into forms and not confirmed yet.
type Signups struct{ db *DB }

// Signups of this database.
func (db *DB) Signups() Signups { return Signups{db} }

// Keep keeps what a visitor sent, and queues the confirmation. Sent once more for the same address, the values of now
// take the place of those of before, and a mailbox that was asked lately is not asked again: the job is queued all the
// same, with nobody to write to, so that an observer can't tell.
func (ss Signups) Keep(ctx context.Context, form PublicForm, s domain.Signup) error {
	return ss.db.pg.InTx(ctx, func(tx Tx) error {
		job := domain.MailJob{Email: domain.MailSignup}
		known := []domain.Signup{}
		// Waits for another that is just kept: the index lets one in.
		inserted, err := tx.NewInsert().Model(&s).On("CONFLICT (form_id, lower(email)) WHERE confirmed_at IS NULL DO NOTHING").Returning("id").Exec(ctx)
		if err != nil {
			return err
		}
		if n, _ := inserted.RowsAffected(); n > 0 {
			job.SignupID = s.ID
		} else if err := tx.NewSelect().Model(&known).Where("form_id = ? AND lower(email) = lower(?) AND confirmed_at IS NULL", s.FormID, s.Email).
			For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		for _, before := range known {
			s.ID, s.CreatedAt, s.AskedAt = before.ID, before.CreatedAt, before.AskedAt
			if before.AskAgain(s.SentAt) {
				s.AskedAt, job.SignupID = time.Time{}, s.ID
			}
			if _, err := tx.NewUpdate().Model(&s).WherePK().Exec(ctx); err != nil {
				return err
			}
		}
		if err := countForm(ctx, tx, s.FormID, dayOf(form.Owner, s.SentAt), 1, 0, 0); err != nil {
			return err
		}
		return ss.db.pg.Enqueue(ctx, tx, job)
	})
}

// Question is a confirmation that is to be written.
type Question struct {
	domain.Signup
	Token  string // of the form
	Owner  domain.User
	From   domain.From
	Brand  domain.Brand
	Domain domain.SenderDomain // with its keys, where From names it
}

// Ask is what the confirmation of a sign-up needs, and marks the mailbox as asked; NotFound where there is nothing to
// ask any more. With a wait the mailbox has had one of another form lately.
func (ss Signups) Ask(ctx context.Context, id int64, now time.Time) (q Question, wait time.Duration, err error) {
	err = ss.db.pg.InTx(ctx, func(tx Tx) error {
		if err := tx.NewSelect().Model(&q.Signup).Where("id = ? AND confirmed_at IS NULL", id).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		var form domain.Form
		if err := tx.NewSelect().Model(&form).Where("id = ?", q.FormID).Scan(ctx); err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&q.Owner).Where("id = ? AND blocked_at IS NULL", q.OwnerID).Scan(ctx); err != nil {
			return err
		}
		if form.Closed() {
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		q.Token = form.Token
		if q.AskedAt.IsZero() {
			if wait, err = takeQuota(ctx, tx, now, domain.Asking(q.Email)); err != nil || wait > 0 {
				return err
			}
			q.AskedAt = now
			if _, err := tx.NewUpdate().Model(&q.Signup).Column("asked_at").WherePK().Exec(ctx); err != nil {
				return err
			}
		}
		return q.from(ctx, tx, form)
	})
	return q, wait, postgres.TranslateError(err)
}

// from is whom the confirmation is from.
func (q *Question) from(ctx context.Context, tx Tx, form domain.Form) (err error) {
	q.From, err = FromOf(ctx, tx, domain.Mailing{OwnerID: form.OwnerID, SenderID: form.SenderID})
	if err == nil {
		q.Brand, err = BrandOf(ctx, tx, form.OwnerID)
	}
	if err == nil && q.From.DomainID != 0 {
		err = tx.NewSelect().Model(&q.Domain).Where("id = ?", q.From.DomainID).Scan(ctx)
	}
	return err
}

// Get is one sign-up of a form.
func (ss Signups) Get(ctx context.Context, form, id int64) (s domain.Signup, err error) {
	err = ss.db.pg.Bun.NewSelect().Model(&s).Where("id = ? AND form_id = ?", id, form).Scan(ctx)
	return s, postgres.TranslateError(err)
}

// Confirmation is how a sign-up is confirmed.
type Confirmation struct {
	IP   string // shortened
	Bare bool   // with the address alone
	At   time.Time
}

// Confirm makes the client or completes the one that is there, and keeps the consent. Once more it changes nothing.
func (ss Signups) Confirm(ctx context.Context, form PublicForm, id int64, by Confirmation) error {
	return ss.db.pg.InTx(ctx, func(tx Tx) error {
		var s domain.Signup
		if err := tx.NewSelect().Model(&s).Where("id = ? AND form_id = ?", id, form.ID).For("UPDATE").Scan(ctx); err != nil || !s.Waits() {
			return err
		}
		client, fresh, err := subscribe(ctx, tx, s, form.Form, by)
		if err != nil {
			return err
		}
		if err := wishTopics(ctx, tx, client.ID, fresh, form.TopicIDs, s.TopicIDs); err != nil {
			return err
		}
		consent := domain.Consent{OwnerID: s.OwnerID, ClientID: client.ID, Kind: domain.ConsentForm, FormID: s.FormID, AgreementID: s.AgreementID,
			Topics: []string{}, Page: s.Page, IP: s.IP, ConfirmedIP: by.IP, SignedUpAt: s.SentAt, At: by.At, CreatedAt: by.At}
		for _, one := range form.OfferedTopics(form.Own.Topics) {
			if slices.Contains(s.TopicIDs, one.ID) {
				consent.Topics = append(consent.Topics, one.Name)
			}
		}
		if _, err := tx.NewInsert().Model(&consent).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw(`UPDATE signups SET confirmed_at = ?, client_id = ?, email = '', full_name = '', fields = '{}', page = '', ip = '' WHERE id = ?`,
			by.At, client.ID, s.ID).Exec(ctx)
		if err != nil {
			return err
		}
		if err := countForm(ctx, tx, s.FormID, dayOf(form.Owner, by.At), 0, 1, 0); err != nil {
			return err
		}
		return ss.db.changed(ctx, tx, "stats")
	})
}

// subscribe is the client of the sign-up's address, who gets emails from now on; a fresh one got none before.
func subscribe(ctx context.Context, tx Tx, s domain.Signup, form domain.Form, by Confirmation) (c domain.Client, fresh bool, err error) {
	made := domain.Client{OwnerID: s.OwnerID, Email: s.Email, Tags: []string{}, Source: domain.SourceForm, CreatedAt: by.At}
	inserted, err := tx.NewInsert().Model(&made).On("CONFLICT (owner_id, lower(email)) DO NOTHING").Returning("id").Exec(ctx)
	if err != nil {
		return c, false, err
	}
	if err := tx.NewSelect().Model(&c).Where("owner_id = ? AND lower(email) = lower(?)", s.OwnerID, s.Email).For("UPDATE").Scan(ctx); err != nil {
		return c, false, err
	}
	n, _ := inserted.RowsAffected()
	fresh = n > 0 || c.Suppressed()
	s.Complete(&c, form, by.Bare)
	if _, err := tx.NewUpdate().Model(&c).WherePK().Exec(ctx); err != nil {
		return c, fresh, err
	}
	return c, fresh, forgetOptOut(ctx, tx, s, c)
}

// forgetOptOut forgets that a client, or an address whose client was deleted, has left: whoever has it asks for emails
// again.
func forgetOptOut(ctx context.Context, tx Tx, s domain.Signup, c domain.Client) error {
	_, err := tx.Pgx.Exec(ctx, `DELETE FROM unsubscribes WHERE client_id = $1 AND (topic_id = 0 OR topic_id = ANY($2))`, c.ID, s.TopicIDs)
	if err != nil {
		return err
	}
	return forgetOptOutOf(ctx, tx, c.ID)
}

// wishTopics gives a client the chosen of the topics that a form offers. A fresh one leaves the others; whoever has had
// them so far keeps them.
func wishTopics(ctx context.Context, tx Tx, client int64, fresh bool, offered, chosen []int64) error {
	if len(offered) == 0 {
		return nil
	}
	leaves := offered
	if !fresh {
		leaves = []int64{}
	}
	_, err := tx.Pgx.Exec(ctx, `UPDATE clients SET left_topics = nullif(ARRAY(
			SELECT DISTINCT id FROM unnest(coalesce(left_topics, '{}') || $2::bigint[]) AS id WHERE id <> ALL($3::bigint[]) ORDER BY id
		), '{}') WHERE id = $1`, client, leaves, chosen)
	return err
}
