package engine

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// runControl pauses the runs in hand and shows why they wait, and knows whose emails are not wanted any more.
type runControl struct {
	outbox outbox.Runs
	log    *slog.Logger
	clock  *Clock
	queue  *queue
	check  chan struct{} // heartbeat: a run may have to stop

	status       atomic.Pointer[string] // what the runs in hand show
	unsubscribed sync.Map               // client id -> time.Time, since the fetches that are in hand
}

// stop is for a mail server that takes nothing, when there is no other: the runs in hand pause where it is the
// sender that is not wanted, else they show it.
func (c *runControl) stop(ctx context.Context, answer domain.Answer, refused bool) {
	if !refused {
		c.show(ctx, answer.String())
		return
	}
	for _, run := range c.queue.held() {
		if run.halted.CompareAndSwap(false, true) {
			c.pause(ctx, run, answer, nil)
		}
	}
}

// pause stops a run; those in revert, which failed for the same reason, are queued again.
func (c *runControl) pause(ctx context.Context, run *sendingRun, answer domain.Answer, revert []int32) {
	retry(ctx, c.log, func(ctx context.Context) error {
		return c.outbox.Pause(ctx, run.ID, answer.String(), c.clock.Now(), revert)
	})
	c.queue.drop(func(b *batch) bool { return b.run == run })
	signal(c.check)
}

// holdDomain defers those in revert, who failed because their receiving domain takes nothing.
func (c *runControl) holdDomain(ctx context.Context, run *sendingRun, hold outbox.DomainHold, revert []int32) {
	retry(ctx, c.log, func(ctx context.Context) error {
		return c.outbox.DeferDomain(ctx, run.ID, hold, revert)
	})
}

// noteHold shows on a run that a receiver gets nothing for a while.
func (c *runControl) noteHold(ctx context.Context, run *sendingRun, hold outbox.DomainHold) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.outbox.NoteHold(bounded, run.ID, hold); err != nil {
		c.log.Warn("a hold could not be noted", "run", run.ID, "receiver", hold.Domain, "error", err)
	}
}

// resumeDomain says that a domain which was held takes emails again.
func (c *runControl) resumeDomain(ctx context.Context, run *sendingRun, name string) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.outbox.ResumeDomain(bounded, run.ID, name, !run.refusals.held()); err != nil {
		c.log.Warn("a domain's hold could not be taken back", "run", run.ID, "domain", name, "error", err)
	}
}

// moving takes back what the runs show.
func (c *runControl) moving(ctx context.Context) {
	if status := c.status.Load(); status != nil && *status != "" {
		c.show(ctx, "")
	}
}

// show says why nothing moves on the runs in hand, an empty text that it moves again.
func (c *runControl) show(ctx context.Context, text string) {
	if old := c.status.Swap(&text); old == nil && text == "" || old != nil && *old == text {
		return
	}
	c.note(ctx, slices.Collect(maps.Keys(c.queue.held())), text)
}

func (c *runControl) note(ctx context.Context, runs []int64, text string) bool {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := c.outbox.SetStatusNote(bounded, runs, text)
	if err != nil {
		c.log.Warn("a status note could not be saved", "runs", runs, "error", err)
	}
	return err == nil
}

// unanswered tells whether an earlier try of the email got no answer after the end of data.
func (c *runControl) unanswered(ctx context.Context, it *item) bool {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	before, err := c.outbox.UnknownTries(bounded, it.batch.run.ID, it.Seq)
	return err == nil && before > 0
}

// triedSince is when the email was tried first, now when it never was: it may have waited for its hour, its client's week or
// its owner, and that is no reason to give it up at the first refusal.
func (c *runControl) triedSince(ctx context.Context, it *item, now time.Time) time.Time {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	first, err := c.outbox.FirstTry(bounded, it.batch.run.ID, it.Seq)
	if err != nil || first == nil {
		return now
	}
	return *first
}

// suppress keeps emails from a client until the tables say so at each fetch.
func (c *runControl) suppress(told outbox.ClientSuppressed) { c.unsubscribed.Store(told, time.Now()) }

// suppressed reports whether a client wants no email of a run any more.
func (c *runControl) suppressed(it *item) bool {
	if _, yes := c.unsubscribed.Load(outbox.ClientSuppressed{ClientID: it.ClientID}); yes {
		return true
	}
	topic := it.batch.run.TopicID
	if topic == 0 {
		return false
	}
	_, yes := c.unsubscribed.Load(outbox.ClientSuppressed{ClientID: it.ClientID, TopicID: topic})
	return yes
}

// forget drops suppressions that every fetch since has seen in the tables.
func (c *runControl) forget() {
	if len(c.queue.held()) == 0 {
		c.unsubscribed.Range(func(id, at any) bool {
			if time.Since(at.(time.Time)) > time.Minute {
				c.unsubscribed.Delete(id)
			}
			return true
		})
	}
}

// endRuns ends those of a mailing or an owner until halt has asked about them: between the commit and the
// answer a connection would send several emails.
func (c *runControl) endRuns(whose outbox.RunsChanged) {
	now := time.Now()
	for _, run := range c.queue.held() {
		if run.MailingID == whose.MailingID || run.OwnerID == whose.OwnerID {
			run.end.Store(&now)
		}
	}
}

// halt drops the emails of runs that were stopped, disabled or have reached their end.
func (c *runControl) halt(ctx context.Context) error {
	held := c.queue.held()
	if len(held) == 0 {
		return nil
	}
	now, err := c.outbox.Held(ctx, slices.Collect(maps.Keys(held)))
	if err != nil {
		return err
	}
	var halted []int64
	for _, run := range now {
		held[run.ID].end.Store(c.clock.here(run.WindowEnd))
		if run.Halted {
			held[run.ID].halted.Store(true)
			halted = append(halted, run.ID)
		}
	}
	if len(halted) > 0 {
		c.queue.drop(func(b *batch) bool { return slices.Contains(halted, b.run.ID) })
	}
	return nil
}
