package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/db/abtests"
	"skychimp/db/outbox"
	"skychimp/db/series"
	"skychimp/domain"
	"skychimp/handlers/feeds"
	"skychimp/handlers/jobs/engine"
)

// PlanWorker makes runs of what is due: all mailings at each tick, or one that was launched.
type PlanWorker struct {
	river.WorkerDefaults[domain.PlanJob]
	DB     *db.DB
	Outbox outbox.Outbox
	Log    *slog.Logger
	Clock  *engine.Clock
	Feeds  *feeds.Feeds
}

// Timeout leaves room for a million recipients.
func (PlanWorker) Timeout(*river.Job[domain.PlanJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker. A refusal (disabled meanwhile, finished) is an answer, not a
// reason to try again.
func (w *PlanWorker) Work(ctx context.Context, job *river.Job[domain.PlanJob]) error {
	now, err := w.Clock.Ask(ctx)
	switch {
	case err != nil:
		return err
	case w.Clock.Wrong():
		return river.JobSnooze(time.Second) // for another process, or this one once its clock is right
	case job.Args.MailingID == 0:
		return w.planDue(ctx, now)
	}
	isSeries, wait, err := w.Outbox.Series().Wait(ctx, job.Args.MailingID, now)
	switch {
	case err != nil:
		return err
	case wait > 0:
		return river.JobSnooze(wait) // its launch can still be taken back
	case isSeries:
		return w.planSeries(ctx, now)
	}
	run, ok, err := w.make(ctx, job.Args, now)
	if kind := domain.KindOf(err); kind != 0 && kind != domain.Unavailable {
		w.Log.Info("a run was not made", "mailing", job.Args.MailingID, "reason", err)
		return nil
	}
	if ok && run.PlanCursor == nil {
		w.logRun(run)
	}
	return errors.Join(err, w.continuePlans(ctx))
}

func (w *PlanWorker) make(ctx context.Context, job domain.PlanJob, now time.Time) (domain.Run, bool, error) {
	if err := w.Feeds.One(ctx, job.MailingID, now); err != nil && domain.KindOf(err) != domain.NotFound {
		return domain.Run{}, false, err
	}
	if !job.NotBefore.IsZero() {
		return w.Outbox.Plans().MakeRecallable(ctx, job.MailingID, now, job.NotBefore)
	}
	return w.Outbox.Plans().Make(ctx, job.MailingID, now, job.Force)
}

// planDue makes the runs of all mailings that are due at now. One that cannot be planned does
// not keep the others back, nor do large ones: their first parts come before anybody's rest. On hold
// nothing is planned: afterwards the rule for a downtime says what is made up for.
func (w *PlanWorker) planDue(ctx context.Context, now time.Time) error {
	hold, err := w.DB.Installation().Hold(ctx)
	if err != nil || hold.On {
		return err
	}
	if err := w.DB.Mailings().FollowZones(ctx, now); err != nil {
		w.Log.Warn("the zones of clients could not be looked at", "error", err)
	}
	if err := w.Feeds.Refresh(ctx, now); err != nil {
		w.Log.Warn("the feeds that are due could not be told", "error", err)
	}
	due, err := w.Outbox.Plans().Due(ctx, now)
	for _, id := range due {
		run, ok, failed := w.Outbox.Plans().Make(ctx, id, now, false)
		err = errors.Join(err, failed)
		if ok && run.PlanCursor == nil {
			w.logRun(run)
		}
	}
	return errors.Join(err, abtests.New(w.DB).Decide(ctx, now), w.planSeries(ctx, now), w.DB.Segments().AskResults(ctx), w.DB.Mailings().Notify(ctx, now))
}

// planSeries makes the runs of the steps that are due, and plans what is left of all runs. Clients of a series that was
// edited are moved in parts; whatever is due comes before the next part.
func (w *PlanWorker) planSeries(ctx context.Context, now time.Time) error {
	err := w.planSteps(ctx, now)
	for {
		moved, failed := series.In(w.DB).Move(ctx)
		if failed != nil || !moved {
			return errors.Join(err, failed)
		}
		err = errors.Join(err, w.planSteps(ctx, now))
	}
}

func (w *PlanWorker) planSteps(ctx context.Context, now time.Time) error {
	whole, err := w.Outbox.Series().Plan(ctx, now, 0)
	for _, run := range whole {
		w.logRun(run)
	}
	return errors.Join(err, w.continuePlans(ctx))
}

// planTold plans series whenever somebody may have come in, until ctx ends: a first email need not wait for the tick. What
// fails is left to that.
func (w *PlanWorker) planTold(ctx context.Context, told <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
		}
		bounded, cancel := context.WithTimeout(ctx, w.Timeout(nil))
		now, err := w.Clock.Ask(bounded)
		if err == nil && !w.Clock.Wrong() {
			err = w.planSeries(bounded, now)
		}
		cancel()
		if kind := domain.KindOf(err); err != nil && kind != domain.Conflict && ctx.Err() == nil { // on hold: no fault
			w.Log.Warn("series wait for the next tick", "error", err)
		}
	}
}

func (w *PlanWorker) continuePlans(ctx context.Context) error {
	whole, err := w.Outbox.Plans().Continue(ctx)
	for _, run := range whole {
		w.logRun(run)
	}
	return err
}

func (w *PlanWorker) logRun(run domain.Run) {
	w.Log.Info("run planned", "run", run.ID, "mailing", run.MailingID, "scheduled", run.ScheduledAt,
		"deliveries", run.Planned, "suppressed", run.Suppressed)
}
