package db

import (
	"context"
	"errors"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/emailauth"
)

// Senders are the addresses that owners write from, with the keys of their domains.
type Senders struct{ db *DB }

// Senders of this database.
func (db *DB) Senders() Senders { return Senders{db} }

// SenderRow is a sender with what is known of its domain.
type SenderRow struct {
	domain.Sender
	Domain   domain.SenderDomain `bun:"-"`
	Mailings int                 // that use it and are not finished
}

const senderColumns = `sender.*, (SELECT count(*) FROM mailings WHERE sender_id = sender.id AND deleted_at IS NULL AND status <> 'finished') AS mailings`

// List are all senders of the owner, the newest first.
func (s Senders) List(ctx context.Context, owner int64) ([]SenderRow, error) {
	rows, domains := []SenderRow{}, []domain.SenderDomain{}
	err := s.db.pg.Bun.NewSelect().TableExpr("senders AS sender").ColumnExpr(senderColumns).
		Where("sender.owner_id = ?", owner).OrderExpr("sender.id DESC").Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return rows, postgres.TranslateError(err)
	}
	err = s.db.pg.Bun.NewSelect().Model(&domains).ExcludeColumn("rsa_key", "ed25519_key").Where("owner_id = ?", owner).Scan(ctx)
	for i := range rows {
		for _, one := range domains {
			if one.ID == rows[i].DomainID {
				rows[i].Domain = one
			}
		}
	}
	return rows, postgres.TranslateError(err)
}

// Get is one sender of the owner.
func (s Senders) Get(ctx context.Context, owner, id int64) (row SenderRow, err error) {
	err = s.db.pg.Bun.NewSelect().TableExpr("senders AS sender").ColumnExpr(senderColumns).
		Where("sender.id = ? AND sender.owner_id = ?", id, owner).Scan(ctx, &row)
	if err != nil {
		return row, postgres.TranslateError(err)
	}
	row.Domain, err = s.Domain(ctx, row.DomainID)
	return row, err
}

// Asked is the sender that an email asks to confirm, and its owner.
func (s Senders) Asked(ctx context.Context, id int64) (sender domain.Sender, owner domain.User, err error) {
	if err = s.db.pg.Bun.NewSelect().Model(&sender).Where("id = ?", id).Scan(ctx); err == nil {
		err = s.db.pg.Bun.NewSelect().Model(&owner).Where("id = ?", sender.OwnerID).Scan(ctx)
	}
	return sender, owner, postgres.TranslateError(err)
}

// checkSender refuses a sender that is not the owner's, and keeps it from being deleted before the mailing is saved.
func checkSender(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if m.SenderID == 0 {
		return nil
	}
	_, _, err := senderOf(ctx, tx, *m)
	if domain.KindOf(postgres.TranslateError(err)) == domain.NotFound {
		return domain.Errorf(domain.Invalid, "sender_id", "senders.unknown")
	}
	return err
}

// senderOf is the sender of a mailing with its domain; both stay until the end of the transaction.
func senderOf(ctx context.Context, tx Tx, m domain.Mailing) (sender domain.Sender, d domain.SenderDomain, err error) {
	err = tx.NewSelect().Model(&sender).Where("id = ? AND owner_id = ?", m.SenderID, m.OwnerID).For("KEY SHARE").Scan(ctx)
	if err == nil {
		err = tx.NewSelect().Model(&d).ExcludeColumn("rsa_key", "ed25519_key").Where("id = ?", sender.DomainID).For("KEY SHARE").Scan(ctx)
	}
	return sender, d, err
}

// FromOf is whom a run of the mailing is from, as it is planned.
func FromOf(ctx context.Context, tx Tx, m domain.Mailing) (domain.From, error) {
	var owner domain.User
	err := tx.NewSelect().Model(&owner).Column("name", "approved_name", "email").Where("id = ?", m.OwnerID).Scan(ctx)
	if err != nil || m.SenderID == 0 {
		return owner.From(), err
	}
	sender, d, err := senderOf(ctx, tx, m)
	return sender.From(owner, d), err
}

// Domain is one domain without its private keys.
func (s Senders) Domain(ctx context.Context, id int64) (d domain.SenderDomain, err error) {
	err = s.db.pg.Bun.NewSelect().Model(&d).ExcludeColumn("rsa_key", "ed25519_key").Where("id = ?", id).Scan(ctx)
	return d, postgres.TranslateError(err)
}

