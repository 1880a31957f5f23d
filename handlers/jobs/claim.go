package jobs

import (
	"context"
	"net/mail"
	"slices"
	"strconv"
	"time"

	"skychimp/db"
	"skychimp/domain/letter"
)

// maxLanes is how many owners have letters in hand at the same time.
const maxLanes = 64

// claim keeps the queue filled: for every owner in turn, and only while senders are taking.
func (e *Engine) claim(ctx context.Context) {
	runs := map[int64]*sending{}
	served := map[int64]time.Time{} // when each owner last had a block claimed
	for ctx.Err() == nil {
		open, err := e.db.OpenRuns(ctx)
		if err != nil {
			if ctx.Err() == nil {
				e.Log.Warn("looking for open runs failed", "error", err)
			}
			pause(ctx, time.Second)
			continue
		}
		slices.SortStableFunc(open, func(a, b db.OpenRun) int { return served[a.OwnerID].Compare(served[b.OwnerID]) })
		claimed := false
		for _, run := range open {
			if !e.hungryFor(run.OwnerID) {
				continue
			}
			if e.claimBlock(ctx, runs, run) {
				served[run.OwnerID], claimed = time.Now(), true
			}
		}
		for id, run := range runs {
			if e.queue.idle(run) {
				delete(runs, id)
			}
		}
		if !claimed {
			select {
			case <-ctx.Done():
			case <-e.wake:
			case <-e.queue.hungry:
			case <-time.After(250 * time.Millisecond):
			}
		}
	}
}

// hungryFor tells whether a block of the owner should be claimed: what waits is shared
// between the owners, and lasts for a few rounds of all connections.
func (e *Engine) hungryFor(owner int64) bool {
	own, all, owners := e.queue.waiting(owner)
	low := max(100, 4*e.Server.Conns)
	if own == 0 {
		return owners < maxLanes
	}
	return all < low && own < low/owners
}

func (e *Engine) claimBlock(ctx context.Context, runs map[int64]*sending, open db.OpenRun) bool {
	run := runs[open.ID]
	if run != nil && run.halted.Load() {
		return false // what stopped it is not in the tables yet
	}
	if run == nil {
		var err error
		if run, err = e.prepare(ctx, open.ID); err != nil {
			e.Log.Error("a run cannot be sent", "run", open.ID, "error", err)
			return false
		}
		runs[open.ID] = run
	}
	instance := e.instance.Load().ID
	letters, err := e.db.Claim(ctx, instance, open.ID)
	if err != nil {
		e.Log.Warn("claiming failed", "run", open.ID, "error", err)
		return false
	}
	if len(letters) == 0 {
		return false
	}
	e.queue.add(&block{run: run, instance: instance, firstSeq: letters[0].FirstSeq}, letters)
	return true
}

// prepare compiles the letter of a run. A run whose letter cannot be compiled is paused with
// the reason.
func (e *Engine) prepare(ctx context.Context, id int64) (*sending, error) {
	run, err := e.db.SendingRun(ctx, id)
	if err != nil {
		return nil, err
	}
	compiled, err := letter.Compile(letter.Source{
		Subject: run.Subject, Body: run.Body, Language: run.OwnerLanguage,
		From:            mail.Address{Name: run.OwnerName, Address: e.From.Address},
		ReplyTo:         mail.Address{Name: run.OwnerName, Address: run.OwnerEmail},
		ListID:          "<mailing-" + strconv.FormatInt(run.MailingID, 10) + "." + host(e.From.Address) + ">",
		FeedbackID:      strconv.FormatInt(run.ID, 10) + ":" + strconv.FormatInt(run.OwnerID, 10) + ":mailing:skychimp",
		UnsubscribeText: e.Translate(run.OwnerLanguage, "letters.unsubscribe"),
		FooterText:      e.Translate(run.OwnerLanguage, "letters.why", "Name", run.OwnerName),
		Signer:          e.Signer,
	})
	if err != nil {
		if paused := e.db.PauseRun(ctx, id, err.Error(), time.Now(), nil); paused != nil {
			return nil, paused
		}
		return nil, err
	}
	return &sending{SendingRun: run, letter: compiled}, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
