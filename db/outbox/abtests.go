package outbox

import (
	"context"

	"github.com/uptrace/bun"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/abtest"
	"skychimp/domain/trial"
)

// planTest makes the runs of a test in the place of one: for each variant one that goes out, and of those who wait for the
// best one that doesn't. They have no client in common, whatever becomes of the clients meanwhile.
func planTest(ctx context.Context, tx postgres.Tx, rest *domain.Run, m domain.Mailing) error {
	if err := db.Resolve(ctx, tx, &m); err != nil {
		return err
	}
	seed, made, test := trial.NewSeed(), *rest, int64(0)
	err := tx.Pgx.QueryRow(ctx, `INSERT INTO ab_tests (mailing_id, owner_id, seed, share, goal, hours) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		m.ID, m.OwnerID, []byte(seed), m.AB.Share, string(m.AB.Goal), m.AB.Hours).Scan(&test)
	if err != nil {
		return err
	}
	for i, one := range m.AB.All() {
		run := made.VariantOf(test, i+1)
		if run.Subject = one.Subject; one.MessageID != 0 {
			run.MessageID = one.MessageID
		}
		if err := planSplit(ctx, tx, &run, m, seed); err != nil {
			return err
		}
	}
	*rest = made.RestOf(test, m, made.CreatedAt)
	return planSplit(ctx, tx, rest, m, seed)
}

func planSplit(ctx context.Context, tx postgres.Tx, run *domain.Run, m domain.Mailing, seed trial.Seed) error {
	split := m.AB.SplitOf(seed, run.Variant)
	run.PlanCursor = &domain.PlanCursor{Split: &split}
	return planRun(ctx, tx, run, m)
}

// narrowTo narrows clients to those of a part of a test, as abtest.Split.Has does.
func narrowTo(query *bun.SelectQuery, split *abtest.Split) {
	if split != nil {
		query.Where("sha256(?0::bytea || int8send(client.id)) >= ?1::bytea AND sha256(?0::bytea || int8send(client.id)) < ?2::bytea",
			[]byte(split.Seed), split.From, split.To)
	}
}
