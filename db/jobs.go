package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// NewQueue is the queue on this database, with workers as the config says.
func (db *DB) NewQueue(config *river.Config) (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(db.Pool), config)
}

// Queue is the queue to put jobs in and to look at; it works none.
func (db *DB) Queue() (*river.Client[pgx.Tx], error) { return db.NewQueue(&river.Config{}) }

// enqueue puts a job into the queue; it is there when the transaction commits.
func (db *DB) enqueue(ctx context.Context, tx Tx, job river.JobArgs) error {
	queue, err := db.Queue()
	if err != nil {
		return err
	}
	_, err = queue.InsertTx(ctx, tx.Pgx, job, nil)
	return err
}
