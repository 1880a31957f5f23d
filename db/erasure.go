package db

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain/emailauth"
)

// Erasure keeps of an erased client nothing but hashes of its address under a key: who has a copy of the database alone
// can't try addresses.
type Erasure struct{ db *DB }

// Erasure of this database.
func (db *DB) Erasure() Erasure { return Erasure{db} }

// addressHash, in a statement, is the hash of the address email; $1 and $2 are postgres.AddressKey. It is
// HMAC-SHA-256 over the SHA-256 that was kept before there was a key.
func addressHash(email string) string {
	return keyedHash("sha256(convert_to(lower(" + email + "), 'UTF8'))")
}

func keyedHash(digest string) string {
	return "sha256($2::bytea || sha256($1::bytea || " + digest + "))"
}

// erasedMark begins what stands in place of an address; no address does, because it has no @.
const erasedMark = "erased:"

// erased, in a statement, is what stands in place of the address email.
func erased(email string) string {
	return "CASE WHEN " + email + " LIKE '" + erasedMark + "%' THEN " + email + " ELSE '" + erasedMark + "' || left(encode(" + addressHash(email) + ", 'hex'), 32) END"
}

// withoutAddress, in a statement, is a text in which the address email is replaced, in whatever case.
func withoutAddress(text, email string) string {
	return "regexp_replace(" + text + ", regexp_replace(" + email + `, '([]+*?^$(){}|.[\\])', '\\\1', 'g'), '` + erasedMark + "', 'gi')"
}

// keyName binds the sealed key to its use.
const keyName = "addresses of erased clients"

// Unlock takes the key of the hashes, and makes it on the first start. The hashes of before get it then. When lost, a key
// that no secret opens gives way to a new one: who unsubscribed and was erased is known no more.
func (e Erasure) Unlock(ctx context.Context, vault *emailauth.Vault, lost bool) (anew bool, err error) {
	err = e.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.Pgx.Exec(ctx, "SELECT pg_advisory_xact_lock(4, 0)"); err != nil { // of two first starts at once
			return err
		}
		var sealed []byte
		err := tx.Pgx.QueryRow(ctx, "SELECT sealed FROM address_keys").Scan(&sealed)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var key []byte
		var old bool
		if sealed != nil {
			key, old, err = vault.Open(keyName, sealed)
			if anew = err != nil; anew && !lost {
				return err
			}
		}
		if sealed == nil || anew {
			key, old = make([]byte, 32), true
			_, _ = rand.Read(key) // never fails
		}
		if old {
			_, err = tx.Pgx.Exec(ctx, "INSERT INTO address_keys (sealed) VALUES ($1) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed", vault.Seal(keyName, key))
			if err != nil {
				return err
			}
		}
		e.Use(key)
		return e.convert(ctx, tx)
	})
	return anew, err
}

// Use takes a key that is known.
func (e Erasure) Use(key []byte) { e.db.pg.UseAddressKey(key) }

// convert gives the hashes of before the key, and has what is left of those clients looked for.
func (e Erasure) convert(ctx context.Context, tx Tx) error {
	inner, outer, err := e.db.pg.AddressKey()
	if err != nil {
		return err
	}
	for _, statement := range []string{
		"UPDATE optouts SET keyed = true, email_hash = " + keyedHash("email_hash") + " WHERE NOT keyed",
		"UPDATE deleted_clients SET keyed = true, scrub_at = now(), email_hash = " + keyedHash("email_hash") + " WHERE NOT keyed",
	} {
		if _, err := tx.Pgx.Exec(ctx, statement, inner, outer); err != nil {
			return err
		}
	}
	return nil
}

// scrubNow is how many clients are looked for within the transaction that erases them; more are left to Continue.
const scrubNow = 100

// emailsUnderWay is how long an email that is being sent may still be recorded with its address.
const emailsUnderWay = 20 * time.Minute