// Create keeps a new sender, makes the keys of its domain where the owner has none, and has its mailbox asked
// unless it is confirmed.
func (s Senders) Create(ctx context.Context, sender *domain.Sender, vault *emailauth.Vault) error {
	return s.db.pg.InTx(ctx, func(tx Tx) error {
		// One at a time, so that the limit holds.
		if _, err := tx.NewRaw(`SELECT FROM users WHERE id = ? FOR NO KEY UPDATE`, sender.OwnerID).Exec(ctx); err != nil {
			return err
		}
		n, err := tx.NewSelect().Table("senders").Where("owner_id = ?", sender.OwnerID).Count(ctx)
		if err != nil {
			return err
		}
		if n >= domain.MaxSenders {
			return domain.Errorf(domain.Conflict, "", "senders.many", "Max", domain.MaxSenders)
		}
		if sender.DomainID, err = ownDomain(ctx, tx, *sender, vault); err != nil {
			return err
		}
		if err := knownMailbox(ctx, tx, sender); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(sender).Returning("id, created_at").Exec(ctx); err != nil {
			return taken(err)
		}
		return s.ask(ctx, tx, *sender)
	})
}

// knownMailbox confirms a sender whose mailbox another one of the owner has confirmed.
func knownMailbox(ctx context.Context, tx Tx, sender *domain.Sender) error {
	if sender.Confirmed() {
		return nil
	}
	var at []time.Time
	err := tx.NewSelect().Table("senders").Column("confirmed_at").
		Where("owner_id = ? AND email = ? AND confirmed_at IS NOT NULL", sender.OwnerID, sender.Email).Limit(1).Scan(ctx, &at)
	if len(at) > 0 {
		sender.ConfirmedAt = at[0]
	}
	return err
}

func taken(err error) error {
	if postgres.IsUniqueViolation(err, "senders_owner_email") {
		return domain.Errorf(domain.Invalid, "email", "senders.taken")
	}
	return err
}

// ask queues the email to a mailbox that is not confirmed.
func (s Senders) ask(ctx context.Context, tx Tx, sender domain.Sender) error {
	if sender.Confirmed() {
		return nil
	}
	return s.db.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailSender, SenderID: sender.ID})
}

// ownDomain is the owner's domain of the sender, with new keys where there is none.
func ownDomain(ctx context.Context, tx Tx, sender domain.Sender, vault *emailauth.Vault) (id int64, err error) {
	err = tx.NewSelect().Table("sender_domains").Column("id").Where("owner_id = ? AND domain = ?", sender.OwnerID, sender.Host()).Scan(ctx, &id)
	if err = postgres.TranslateError(err); err == nil || domain.KindOf(err) != domain.NotFound {
		return id, err
	}
	made := domain.SenderDomain{OwnerID: sender.OwnerID, Domain: sender.Host(), Records: []domain.DNSRecord{}}
	if err := renewKeys(&made, vault); err != nil {
		return 0, err
	}
	_, err = tx.NewInsert().Model(&made).Returning("id").Exec(ctx)
	return made.ID, err
}

func renewKeys(d *domain.SenderDomain, vault *emailauth.Vault) error {
	big, small, err := emailauth.NewKeys()
	d.RSASelector, d.RSAPublic, d.RSAKey = big.Selector, big.Public, vault.Seal(big.Selector, big.PEM)
	d.Ed25519Selector, d.Ed25519Public, d.Ed25519Key = small.Selector, small.Public, vault.Seal(small.Selector, small.PEM)
	return err
}

// Update lets change work on the locked sender and saves what it made of it. Links to another address work no more.
func (s Senders) Update(ctx context.Context, owner, id int64, vault *emailauth.Vault, change func(*domain.Sender) error) error {
	return s.db.pg.InTx(ctx, func(tx Tx) error {
		sender, err := lockSender(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		before := sender
		if err := change(&sender); err != nil {
			return err
		}
		if sender.Host() != before.Host() {
			if sender.DomainID, err = ownDomain(ctx, tx, sender, vault); err != nil {
				return err
			}
		}
		if err := knownMailbox(ctx, tx, &sender); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&sender).WherePK().Exec(ctx); err != nil {
			return taken(err)
		}
		if sender.Email == before.Email {
			return nil
		}
		if _, err := tx.NewRaw(`DELETE FROM tokens WHERE sender_id = ?`, id).Exec(ctx); err != nil {
			return err
		}
		if err := s.ask(ctx, tx, sender); err != nil {
			return err
		}
		return dropDomain(ctx, tx, before.DomainID)
	})
}

// AskAgain has the mailbox asked once more.
func (s Senders) AskAgain(ctx context.Context, owner, id int64) error {
	return s.db.pg.InTx(ctx, func(tx Tx) error {
		sender, err := lockSender(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		return s.ask(ctx, tx, sender)
	})
}

func lockSender(ctx context.Context, tx Tx, owner, id int64) (sender domain.Sender, err error) {
	err = tx.NewSelect().Model(&sender).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx)
	return sender, err
}

// Delete deletes a sender that no mailing needs, and the keys of its domain when it was the last there.
func (s Senders) Delete(ctx context.Context, owner, id int64) error {
	return s.db.pg.InTx(ctx, func(tx Tx) error {
		sender, err := lockSender(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		var names []string
		err = tx.NewSelect().Table("mailings").Column("name").
			Where("sender_id = ? AND deleted_at IS NULL AND status <> 'finished'", id).Order("id").Limit(1).Scan(ctx, &names)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return domain.Errorf(domain.Conflict, "", "senders.in_use", "Name", names[0])
		}
		if _, err := tx.NewDelete().Model(&sender).WherePK().Exec(ctx); err != nil {
			return err
		}
		return dropDomain(ctx, tx, sender.DomainID)
	})
}

