// Package outbox is what sending asks of the database: it plans runs, hands out their deliveries in
// batches, records what became of them, and tells living processes from dead ones. It speaks pgx.
package outbox

import (
	"context"
	"time"

	"skychimp/db/postgres"
)

// Outbox is the emails that are to be sent.
type Outbox struct{ pg *postgres.DB }

// New is the outbox in this database.
func New(pg *postgres.DB) Outbox { return Outbox{pg} }

// Plans make runs of mailings that are due.
type Plans struct{ pg *postgres.DB }

// Plans of this outbox.
func (o Outbox) Plans() Plans { return Plans(o) }

// Runs are those that are being sent.
type Runs struct{ pg *postgres.DB }

// Runs of this outbox.
func (o Outbox) Runs() Runs { return Runs(o) }

// Batches are the deliveries of runs, a hundred at a time.
type Batches struct{ pg *postgres.DB }

// Batches of this outbox.
func (o Outbox) Batches() Batches { return Batches(o) }

// Instances are the processes that send.
type Instances struct{ pg *postgres.DB }

// Instances of this outbox.
func (o Outbox) Instances() Instances { return Instances(o) }

// Clock asks for the database's time and how far this process's clock is ahead of it.
func (o Outbox) Clock(ctx context.Context) (now time.Time, ahead time.Duration, err error) {
	return o.pg.Clock(ctx)
}