// eraseClients deletes those of the clients that are the owner's, remembers who unsubscribed or complained and whom their
// links meant, tells the engines, and counts them. Their addresses become hashes, wherever they are.
func eraseClients(ctx context.Context, tx Tx, owner int64, ids []int64) (n int, err error) {
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return 0, err
	}
	var emails []string
	err = tx.Pgx.QueryRow(ctx, `WITH gone AS (
			DELETE FROM clients WHERE owner_id = $3 AND id = ANY($4) RETURNING id, email, suppressed_at, suppressed_reason
		), remembered AS (
			INSERT INTO optouts (owner_id, email_hash, at) SELECT $3, `+addressHash("email")+`, suppressed_at FROM gone
			WHERE suppressed_reason IN ('unsubscribed', 'complained') ON CONFLICT DO NOTHING
		), deleted AS (
			INSERT INTO deleted_clients (id, owner_id, email_hash, scrub_at)
			SELECT id, $3, `+addressHash("email")+`, now() + make_interval(secs => $5) FROM gone
		), waiting AS (
			DELETE FROM signups USING gone WHERE signups.owner_id = $3 AND lower(signups.email) = lower(gone.email)
		) SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(email), '{}') FROM gone`,
		inner, outer, owner, ids, scrubLater(len(ids)).Seconds()).Scan(&ids, &emails)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	told := make([]postgres.Notification, len(ids))
	for i, id := range ids {
		told[i] = postgres.ClientSuppressed{ClientID: id}
	}
	if err := tx.Notify(ctx, told...); err != nil {
		return 0, err
	}
	if len(ids) <= scrubNow {
		if err := scrub(ctx, tx, owner, ids); err != nil {
			return 0, err
		}
	}
	return len(ids), forgetTyped(ctx, tx, owner, emails)
}

// scrubLater is when erased clients are looked for (again): an email of a few may still be under way then.
func scrubLater(n int) time.Duration {
	if n <= scrubNow {
		return emailsUnderWay
	}
	return 0
}

// scrub replaces the addresses of erased clients in what was sent to them. It asks each run of the owner for each client,
// by the index of deliveries, and attempts by their key: as many look-ups as the owner has runs, however many emails there
// are.
func scrub(ctx context.Context, tx Tx, owner int64, ids []int64) error {
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	// Attempts first: their rows know the address, and who comes back for late ones finds them by the delivery.
	statements := []string{
		`UPDATE attempts AS a SET answer = ` + withoutAddress("a.answer", "a.email") + `, email = ` + erased("a.email") + `
			FROM runs JOIN deliveries AS d ON d.run_id = runs.id AND d.client_id = ANY($4)
			WHERE runs.owner_id = $3 AND a.run_id = d.run_id AND a.seq = d.seq AND a.email NOT LIKE 'erased:%'`,
		`DELETE FROM returns USING runs JOIN deliveries AS d ON d.run_id = runs.id AND d.client_id = ANY($4)
			WHERE runs.owner_id = $3 AND returns.run_id = d.run_id AND returns.seq = d.seq AND $1::bytea IS NOT NULL AND $2::bytea IS NOT NULL`,
		`DELETE FROM visits USING runs JOIN deliveries AS d ON d.run_id = runs.id AND d.client_id = ANY($4)
			WHERE runs.owner_id = $3 AND visits.run_id = d.run_id AND visits.seq = d.seq AND $1::bytea IS NOT NULL AND $2::bytea IS NOT NULL`,
		`UPDATE bounces AS b SET email = ` + erased("b.email") + `
			FROM runs JOIN deliveries AS d ON d.run_id = runs.id AND d.client_id = ANY($4)
			WHERE runs.owner_id = $3 AND b.run_id = d.run_id AND b.seq = d.seq AND b.email NOT LIKE 'erased:%'`,
		`UPDATE deliveries AS d SET email = ` + erased("d.email") + ` FROM runs
			WHERE runs.owner_id = $3 AND d.run_id = runs.id AND d.client_id = ANY($4) AND d.email NOT LIKE 'erased:%'`,
	}
	for _, statement := range statements {
		if _, err := tx.Pgx.Exec(ctx, statement, inner, outer, owner, ids); err != nil {
			return err
		}
	}
	return nil
}

