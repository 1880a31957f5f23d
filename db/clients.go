package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Clients are the people who receive mail, each one owner's.
type Clients struct{ db *DB }

// Clients of this database.
func (db *DB) Clients() Clients { return Clients{db} }

// Get is one client of the owner.
func (cs Clients) Get(ctx context.Context, owner, id int64) (c domain.Client, err error) {
	err = cs.db.pg.Bun.NewSelect().Model(&c).Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return c, postgres.TranslateError(err)
}

// Create saves a new client of c.OwnerID, and how it has agreed where the owner says so.
func (cs Clients) Create(ctx context.Context, c *domain.Client, consents ...domain.Consent) error {
	return cs.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
			return emailTaken(err)
		}
		for _, one := range consents {
			one.ClientID = c.ID
			if _, err := tx.NewInsert().Model(&one).Exec(ctx); err != nil {
				return err
			}
		}
		if err := keepOptOuts(ctx, tx, c.OwnerID, []int64{c.ID}); err != nil {
			return err
		}
		return cs.db.changed(ctx, tx, "stats")
	})
}

// CreateMany saves those of the clients, all of one owner, whose address is new, and tells
// how many they were.
func (cs Clients) CreateMany(ctx context.Context, owner int64, clients []domain.Client) (created int, err error) {
	err = cs.db.pg.InTx(ctx, func(tx Tx) error {
		var ids []int64
		_, err := tx.NewInsert().Model(&clients).Value("owner_id", "?", owner).
			On("CONFLICT (owner_id, lower(email)) DO NOTHING").Returning("id").Exec(ctx, &ids)
		if err != nil {
			return err
		}
		created = len(ids)
		if err := keepOptOuts(ctx, tx, owner, ids); err != nil {
			return err
		}
		return cs.db.changed(ctx, tx, "stats")
	})
	return created, err
}

// Update lets change work on the locked client and saves what it made of it.
func (cs Clients) Update(ctx context.Context, owner, id int64, change func(*domain.Client) error) (c domain.Client, err error) {
	err = cs.db.pg.InTx(ctx, func(tx Tx) error {
		err := tx.NewSelect().Model(&c).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		email := c.Email
		if err := change(&c); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&c).WherePK().Exec(ctx); err != nil {
			return emailTaken(err)
		}
		if c.Email == email {
			return nil
		}
		if err := keepOptOuts(ctx, tx, owner, []int64{id}); err != nil {
			return err
		}
		return cs.db.changed(ctx, tx, "stats")
	})
	return c, err
}

func emailTaken(err error) error {
	if postgres.IsUniqueViolation(err, "clients_owner_email") {
		return domain.Errorf(domain.Invalid, "email", "clients.email_taken")
	}
	return err
}

// Delete erases the client. What was sent to it stays on record; what is open in a run
// is dropped.
func (cs Clients) Delete(ctx context.Context, owner, id int64) error {
	return cs.db.pg.InTx(ctx, func(tx Tx) error {
		if err := forgetListed(ctx, tx, owner, id); err != nil {
			return err
		}
		erased, err := eraseClients(ctx, tx, owner, []int64{id})
		if err == nil && erased == 0 {
			err = domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		if err != nil {
			return err
		}
		if err := forgetActs(ctx, tx, owner, id); err != nil {
			return err
		}
		return cs.db.changed(ctx, tx, "stats")
	})
}

// forgetActs takes a client out of what can be taken back.
func forgetActs(ctx context.Context, tx Tx, owner, id int64) error {
	_, err := tx.Pgx.Exec(ctx, `DELETE FROM bulk_clients WHERE act_id IN (SELECT id FROM bulk_acts WHERE owner_id = $1) AND client_id = $2`, owner, id)
	return err
}

// unsubscribeDeleted unsubscribes the address of a client that was deleted. Only the first time it reads the owner's
// clients: from then on whoever has the address is unsubscribed from the beginning (keepOptOuts).
func unsubscribeDeleted(ctx context.Context, tx Tx, link domain.RecipientLink, reason domain.LeaveReason) error {
	var owner []int64
	err := tx.NewSelect().Table("deleted_clients").Column("owner_id").Where("id = ?", link.ClientID).Scan(ctx, &owner)
	if err != nil || len(owner) == 0 {
		return err
	}
	if err := noteLeft(ctx, tx, link, owner[0], 0, reason, ""); err != nil {
		return err
	}
	inner, outer, err := tx.AddressKey()
	if err != nil {
		return err
	}
	rows, err := tx.Pgx.Query(ctx, `WITH remembered AS (
			INSERT INTO optouts (owner_id, email_hash, at) SELECT owner_id, email_hash, now() FROM deleted_clients WHERE id = $3
			ON CONFLICT DO NOTHING RETURNING owner_id, email_hash
		)
		UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' FROM remembered
		WHERE clients.owner_id = remembered.owner_id AND suppressed_reason <> 'unsubscribed'
		  AND `+addressHash("clients.email")+` = email_hash RETURNING clients.id`, inner, outer, link.ClientID)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return err
	}
	return tx.Notify(ctx, postgres.ClientSuppressed{ClientID: ids[0]})
}

// namelessMost is how many clients without a name are counted.
const namelessMost = 1000

// Nameless is how many of the owner's clients who get emails have no name, 1,000 at most. It asks in the words of the
// index clients_by_name.
func (cs Clients) Nameless(ctx context.Context, owner int64) (n int, err error) {
	err = cs.db.pg.Bun.NewRaw(`SELECT count(*) FROM (SELECT FROM clients
		WHERE owner_id = ? AND lower(full_name) = '' AND suppressed_at IS NULL LIMIT ?) AS found`, owner, namelessMost).Scan(ctx, &n)
	return n, postgres.TranslateError(err)
}

// OwnersClient is a client with whose it is.
type OwnersClient struct {
	domain.Client
	OwnerName, OwnerEmail string
}

// maxEverywhere is of how many owners an address is shown.
const maxEverywhere = 50

// Everywhere are the clients with an address, of all owners: for managers.
func (cs Clients) Everywhere(ctx context.Context, email string) ([]OwnersClient, error) {
	list := []OwnersClient{}
	if email == "" {
		return list, nil
	}
	err := cs.db.pg.Bun.NewSelect().TableExpr("clients AS client").ColumnExpr("client.id, client.owner_id, client.email, client.full_name, client.suppressed_at, client.suppressed_reason, client.created_at").
		ColumnExpr("owner.name AS owner_name, owner.email AS owner_email").
		Join("JOIN users AS owner ON owner.id = client.owner_id").Where("lower(client.email) = lower(?)", clean(email)).
		Order("client.id DESC").Limit(maxEverywhere).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}
