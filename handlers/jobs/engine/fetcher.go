package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
)

// maxOwners is how many owners have emails in hand at the same time.
const maxOwners = 64

// fetcher keeps the queue filled: for every owner in turn, and only while senders are taking.
type fetcher struct {
	settings   *Settings
	outbox     outbox.Outbox
	clock      *Clock
	queue      *queue
	lease      *lease
	runs       *runControl
	quotas     quotas
	standstill *standstill
	wake       chan struct{} // something new may be there

	known   map[int64]*sendingRun
	served  map[int64]time.Time // when each owner last had a batch fetched
	waiting bool                // there were open runs at the last round
	swept   time.Time
	doubted time.Time // when a fetch last had no answer
}

// fetchEvery is how often open runs are looked for while there are some; afterwards notifications tell of new
// ones, and idleFetchEvery is for those that were missed.
const (
	fetchEvery     = 250 * time.Millisecond
	idleFetchEvery = 10 * time.Second
)

func (f *fetcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		fetched, err := f.round(ctx)
		switch {
		case err != nil:
			pause(ctx, time.Second)
			continue
		case fetched:
			continue
		}
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-f.queue.hungry:
		case <-time.After(f.patience()):
		}
	}
}

func (f *fetcher) patience() time.Duration {
	if f.waiting || len(f.known) > 0 {
		return fetchEvery
	}
	return idleFetchEvery
}

// round fetches once for each open run that has room, the owner who was served longest ago first.
func (f *fetcher) round(ctx context.Context) (fetched bool, err error) {
	open, err := f.open(ctx)
	if err != nil {
		return false, err
	}
	f.waiting = len(open) > 0
	if time.Since(f.swept) > sweepEvery && time.Since(f.doubted) < doubtFor {
		f.swept = time.Now()
		f.sweep(ctx)
	}
	slices.SortStableFunc(open, func(a, b outbox.OpenRun) int { return f.served[a.OwnerID].Compare(f.served[b.OwnerID]) })
	refused := false
	for _, run := range open {
		n := f.quotas.batches(ctx, run, f.queue.room(run.OwnerID))
		switch {
		case n <= 0:
		case f.fetch(ctx, run, n):
			f.quotas.fetched(run.OwnerID, n)
			f.served[run.OwnerID], fetched = time.Now(), true
		default:
			refused = true
		}
	}
	f.standstill.unfetched.Store(refused && !fetched)
	for id, run := range f.known {
		if f.queue.idle(run) {
			delete(f.known, id)
		}
	}
	return fetched, nil
}

func (f *fetcher) open(ctx context.Context) ([]outbox.OpenRun, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	open, err := f.outbox.Runs().Open(bounded)
	if err != nil && ctx.Err() == nil {
		f.settings.Log.Warn("looking for open runs failed", "error", err)
	}
	return open, err
}

// sweepEvery is how long a fetch whose answer was lost keeps its emails back. After a failure one may still
// come to its end for doubtFor.
const (
	sweepEvery = 2 * time.Second
	doubtFor   = time.Minute
)

// sweep gives back what this instance holds by the tables alone: fetches whose answer was lost with
// their connection. Only the goroutine that fetches can tell them from a fetch under way.
func (f *fetcher) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	runs, firstSeqs := f.queue.inHand()
	freed, err := f.outbox.Batches().ReleaseLost(ctx, f.lease.id(), runs, firstSeqs)
	switch {
	case err != nil && ctx.Err() == nil:
		f.settings.Log.Warn("looking for lost fetches failed", "error", err)
	case freed > 0:
		f.settings.Log.Warn("batches whose fetch was never answered are given back", "batches", freed)
	}
}

// fetch takes up to n batches of a run.
func (f *fetcher) fetch(ctx context.Context, open outbox.OpenRun, n int) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	run, err := f.sendingRun(ctx, open.ID)
	if err != nil {
		f.settings.Log.Error("a run cannot be sent", "run", open.ID, "error", err)
		return false
	}
	if run.halted.Load() {
		return false // what stopped it is not in the tables yet
	}
	instance := f.lease.id()
	emails, err := f.outbox.Batches().Fetch(ctx, instance, open.ID, n)
	if err != nil {
		f.doubted = time.Now()
		f.settings.Log.Warn("fetching failed", "run", open.ID, "error", err)
		return false
	}
	for part := range slices.Values(split(emails)) {
		f.queue.add(&batch{run: run, instance: instance, firstSeq: part[0].FirstSeq}, part)
	}
	return len(emails) > 0
}

