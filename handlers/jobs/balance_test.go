package jobs

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/riverqueue/river"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// A run that does not add up is counted and told of, never put right.
func TestBalance(t *testing.T) {
	d := dbtest.New(t)
	_, err := d.Postgres().Pool.Exec(t.Context(), `
		WITH owner AS (INSERT INTO users (email, name, password_hash, role) VALUES ('owner@example.org', 'Owner', '', 'user') RETURNING id),
			message AS (INSERT INTO messages (owner_id, subject, body) SELECT id, 'News', 'Hello' FROM owner RETURNING id, owner_id),
			mailing AS (INSERT INTO mailings (owner_id, message_id, name, audience, start_local, timezone, periodicity)
				SELECT owner_id, id, 'News', 'all', timestamp '2026-01-01 09:00', 'UTC', 'once' FROM message RETURNING id, owner_id)
		INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, status, planned, accepted, closed_at)
			SELECT id, owner_id, 1, now(), 'News', 'Hello', 'done', 251, 252, now() FROM mailing`)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	var found atomic.Int64
	worker := &BalanceWorker{DB: d, Outbox: outbox.New(d.Postgres()), Log: slog.New(slog.NewTextHandler(&log, nil)), Found: &found}
	if err := worker.Work(t.Context(), &river.Job[domain.BalanceJob]{}); err != nil {
		t.Fatal(err)
	}
	if found.Load() != 1 || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "run=1 planned=251") {
		t.Errorf("%d found; the log: %s", found.Load(), &log)
	}
}
