package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Consents are that clients have agreed to emails.
type Consents struct{ db *DB }

// Consents of this database.
func (db *DB) Consents() Consents { return Consents{db} }

// Proof is a consent with what was agreed to.
type Proof struct {
	domain.Consent
	FormName, FormText, Agreement string
	Version                       int
	AgreedSince                   time.Time `bun:",nullzero"` // when this version was made
}

// Of are the consents of a client of the owner, the latest first.
func (cs Consents) Of(ctx context.Context, owner, client int64) ([]Proof, error) {
	list := []Proof{}
	err := cs.db.pg.Bun.NewRaw(`SELECT consent.*, coalesce(form_name, '') AS form_name, coalesce(form_text, '') AS form_text,
			coalesce(agreement, '') AS agreement, coalesce(version, 0) AS version, agreed.created_at AS agreed_since
		FROM consents AS consent LEFT JOIN form_agreements AS agreed ON agreed.id = consent.agreement_id
		WHERE consent.owner_id = ? AND consent.client_id = ? ORDER BY consent.id DESC LIMIT 100`, owner, client).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}

// ImportConsent is what the owner has said of all clients of a list.
type ImportConsent struct{ FileName, Source, On string }

// Imported is what is said of the list that has brought a client; empty for none.
func (cs Consents) Imported(ctx context.Context, owner, client int64) (said ImportConsent, err error) {
	list := []ImportConsent{}
	err = cs.db.pg.Bun.NewRaw(`SELECT file_name, mapping->>'ConsentSource' AS source, mapping->>'ConsentOn' AS "on" FROM clients
		JOIN imports ON imports.id = clients.import_id WHERE clients.id = ? AND clients.owner_id = ? AND mapping->>'ConsentSource' <> ''`, client, owner).Scan(ctx, &list)
	if len(list) > 0 {
		said = list[0]
	}
	return said, postgres.TranslateError(err)
}

// Add keeps what the owner says of a client.
func (cs Consents) Add(ctx context.Context, c domain.Consent) error {
	return cs.db.pg.InTx(ctx, func(tx Tx) error {
		if err := tx.NewRaw(`SELECT id FROM clients WHERE id = ? AND owner_id = ? FOR KEY SHARE`, c.ClientID, c.OwnerID).Scan(ctx, &c.ClientID); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&c).Exec(ctx)
		return err
	})
}