// unneeded are domains without a sender that sign for no run.
const unneeded = `NOT EXISTS (SELECT FROM senders WHERE domain_id = d.id) AND NOT EXISTS (SELECT FROM runs
	WHERE status IN ('running', 'paused', 'stopping') AND owner_id = d.owner_id AND sender_domain_id = d.id)`

// dropDomain deletes the keys of a domain that has no sender any more and signs for no run.
func dropDomain(ctx context.Context, tx Tx, id int64) error {
	_, err := tx.NewRaw(`DELETE FROM sender_domains AS d WHERE id = ? AND `+unneeded, id).Exec(ctx)
	return err
}

// ByToken is the sender that a link confirms; NotFound when it was used or ran out.
func (s Senders) ByToken(ctx context.Context, hash []byte, now time.Time) (sender domain.Sender, err error) {
	err = s.db.pg.Bun.NewRaw(`SELECT sender.* FROM tokens AS token JOIN senders AS sender ON sender.id = token.sender_id
		WHERE token.hash = ? AND token.expires_at > ?`, hash, now).Scan(ctx, &sender)
	return sender, postgres.TranslateError(err)
}

// Confirm uses a link up: the mailbox is the owner's, for all senders with its address.
func (s Senders) Confirm(ctx context.Context, hash []byte, now time.Time) (sender domain.Sender, err error) {
	err = s.db.pg.InTx(ctx, func(tx Tx) error {
		var id int64
		if err := tx.NewRaw(`DELETE FROM tokens WHERE hash = ? AND expires_at > ? AND sender_id IS NOT NULL RETURNING sender_id`, hash, now).Scan(ctx, &id); err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&sender).Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		sender.ConfirmedAt = now
		_, err := tx.NewRaw(`UPDATE senders SET confirmed_at = ? WHERE owner_id = ? AND email = ? AND confirmed_at IS NULL`,
			now, sender.OwnerID, sender.Email).Exec(ctx)
		return err
	})
	return sender, err
}

// Judge keeps what DNS answered about a domain, and is what follows from it.
func (s Senders) Judge(ctx context.Context, id int64, answers []emailauth.Texts, now time.Time) (d domain.SenderDomain, err error) {
	err = s.db.pg.InTx(ctx, func(tx Tx) error {
		if err := tx.NewSelect().Model(&d).ExcludeColumn("rsa_key", "ed25519_key").Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		d.Judge(answers, now)
		_, err := tx.NewUpdate().Model(&d).Column("records", "checked_at", "green_at").WherePK().Exec(ctx)
		return err
	})
	return d, err
}

// Unchecked are domains that nobody has looked at since, those that wait longest first; and it drops those whose
// last run has ended after their last sender was deleted.
func (s Senders) Unchecked(ctx context.Context, since time.Time) (ids []int64, err error) {
	err = s.db.pg.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewRaw(`DELETE FROM sender_domains AS d WHERE ` + unneeded).Exec(ctx)
		if err != nil {
			return err
		}
		return tx.NewSelect().Table("sender_domains").Column("id").Where("checked_at IS NULL OR checked_at < ?", since).
			OrderExpr("checked_at NULLS FIRST").Limit(1000).Scan(ctx, &ids)
	})
	return ids, err
}

// Reseal seals with SECRET what the secret of before has sealed, and counts the domains whose keys cannot be opened.
// Where that secret is lost they are made anew: their owners have to publish the new records.
func (s Senders) Reseal(ctx context.Context, vault *emailauth.Vault, lost bool) (unreadable int, err error) {
	ids, err := s.db.pg.IDs(ctx, `SELECT id FROM sender_domains ORDER BY id`)
	for _, id := range ids {
		err = errors.Join(err, s.db.pg.InTx(ctx, func(tx Tx) error {
			var d domain.SenderDomain
			if err := tx.NewSelect().Model(&d).Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
				return err
			}
			big, first, sealed := vault.Open(d.RSASelector, d.RSAKey)
			small, second, alsoSealed := vault.Open(d.Ed25519Selector, d.Ed25519Key)
			closed := sealed != nil || alsoSealed != nil
			if closed {
				unreadable++
			}
			switch {
			case closed && lost:
				if err := renewKeys(&d, vault); err != nil {
					return err
				}
				d.Records, d.GreenAt, d.CheckedAt = []domain.DNSRecord{}, time.Time{}, time.Time{}
			case !closed && (first || second):
				d.RSAKey, d.Ed25519Key = vault.Seal(d.RSASelector, big), vault.Seal(d.Ed25519Selector, small)
			default:
				return nil
			}
			_, err := tx.NewUpdate().Model(&d).WherePK().Exec(ctx)
			return err
		}))
	}
	return unreadable, err
}
