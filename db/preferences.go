package db

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// HasPreferences are the clients of the index clients_preferences, few of all. A query that names it finds them by it.
const HasPreferences = "(left_topics IS NOT NULL OR paused_until IS NOT NULL OR frequency IS NOT NULL)"

// SkipReason is why a client (as `client`) gets no email of the topic ?0 (0: none) in a run of the time ?1, NULL when it
// does. Of two runs at almost the same time of the day a week apart both go out, over a change of clocks too. An email
// that was never accepted takes nobody's turn.
const SkipReason = `CASE WHEN client.suppressed_at IS NOT NULL THEN client.suppressed_reason
	WHEN ?0 = ANY(client.left_topics) THEN 'topic'
	WHEN client.paused_until > now() THEN 'paused'
	WHEN client.frequency IS NOT NULL AND client.last_run_at + CASE client.frequency WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END
			> ?1::timestamptz + interval '3 hours'
		AND EXISTS (SELECT FROM deliveries WHERE run_id = client.last_run_id AND client_id = client.id AND outcome IN ('queued', 'deferred', 'accepted'))
		THEN 'frequency' END`

// Preferences are what clients say themselves, behind the links in emails.
type Preferences struct{ db *DB }

// Preferences of this database.
func (db *DB) Preferences() Preferences { return Preferences{db} }

// Recipient is what the page behind the link in an email shows.
type Recipient struct {
	domain.Preferences
	ID, OwnerID              int64
	Email                    string
	OwnerName, OwnerLanguage string
	SuppressedReason         domain.Suppression
	CreatedAt                time.Time
	Imported                 bool           // came with a list
	AgreedAt                 time.Time      `bun:",nullzero"` // when it signed up by itself
	LeftFor                  string         // why, when it is unsubscribed
	Topics                   []domain.Topic `bun:"-"` // the owner's
}

// Get is the client that a link means; NotFound when it was deleted.
func (ps Preferences) Get(ctx context.Context, clientID int64) (who Recipient, err error) {
	err = ps.db.pg.Bun.NewSelect().TableExpr("clients AS client").
		ColumnExpr("client.id, client.owner_id, client.email, client.suppressed_reason, client.created_at, client.import_id IS NOT NULL AS imported").
		ColumnExpr("client.left_topics, client.paused_until, client.frequency, owner.name AS owner_name, owner.language AS owner_language").
		ColumnExpr("(SELECT min(at) FROM consents WHERE client_id = client.id AND kind = 'form') AS agreed_at").
		ColumnExpr("coalesce((SELECT reason FROM unsubscribes WHERE client_id = client.id AND topic_id = 0), '') AS left_for").
		Join("JOIN users AS owner ON owner.id = client.owner_id").Where("client.id = ?", clientID).Scan(ctx, &who)
	if err == nil {
		who.Topics, err = ps.db.Topics().List(ctx, who.OwnerID)
	}
	return who, postgres.TranslateError(err)
}