// forgetTyped removes the addresses where people typed them or a list held them: bad rows of imports, forms that wait for a
// sign-in or to be sent, the words of a server that a run or a receiving domain stands still for, the test inbox.
func forgetTyped(ctx context.Context, tx Tx, owner int64, emails []string) error {
	if len(emails) > scrubNow {
		return nil // a list that is taken back: what it holds goes with it
	}
	for _, email := range emails {
		emails = append(emails, url.QueryEscape(email)) // as it stands in what was typed into forms
	}
	for _, statement := range []string{
		`UPDATE import_errors AS e SET value = ` + withoutAddress("e.value", "gone.email") + ` FROM imports AS i, unnest($2::text[]) AS gone (email)
			WHERE i.owner_id = $1 AND e.import_id = i.id AND position(lower(gone.email) IN lower(e.value)) > 0`,
		`UPDATE imports AS i SET result = NULL FROM unnest($2::text[]) AS gone (email)
			WHERE i.owner_id = $1 AND i.result IS NOT NULL AND position(lower(gone.email) IN lower(i.result::text)) > 0`,
		`DELETE FROM kept_forms AS k USING unnest($2::text[]) AS gone (email) WHERE k.user_id = $1 AND position(lower(gone.email) IN lower(k.fields)) > 0`,
		`DELETE FROM form_drafts AS d USING unnest($2::text[]) AS gone (email) WHERE d.user_id = $1 AND position(lower(gone.email) IN lower(d.fields)) > 0`,
		`UPDATE run_holds AS h SET answer = ` + withoutAddress("h.answer", "gone.email") + ` FROM runs, unnest($2::text[]) AS gone (email)
			WHERE runs.owner_id = $1 AND h.run_id = runs.id AND position(lower(gone.email) IN lower(h.answer)) > 0`,
		`UPDATE runs SET reason = ` + withoutAddress("reason", "gone.email") + ` FROM unnest($2::text[]) AS gone (email)
			WHERE owner_id = $1 AND status IN ('running', 'paused', 'stopping') AND position(lower(gone.email) IN lower(reason)) > 0`,
		`UPDATE bulk_acts SET filter = '{}' FROM unnest($2::text[]) AS gone (email)
			WHERE owner_id = $1 AND status IN ('done', 'undone') AND position(lower(gone.email) IN lower(filter::text)) > 0`,
		`DELETE FROM inbox_emails USING unnest($2::text[]) AS gone (email) WHERE lower(recipient) = lower(gone.email) AND $1::bigint > 0`,
	} {
		if _, err := tx.Pgx.Exec(ctx, statement, owner, emails); err != nil {
			return err
		}
	}
	return nil
}

// Continue looks for what is left of erased clients: of many that were erased at once, and of emails that were under way.
func (e Erasure) Continue(ctx context.Context) error {
	for left := true; left; {
		err := e.db.pg.InTx(ctx, func(tx Tx) error {
			var owner int64
			var ids []int64
			err := tx.Pgx.QueryRow(ctx, `WITH due AS (
					SELECT id, owner_id FROM deleted_clients WHERE scrub_at <= now() ORDER BY scrub_at, id LIMIT 500 FOR UPDATE SKIP LOCKED
				), taken AS (
					UPDATE deleted_clients SET scrub_at = NULL FROM due
					WHERE deleted_clients.id = due.id AND due.owner_id = (SELECT owner_id FROM due LIMIT 1) RETURNING due.owner_id, due.id
				) SELECT coalesce(max(owner_id), 0), coalesce(array_agg(id), '{}') FROM taken`).Scan(&owner, &ids)
			if left = err == nil && len(ids) > 0; !left {
				return err
			}
			return scrub(ctx, tx, owner, ids)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepOptOuts unsubscribes those of the new clients whose address unsubscribed before it was deleted.
func keepOptOuts(ctx context.Context, tx Tx, owner int64, ids []int64) error {
	var some bool
	err := tx.Pgx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM optouts WHERE owner_id = $1)", owner).Scan(&some)
	if err != nil || !some {
		return err
	}
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET suppressed_at = optouts.at, suppressed_reason = 'unsubscribed'
		FROM optouts WHERE optouts.owner_id = $3 AND clients.id = ANY($4) AND suppressed_reason NOT IN ('unsubscribed', 'complained')
		AND optouts.email_hash = `+addressHash("clients.email"), inner, outer, owner, ids)
	return err
}

// eraseUser replaces the address of a user who is about to be deleted where it outlives the account: in the log of
// actions, which names people, and in the test inbox.
func eraseUser(ctx context.Context, tx Tx, id int64) error {
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	hash := "'" + erasedMark + "' || left(encode(" + addressHash("gone.email") + ", 'hex'), 32)"
	without := func(column string) string {
		return strings.Replace(withoutAddress("audit."+column, "gone.email"), "'"+erasedMark+"'", hash, 1)
	}
	_, err = tx.Pgx.Exec(ctx, "UPDATE audit SET actor = "+without("actor")+", object = "+without("object")+", reason = "+without("reason")+`
		FROM users AS gone WHERE gone.id = $3 AND position(lower(gone.email) IN lower(actor || ' ' || object || ' ' || audit.reason)) > 0`, inner, outer, id)
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `DELETE FROM inbox_emails USING users AS gone WHERE gone.id = $1
		AND (lower(recipient) = lower(gone.email) OR EXISTS (SELECT FROM clients WHERE owner_id = $1 AND lower(email) = lower(recipient))
			OR position(convert_to(gone.email, 'UTF8') IN raw) > 0)`, id)
	return err
}

// forgetOptOutOf forgets that the address of a client, who wants emails again, unsubscribed before it was deleted.
func forgetOptOutOf(ctx context.Context, tx Tx, client int64) error {
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `DELETE FROM optouts USING clients WHERE clients.id = $3 AND optouts.owner_id = clients.owner_id
		AND email_hash = `+addressHash("clients.email"), inner, outer, client)
	return err
}
