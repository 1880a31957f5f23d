package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
)

// PlanWorker makes runs of what is due: all mailings at each tick, or one that was launched.
type PlanWorker struct {
	river.WorkerDefaults[domain.PlanJob]
	DB  *db.DB
	Log *slog.Logger
}

// Timeout leaves room for a million recipients.
func (PlanWorker) Timeout(*river.Job[domain.PlanJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker. A refusal (disabled meanwhile, finished) is an answer, not a
// reason to try again.
func (w *PlanWorker) Work(ctx context.Context, job *river.Job[domain.PlanJob]) error {
	if job.Args.MailingID == 0 {
		_, err := PlanDue(ctx, w.DB, w.Log, time.Now())
		return err
	}
	run, ok, err := w.DB.PlanRun(ctx, job.Args.MailingID, time.Now(), job.Args.Force)
	if kind := domain.KindOf(err); kind != 0 && kind != domain.Away {
		w.Log.Info("a run was not made", "mailing", job.Args.MailingID, "reason", err)
		return nil
	}
	if ok {
		logRun(w.Log, run)
	}
	return err
}

// PlanDue makes the runs of all mailings that are due at now. One that cannot be planned does
// not keep the others back.
func PlanDue(ctx context.Context, db *db.DB, log *slog.Logger, now time.Time) ([]domain.Run, error) {
	due, err := db.DueMailings(ctx, now)
	if err != nil {
		return nil, err
	}
	var runs []domain.Run
	for _, id := range due {
		run, ok, failed := db.PlanRun(ctx, id, now, false)
		if failed != nil {
			err = errors.Join(err, failed)
		}
		if ok {
			logRun(log, run)
			runs = append(runs, run)
		}
	}
	return runs, err
}

func logRun(log *slog.Logger, run domain.Run) {
	log.Info("run planned", "run", run.ID, "mailing", run.MailingID, "scheduled", run.ScheduledAt,
		"deliveries", run.Planned, "suppressed", run.Suppressed)
}