// Change lets change work on the preferences of the locked client and the topics of its owner, and saves what it made of
// them. What is about to leave against them is kept back.
func (ps Preferences) Change(ctx context.Context, link domain.RecipientLink, change func(*domain.Preferences, []domain.Topic) error) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		var who Recipient
		err := tx.NewSelect().TableExpr("clients").Column("owner_id", "left_topics", "paused_until", "frequency").
			Where("id = ?", link.ClientID).For("NO KEY UPDATE").Scan(ctx, &who)
		if err != nil {
			return postgres.TranslateError(err)
		}
		topics := []domain.Topic{}
		if err := tx.NewSelect().Model(&topics).Where("owner_id = ?", who.OwnerID).Order("id").Scan(ctx); err != nil {
			return err
		}
		before := who.Preferences
		if err := change(&who.Preferences, topics); err != nil {
			return err
		}
		_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET left_topics = nullif($2::bigint[], '{}'), paused_until = $3, frequency = nullif($4, '') WHERE id = $1`,
			link.ClientID, who.LeftTopics, nullTime(who.PausedUntil), string(who.Frequency))
		if err != nil {
			return err
		}
		if who.Frequency != "" && before.Frequency == "" {
			if err := noteLastRun(ctx, tx, link.ClientID, who.OwnerID); err != nil {
				return err
			}
		}
		if err := noteTopics(ctx, tx, link, who.OwnerID, before.LeftTopics, who.LeftTopics); err != nil {
			return err
		}
		if who.PausedUntil.After(before.PausedUntil) {
			return tx.Notify(ctx, postgres.ClientSuppressed{ClientID: link.ClientID})
		}
		return nil
	})
}

// nullTime is NULL for the zero time.
func nullTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// noteLastRun finds what a client got within the last month, from which on its turns are counted. It looks into as many
// runs as the owner had in that time, each by the index of its deliveries.
func noteLastRun(ctx context.Context, tx Tx, client, owner int64) error {
	_, err := tx.Pgx.Exec(ctx, `UPDATE clients SET last_run_id = run.id, last_run_at = run.scheduled_at
		FROM (SELECT run.id, run.scheduled_at FROM runs AS run JOIN deliveries AS d ON d.run_id = run.id AND d.client_id = $1
			WHERE run.owner_id = $2 AND run.scheduled_at > now() - interval '32 days' AND d.outcome IN ('queued', 'deferred', 'accepted')
			ORDER BY run.id DESC LIMIT 1) AS run
		WHERE clients.id = $1`, client, owner)
	return err
}

// noteTopics keeps by which run topics were left, and keeps back their emails.
func noteTopics(ctx context.Context, tx Tx, link domain.RecipientLink, owner int64, before, after []int64) error {
	for _, topic := range after {
		if slices.Contains(before, topic) {
			continue
		}
		if err := noteLeft(ctx, tx, link, owner, topic, "", ""); err != nil {
			return err
		}
		if err := tx.Notify(ctx, postgres.ClientSuppressed{ClientID: link.ClientID, TopicID: topic}); err != nil {
			return err
		}
	}
	_, err := tx.Pgx.Exec(ctx, `DELETE FROM unsubscribes WHERE client_id = $1 AND topic_id <> 0 AND NOT topic_id = ANY($2)`, link.ClientID, after)
	return err
}

// noteLeft keeps that a client left a topic (0: everything), and by the email of which run if it got one of it.
func noteLeft(ctx context.Context, tx Tx, link domain.RecipientLink, owner, topic int64, reason domain.LeaveReason, before domain.Suppression) error {
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO unsubscribes (client_id, topic_id, owner_id, run_id, reason, before)
		VALUES ($1, $2, $3, (SELECT run_id FROM deliveries WHERE run_id = $4 AND client_id = $1), $5, $6)
		ON CONFLICT (client_id, topic_id) DO UPDATE SET reason = CASE WHEN excluded.reason = '' THEN unsubscribes.reason ELSE excluded.reason END`,
		link.ClientID, topic, owner, link.RunID, string(reason), string(before))
	return err
}

// Stop ends the emails to a client for good, and after its deletion those to its address, which may be a client again.
// Once more it changes nothing but the reason.
func (ps Preferences) Stop(ctx context.Context, link domain.RecipientLink, reason domain.LeaveReason) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		var who Recipient
		err := tx.NewSelect().TableExpr("clients").Column("owner_id", "suppressed_reason").Where("id = ?", link.ClientID).
			For("NO KEY UPDATE").Scan(ctx, &who)
		if err = postgres.TranslateError(err); domain.KindOf(err) == domain.NotFound {
			return unsubscribeDeleted(ctx, tx, link, reason)
		} else if err != nil {
			return err
		}
		before := who.SuppressedReason
		if before == domain.Unsubscribed {
			before = ""
		} else {
			_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE id = $1`, link.ClientID)
			if err == nil {
				err = tx.Notify(ctx, postgres.ClientSuppressed{ClientID: link.ClientID})
			}
			if err != nil {
				return err
			}
		}
		return noteLeft(ctx, tx, link, who.OwnerID, 0, reason, before)
	})
}

// Undo lets emails come again, as they did before the client unsubscribed.
func (ps Preferences) Undo(ctx context.Context, link domain.RecipientLink) error {
	return ps.db.pg.InTx(ctx, func(tx Tx) error {
		var who Recipient
		err := tx.NewSelect().TableExpr("clients").Column("owner_id", "suppressed_reason").Where("id = ?", link.ClientID).
			For("NO KEY UPDATE").Scan(ctx, &who)
		if err != nil || who.SuppressedReason != domain.Unsubscribed {
			return postgres.TranslateError(err)
		}
		var before []string
		err = tx.NewRaw(`DELETE FROM unsubscribes WHERE client_id = ? AND topic_id = 0 RETURNING before`, link.ClientID).Scan(ctx, &before)
		if err != nil {
			return err
		}
		_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET suppressed_reason = $2, suppressed_at = CASE WHEN $2 = '' THEN NULL ELSE suppressed_at END WHERE id = $1`,
			link.ClientID, strings.Join(before, ""))
		if err != nil {
			return err
		}
		return forgetOptOutOf(ctx, tx, link.ClientID)
	})
}

// Erase deletes the client for itself: whoever brings the address in again gets it unsubscribed. Of a client that is
// gone already the address is remembered, and nobody can bring it back.
func (ps Preferences) Erase(ctx context.Context, link domain.RecipientLink) error {
	if err := ps.Stop(ctx, link, ""); err != nil {
		return err
	}
	var owner int64
	err := ps.db.pg.Bun.NewSelect().Table("clients").Column("owner_id").Where("id = ?", link.ClientID).Scan(ctx, &owner)
	if err == nil {
		err = ps.db.Clients().Delete(ctx, owner, link.ClientID)
	}
	if err = postgres.TranslateError(err); domain.KindOf(err) != domain.NotFound {
		return err
	}
	_, err = ps.db.pg.Pool.Exec(ctx, `DELETE FROM bulk_clients USING deleted_clients AS gone JOIN bulk_acts AS act USING (owner_id)
		WHERE gone.id = $1 AND act_id = act.id AND client_id = gone.id`, link.ClientID)
	return postgres.TranslateError(err)
}

