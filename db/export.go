package db

import (
	"context"
	"errors"
	"fmt"
	"io"

	"skychimp/db/postgres"
)

// Export writes all that is kept of a user as one JSON document, row by row.
func (us Users) Export(ctx context.Context, id int64, out io.Writer) error {
	return writeDocument(ctx, us.db, id, out, []documentPart{
		{"account", `SELECT id, email, name, role, language, timezone, verified_at, last_sign_in_at, created_at
			FROM users WHERE id = $1`},
		{"sessions", `SELECT user_agent, ip, created_at, seen_at FROM sessions WHERE user_id = $1 ORDER BY created_at`},
		{"fields", `SELECT id, key, label, type, choices, created_at FROM fields WHERE owner_id = $1 ORDER BY id`},
		{"clients", `SELECT id, email, full_name, first_name, last_name, comment, tags, fields, left_topics, paused_until, frequency, suppressed_at, suppressed_reason, created_at
			FROM clients WHERE owner_id = $1 ORDER BY id`},
		{"topics", `SELECT id, name, details, created_at FROM topics WHERE owner_id = $1 ORDER BY id`},
		{"segments", `SELECT id, name, match, conditions, created_at, updated_at FROM segments WHERE owner_id = $1 ORDER BY id`},
		{"client_results", `SELECT r.* FROM client_results r JOIN clients c ON c.id = r.client_id WHERE c.owner_id = $1 ORDER BY client_id`},
		{"unsubscribes", `SELECT client_id, topic_id, run_id, reason, at FROM unsubscribes WHERE owner_id = $1 ORDER BY at`},
		{"senders", `SELECT s.id, s.name, s.email, s.reply_to, s.confirmed_at, s.created_at, d.domain, d.records, d.checked_at, d.green_at
			FROM senders s JOIN sender_domains d ON d.id = s.domain_id WHERE s.owner_id = $1 ORDER BY s.id`},
		{"forms", `SELECT id, token, name, text, agreement, tick, tags, topic_ids, fields, sender_id, thanks, next_url, closed_at, created_at, updated_at,
			ARRAY(SELECT json_build_object('day', day, 'signups', signups, 'confirmed', confirmed, 'refused', refused) FROM form_days WHERE form_id = forms.id ORDER BY day) AS days
			FROM forms WHERE owner_id = $1 ORDER BY id`},
		{"form_agreements", `SELECT id, form_id, version, form_name, form_text, agreement, created_at FROM form_agreements WHERE owner_id = $1 ORDER BY id`},
		{"consents", `SELECT id, client_id, kind, form_id, agreement_id, topics, source, page, ip, confirmed_ip, signed_up_at, at FROM consents WHERE owner_id = $1 ORDER BY id`},
		{"messages", `SELECT id, subject, preheader, body, language, created_at, updated_at FROM messages WHERE owner_id = $1 ORDER BY id`},
		{"message_drafts", `SELECT message_id, subject, preheader, body, language, saved_at FROM message_drafts WHERE owner_id = $1 ORDER BY message_id`},
		{"message_versions", `SELECT message_id, revision, author, subject, preheader, body, language, saved_at FROM message_versions
			WHERE owner_id = $1 ORDER BY message_id, revision`},
		{"brand", `SELECT name, logo, color, ground, font, address, reason, links, updated_at FROM brands WHERE owner_id = $1`},
		{"pictures", `SELECT file, alt, bytes, used_at FROM pictures WHERE owner_id = $1 ORDER BY id`},
		{"mailings", `SELECT m.*, ARRAY(SELECT client_id FROM mailing_clients c WHERE c.mailing_id = m.id) AS client_ids
			FROM mailings m WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY id`},
		{"series", `SELECT s.*, ARRAY(SELECT to_json(step) FROM series_steps step WHERE step.series_id = s.id ORDER BY position) AS steps
			FROM series s JOIN mailings m ON m.id = s.id WHERE s.owner_id = $1 AND m.deleted_at IS NULL ORDER BY s.id`},
		{"series_clients", `SELECT sc.* FROM series_clients sc JOIN series s ON s.id = sc.series_id WHERE s.owner_id = $1 ORDER BY sc.series_id, sc.client_id`},
		{"runs", `SELECT * FROM runs WHERE owner_id = $1 ORDER BY id`},
	})
}

// documentPart is a list in a document; rows is a query of $1.
type documentPart struct{ name, rows string }

// writeDocument writes what is kept of one person, row by row.
func writeDocument(ctx context.Context, db *DB, id int64, out io.Writer, parts []documentPart) error {
	conn, err := db.pg.Pool.Acquire(ctx)
	if err != nil {
		return postgres.TranslateError(err)
	}
	defer conn.Release()
	before := "{"
	for _, part := range parts {
		if _, err := fmt.Fprintf(out, "%s\n%q: [", before, part.name); err != nil {
			return err
		}
		rows, err := conn.Query(ctx, "SELECT to_json(r)::text FROM ("+part.rows+") r", id)
		if err != nil {
			return postgres.TranslateError(err)
		}
		before = "\n  "
		for rows.Next() && err == nil {
			if err = rows.Scan(&part.rows); err == nil {
				_, err = io.WriteString(out, before+part.rows)
			}
			before = ",\n  "
		}
		rows.Close()
		if err := errors.Join(err, rows.Err()); err != nil {
			return postgres.TranslateError(err)
		}
		before = "],"
	}
	_, err = io.WriteString(out, "]\n}\n")
	return err
}
