package engine

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"strconv"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
)

// maxLanes is how many owners have letters in hand at the same time.
const maxLanes = 64

// claim keeps the queue filled: for every owner in turn, and only while senders are taking.
func (e *Engine) claim(ctx context.Context) {
	runs := map[int64]*sending{}
	allowed := allowances{Engine: e, owners: map[int64]*allowance{}}
	served := map[int64]time.Time{} // when each owner last had a block claimed
	var swept time.Time
	for ctx.Err() == nil {
		open, err := e.openRuns(ctx)
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		if time.Since(swept) > sweepEvery {
			swept = time.Now()
			e.sweep(ctx)
		}
		slices.SortStableFunc(open, func(a, b outbox.OpenRun) int { return served[a.OwnerID].Compare(served[b.OwnerID]) })
		claimed, refused := false, false
		for _, run := range open {
			n := allowed.blocks(ctx, run, e.queue.room(run.OwnerID))
			switch {
			case n <= 0:
			case e.claimBlocks(ctx, runs, run, n):
				allowed.claimed(run.OwnerID, n)
				served[run.OwnerID], claimed = time.Now(), true
			default:
				refused = true
			}
		}
		e.standstill.unclaimed.Store(refused && !claimed)
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

func (e *Engine) openRuns(ctx context.Context) ([]outbox.OpenRun, error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	open, err := e.outbox.Runs().Open(bounded)
	if err != nil && ctx.Err() == nil {
		e.Log.Warn("looking for open runs failed", "error", err)
	}
	return open, err
}

// sweepEvery is how long a claim whose answer was lost keeps its letters back.
const sweepEvery = 2 * time.Second

// sweep gives back what this instance holds by the tables alone: claims whose answer was lost with
// their connection. Only the goroutine that claims can tell them from a claim under way.
func (e *Engine) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	runs, firstSeqs := e.queue.inHand()
	freed, err := e.outbox.Batches().ReleaseLost(ctx, e.instance.Load().ID, runs, firstSeqs)
	switch {
	case err != nil && ctx.Err() == nil:
		e.Log.Warn("looking for lost claims failed", "error", err)
	case freed > 0:
		e.Log.Warn("claims whose answers were lost are given back", "blocks", freed)
	}
}

// claimBlocks takes up to n blocks of a run.
func (e *Engine) claimBlocks(ctx context.Context, runs map[int64]*sending, open outbox.OpenRun, n int) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
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
	letters, err := e.outbox.Batches().Fetch(ctx, instance, open.ID, n)
	if err != nil {
		e.Log.Warn("claiming failed", "run", open.ID, "error", err)
		return false
	}
	for start, i := 0, 1; i <= len(letters); i++ {
		if i == len(letters) || letters[i].FirstSeq != letters[start].FirstSeq {
			e.queue.add(&block{run: run, instance: instance, firstSeq: letters[start].FirstSeq}, letters[start:i])
			start = i
		}
	}
	return len(letters) > 0
}

// prepare compiles the letter of a run. A run whose letter cannot be compiled is paused with
// the reason.
func (e *Engine) prepare(ctx context.Context, id int64) (*sending, error) {
	run, err := e.outbox.Runs().Get(ctx, id)
	if err != nil {
		return nil, err
	}
	compiled, err := email.Compile(email.Source{
		Subject: run.Subject, Body: run.Body, Language: run.OwnerLanguage,
		From:            mail.Address{Name: run.OwnerName, Address: e.From.Address},
		ReplyTo:         mail.Address{Name: run.OwnerName, Address: run.OwnerEmail},
		ListID:          "<mailing-" + strconv.FormatInt(run.MailingID, 10) + "." + email.Host(e.From.Address) + ">",
		FeedbackID:      strconv.FormatInt(run.ID, 10) + ":" + strconv.FormatInt(run.OwnerID, 10) + ":mailing:skychimp",
		UnsubscribeText: e.Translate(run.OwnerLanguage, "recipients.unsubscribe"),
		FooterText:      e.Translate(run.OwnerLanguage, "recipients.footer", "Name", run.OwnerName),
		Signer:          e.Signer,
	})
	if err != nil {
		if paused := e.outbox.Runs().Pause(ctx, id, e.inWords(run.OwnerLanguage, err), e.clock.Now(), nil); paused != nil {
			return nil, paused
		}
		return nil, err
	}
	begun := &sending{SendingRun: run, letter: compiled}
	if !run.WindowEnd.IsZero() {
		begun.end.Store(e.clock.here(&run.WindowEnd))
	}
	return begun, nil
}

// inWords is why no letter can be made, as its owner reads it.
func (e *Engine) inWords(language string, err error) string {
	refused, _ := errors.AsType[*domain.Error](err)
	if problems, ok := errors.AsType[domain.ValidationErrors](err); ok {
		refused = problems[0]
	}
	if refused == nil {
		return err.Error()
	}
	var args []any
	for name, value := range refused.Args {
		args = append(args, name, value)
	}
	return e.Translate(language, refused.Key, args...)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
