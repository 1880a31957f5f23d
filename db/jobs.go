package db

import (
	"context"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// enqueue puts a job into the queue; it is there when the transaction commits.
func (db *DB) enqueue(ctx context.Context, tx Tx, job river.JobArgs) error {
	queue, err := river.NewClient(riverpgxv5.New(db.Pool), &river.Config{})
	if err != nil {
		return err
	}
	_, err = queue.InsertTx(ctx, tx.Pgx, job, nil)
	return err
}