// Refused reports of a client that was deleted whether its address gets no more emails, and whose client it was.
func (ps Preferences) Refused(ctx context.Context, clientID int64) (ownerName string, refused bool, err error) {
	err = ps.db.pg.Bun.NewRaw(`SELECT owner.name, EXISTS (SELECT FROM optouts WHERE owner_id = gone.owner_id AND email_hash = gone.email_hash)
		FROM deleted_clients AS gone JOIN users AS owner ON owner.id = gone.owner_id WHERE gone.id = ?`, clientID).Scan(ctx, &ownerName, &refused)
	return ownerName, refused, postgres.TranslateError(err)
}

// Data writes all that is kept of a client as one JSON document.
func (ps Preferences) Data(ctx context.Context, clientID int64, out io.Writer) error {
	return writeDocument(ctx, ps.db, clientID, out, []documentPart{
		{"sender", `SELECT owner.name FROM users owner JOIN clients c ON c.owner_id = owner.id WHERE c.id = $1`},
		{"me", `SELECT email, full_name, first_name, last_name, comment, tags, created_at AS added_at, import_id IS NOT NULL AS added_with_a_list,
			suppressed_at, suppressed_reason, paused_until, frequency FROM clients WHERE id = $1`},
		{"fields", `SELECT f.label, c.fields -> f.id::text AS value FROM clients c JOIN fields f ON f.owner_id = c.owner_id AND jsonb_exists(c.fields, f.id::text)
			WHERE c.id = $1 ORDER BY f.id`},
		{"topics", `SELECT t.name, NOT coalesce(t.id = ANY(c.left_topics), false) AS wanted FROM clients c JOIN topics t ON t.owner_id = c.owner_id
			WHERE c.id = $1 ORDER BY t.id`},
		{"unsubscribed", `SELECT u.at, t.name AS topic, u.reason FROM unsubscribes u LEFT JOIN topics t ON t.id = u.topic_id WHERE u.client_id = $1 ORDER BY u.at`},
		{"consents", `SELECT c.kind, c.at, c.signed_up_at, c.source, c.page, c.ip, c.confirmed_ip, c.topics, a.form_name, a.form_text, a.agreement, a.version
			FROM consents c LEFT JOIN form_agreements a ON a.id = c.agreement_id WHERE c.client_id = $1 ORDER BY c.id`},
		{"series", `SELECT m.name, sc.how AS came_in_by, sc.entered_at AS came_in_at, cardinality(sc.passed) AS emails,
				(SELECT count(*) FROM series_steps WHERE series_id = m.id) AS steps, nullif(sc.due_at, 'epoch') AS next_email_at, sc.left_at, sc.left_reason
			FROM series_clients sc JOIN mailings m ON m.id = sc.series_id WHERE sc.client_id = $1 AND m.deleted_at IS NULL ORDER BY sc.entered_at, m.id`},
		{"emails", `SELECT run.scheduled_at, run.subject, d.outcome, d.skipped, b.mark, b.class, b.at AS returned_at
			FROM clients c JOIN runs run ON run.owner_id = c.owner_id JOIN deliveries d ON d.run_id = run.id AND d.client_id = c.id
			LEFT JOIN bounces b ON b.run_id = d.run_id AND b.seq = d.seq WHERE c.id = $1 ORDER BY run.id DESC`},
		{"opened_and_clicked", `SELECT run.scheduled_at, run.subject, CASE v.n WHEN 0 THEN 'opened' ELSE 'clicked' END AS what, link.url AS link,
			v.first_at AS first_time, v.count AS times, v.programs AS times_by_programs
			FROM clients c JOIN runs run ON run.owner_id = c.owner_id JOIN deliveries d ON d.run_id = run.id AND d.client_id = c.id
			JOIN visits v ON v.run_id = d.run_id AND v.seq = d.seq LEFT JOIN run_links link ON link.run_id = v.run_id AND link.n = v.n
			WHERE c.id = $1 ORDER BY run.id DESC, v.n`},
	})
}

// LeftFor is how many unsubscribed by the emails of a run for one reason; empty: none was given.
type LeftFor struct {
	Reason string
	Count  int64
}

// LeftFor counts them, the most frequent first.
func (r Runs) LeftFor(ctx context.Context, run int64) (rows []LeftFor, err error) {
	err = r.db.pg.Bun.NewRaw(`SELECT reason, count(*) AS count FROM unsubscribes WHERE run_id = ? AND topic_id = 0
		GROUP BY 1 ORDER BY reason = '', 2 DESC, 1`, run).Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}
