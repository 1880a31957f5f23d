package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"skychimp/db"
	"skychimp/db/embedded"
	"skychimp/db/outbox"
	"skychimp/domain/emailauth"
)

// database is the open database, and the private server behind it when there is one.
type database struct {
	*db.DB
	private *embedded.Postgres
	closing func() // ends the watch over the private server
}

// openDatabase connects to DATABASE_URL, or starts the private server in DATA_DIR.
func (p *program) openDatabase() (*database, error) {
	if p.config.DatabaseURL != "" {
		opened, err := db.Open(string(p.config.DatabaseURL))
		if err != nil {
			return nil, err
		}
		return &database{DB: opened, closing: func() {}}, nil
	}
	private, err := embedded.Start(p.ctx, p.config.DataDir, embedded.Options{Log: p.log})
	if err != nil {
		return nil, err
	}
	opened, err := db.Open(private.URL())
	if err != nil {
		return nil, errors.Join(err, private.Stop(context.Background()))
	}
	d := &database{DB: opened, private: private, closing: func() {}}
	if !private.Joined() {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan bool)
		d.closing = func() { cancel(); <-ended }
		go func() { p.revive(ctx, d); close(ended) }()
	}
	return d, nil
}

// revive starts the private server again when it was killed; the pool finds it at the same place.
func (p *program) revive(ctx context.Context, d *database) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.private.Done():
		}
		p.log.Error("the private Postgres ended; starting it again")
		again, err := embedded.Start(ctx, p.config.DataDir, embedded.Options{Log: p.log})
		if err == nil {
			d.private = again
			continue
		}
		p.log.Error("the private Postgres does not start", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// outbox is what sending asks of it.
func (d *database) outbox() outbox.Outbox { return outbox.New(d.Postgres()) }

// close gives the connections back and stops the private server.
func (d *database) close() error {
	d.closing()
	d.Close()
	if d.private == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return d.private.Stop(ctx)
}

// currentSchema makes sure that the tables are the ones this program knows. Only the private
// database is brought up to date without being asked.
func (d *database) currentSchema(ctx context.Context) error {
	if d.private != nil {
		_, err := d.Schema().Migrate(ctx)
		return err
	}
	state, err := d.Schema().Status(ctx)
	if err == nil && state.Behind() {
		err = fmt.Errorf("the schema is behind by %d steps (%s); run: skychimp migrate",
			len(state.Pending), strings.Join(state.Pending, ", "))
	}
	return err
}

// mark tells the files of the private database from a copy of them.
func (d *database) mark() string {
	if d.private == nil {
		return ""
	}
	return d.private.Mark()
}

// recognize puts a copy of a database on hold, and refuses a SECRET that did not sign the links in
// emails that were sent from it.
func (p *program) recognize(d *database) error {
	hold, err := d.Installation().Locate(p.ctx, d.mark())
	if err != nil {
		return err
	}
	secret, err := p.config.secretKey()
	if err != nil {
		return err
	}
	old := p.config.SecretOld
	if old == secretLost {
		p.log.Warn("SECRET_OLD=lost takes any SECRET: take it out of the settings after this start")
	}
	err = d.Installation().CheckSecret(p.ctx, secret, old.key(), old == secretLost)
	if errors.Is(err, db.ErrOtherSecret) {
		return misuse{fmt.Errorf("SECRET: %w, and they would answer 404: use that secret; to change it, name the one of before "+
			"in SECRET_OLD, or SECRET_OLD=lost when nobody has it any more", err)}
	}
	if err == nil {
		err = p.resealKeys(d, secret)
	}
	if err == nil {
		err = p.unlockAddresses(d, secret)
	}
	if err == nil && hold.On {
		p.log.Warn("on hold: no email of a mailing leaves; see skychimp hold --help", "copied", hold.Copied, "since", hold.Since)
	}
	return err
}

// unlockAddresses opens the key under which addresses of erased clients are hashed.
func (p *program) unlockAddresses(d *database, secret []byte) error {
	vault, err := emailauth.NewVault(secret, p.config.SecretOld.key())
	if err != nil {
		return err
	}
	anew, err := d.Erasure().Unlock(p.ctx, vault, p.config.SecretOld == secretLost)
	if errors.Is(err, emailauth.ErrSealed) {
		return misuse{fmt.Errorf("SECRET: another one sealed the key of erased addresses (%w): name the one of before in SECRET_OLD", err)}
	}
	if anew {
		p.log.Warn("who unsubscribed and was erased is known no more, because the secret is lost")
	}
	return err
}

// resealKeys seals the keys of senders' domains with SECRET where SECRET_OLD did.
func (p *program) resealKeys(d *database, secret []byte) error {
	if p.config.SecretOld == "" {
		return nil
	}
	vault, err := emailauth.NewVault(secret, p.config.SecretOld.key())
	if err != nil {
		return err
	}
	lost := p.config.SecretOld == secretLost
	unreadable, err := d.Senders().Reseal(p.ctx, vault, lost)
	switch {
	case unreadable > 0 && lost:
		p.log.Warn("domains of senders have new keys, because the secret of the old ones is lost: their owners have to publish new records", "domains", unreadable)
	case unreadable > 0:
		p.log.Error("keys of senders' domains cannot be opened with SECRET or SECRET_OLD: their mailings pause", "domains", unreadable)
	}
	return err
}

// secretKey is SECRET, or the one that was generated in DATA_DIR on the first start.
func (c config) secretKey() ([]byte, error) {
	if c.Secret != "" {
		return []byte(c.Secret), nil
	}
	file := filepath.Join(c.DataDir, "secret")
	if key, err := os.ReadFile(file); err == nil && len(key) >= 32 {
		return key, nil
	}
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return nil, err
	}
	// Two starts at once agree on whichever file is linked first.
	key := []byte(rand.Text() + rand.Text())
	mine := file + "." + rand.Text()
	if err := os.WriteFile(mine, key, 0o600); err != nil {
		return nil, err
	}
	defer os.Remove(mine)
	if err := os.Link(mine, file); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}
