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
		_, err := d.Migrate(ctx)
		return err
	}
	state, err := d.Migrated(ctx)
	if err == nil && state.Behind() {
		err = fmt.Errorf("the schema is behind by %d steps (%s); run: skychimp migrate",
			len(state.Pending), strings.Join(state.Pending, ", "))
	}
	return err
}

// secretKey is SECRET, or the one that was generated in DATA_DIR on the first start. Programs that
// share a database by DATABASE_URL may run on several machines, so they are given theirs.
func (c config) secretKey() ([]byte, error) {
	if c.Secret != "" {
		return []byte(c.Secret), nil
	}
	if c.DatabaseURL != "" {
		return nil, misuse{errors.New("SECRET is empty: with DATABASE_URL it has to be at least 32 characters (try: openssl rand -hex 32)")}
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