// split tells the batches apart.
func split(emails []outbox.Delivery) (batches [][]outbox.Delivery) {
	for start, i := 0, 1; i <= len(emails); i++ {
		if i == len(emails) || emails[i].FirstSeq != emails[start].FirstSeq {
			batches = append(batches, emails[start:i])
			start = i
		}
	}
	return batches
}

// sendingRun has the email of the run compiled. A run whose email cannot be compiled is paused with the reason.
func (f *fetcher) sendingRun(ctx context.Context, id int64) (*sendingRun, error) {
	if known := f.known[id]; known != nil {
		return known, nil
	}
	run, err := f.outbox.Runs().Get(ctx, id)
	if err != nil {
		return nil, err
	}
	template, err := f.compile(ctx, run)
	if domain.KindOf(err) == domain.Unavailable {
		return nil, err
	} else if err != nil {
		return nil, cmp.Or(f.outbox.Runs().Pause(ctx, id, f.inWords(run.OwnerLanguage, err), f.clock.Now(), nil), err)
	}
	begun := &sendingRun{SendingRun: run, template: template, suffix: domain.RunSuffix(run.ID), tracked: run.TrackClicks || run.TrackOpens}
	for _, end := range []time.Time{run.WindowEnd, run.ClosesAt} {
		if !end.IsZero() && (begun.end.Load() == nil || end.Before(*begun.end.Load())) {
			begun.end.Store(f.clock.here(&end))
		}
	}
	f.known[id] = begun
	return begun, nil
}

func (f *fetcher) compile(ctx context.Context, run outbox.SendingRun) (*email.Template, error) {
	from, translate := f.settings.From, f.settings.Translate
	head, err := f.letterhead(run)
	if err != nil {
		return nil, err
	}
	language := domain.EmailLanguage(run.Language, run.Subject, run.Body, run.OwnerLanguage)
	source := email.Source{
		Subject: run.Subject, Preheader: run.Preheader, Body: run.Body, Language: language,
		From:    head.from,
		ReplyTo: head.replyTo,
		List:    email.List{Name: run.OwnerName, ID: "owner-" + strconv.FormatInt(run.OwnerID, 10) + "." + email.Host(from.Address)},
		FeedbackID: strconv.FormatInt(run.ID, 10) + ":" + strconv.FormatInt(run.OwnerID, 10) + ":mailing:" +
			domain.FeedbackSender(f.settings.Secret, email.Host(from.Address)),
		UnsubscribeText: translate(language, "recipients.unsubscribe"),
		FooterText:      translate(language, "recipients.footer", "Name", run.From.Name),
		Brand:           *run.Brand,
		MediaURL:        f.settings.BaseURL + "/media/",
		ViewText:        translate(language, "recipients.view"),
		ViewURL:         f.settings.BaseURL + "/view/" + domain.ViewToken(email.Token, run.ID),
		Signer:          head.signer,
		Fields:          run.Fields,
	}
	if source.Tracked, err = f.tracked(ctx, run, source); err != nil {
		return nil, err
	}
	return email.Compile(source)
}

// tracked is what the emails of a run tell. The links are numbered before the first email leaves, and the same in every
// process.
func (f *fetcher) tracked(ctx context.Context, run outbox.SendingRun, source email.Source) (t email.Tracked, err error) {
	t = email.Tracked{BaseURL: f.settings.BaseURL, Opens: run.TrackOpens}
	if run.UTM {
		t.Campaign = run.UTMCampaign
	}
	if source.Tracked = t; !run.TrackClicks {
		return t, nil
	}
	if t.Links, err = email.Links(source); err == nil {
		t.Links, err = f.outbox.Runs().KeepLinks(ctx, run.ID, t.Links)
	}
	return t, err
}

// inWords is why no email can be made, as its owner reads it.
func (f *fetcher) inWords(language string, err error) string {
	refused, _ := errors.AsType[*domain.Error](err)
	if several, ok := errors.AsType[domain.ValidationErrors](err); ok {
		refused = several[0]
	}
	if refused == nil {
		return err.Error()
	}
	var args []any
	for name, value := range refused.Args {
		args = append(args, name, value)
	}
	return f.settings.Translate(language, refused.Key, args...)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
