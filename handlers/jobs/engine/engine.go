// Package engine sends the emails of all open runs.
package engine

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/mail"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/smtp"
)

// Settings are what sending needs to know of the outside.
type Settings struct {
	Servers      []smtp.Server
	Limits       Limits
	From         mail.Address // MAIL_FROM
	BounceDomain string       // of envelope senders; empty: From is the envelope sender
	BaseURL      string       // of links in emails, without a slash at its end
	Secret       []byte       // signs the unsubscribe links and makes those of system emails
	Signer       *email.Signer
	Vault        *emailauth.Vault // opens the keys of senders' domains
	Translate    func(language, key string, args ...any) string
	Log          *slog.Logger
	LookupMX     func(ctx context.Context, domain string) ([]*net.MX, error) // nil: receiving domains are not grouped

	second time.Duration // of throttles and redialling: 1 s, but in tests
}

// Limits bound what each process sends to a receiving domain and for an owner.
type Limits struct {
	Domains domain.Limits
	Owners  domain.OwnerLimits
}

// Engine sends the emails of all open runs: it fetches batches of deliveries, hands each email
// to a mail server and records the answer before it lets another one go on the same
// connection. The tables are the truth; the engine only holds what it has fetched.
type Engine struct {
	settings   Settings
	clock      *Clock
	counts     *Counts
	queue      *queue
	lease      *lease
	runs       *runControl
	servers    servers
	records    *recorder
	heartbeat  *heartbeat
	fetcher    *fetcher
	maintainer *maintainer
	standstill *standstill
	series     chan struct{} // a step of a series may be due
}

// timeout is how long the database is waited for, because a connection can die without a word.
const timeout = 4 * time.Second

// drainTime is how long emails whose data has ended are waited for when the program stops.
const drainTime = 8 * time.Second

// New makes an engine that sends nothing yet.
func New(box outbox.Outbox, settings Settings) *Engine {
	conns := 0
	for _, one := range settings.Servers {
		conns += one.Conns
	}
	wake, check, ended := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	servers, slots := newServers(settings.Servers, cmp.Or(settings.second, time.Second))
	e := &Engine{settings: settings, servers: servers, counts: &Counts{}, clock: &Clock{outbox: box, log: settings.Log}, series: make(chan struct{}, 1)}
	e.queue = newQueue(slots, newMXGroups(settings.LookupMX), settings.Limits, max(400, 8*conns), ended)
	e.standstill = &standstill{log: settings.Log, queue: e.queue, servers: servers, waiting: make([]waiting, conns)}
	e.lease = &lease{instances: box.Instances(), log: settings.Log, queue: e.queue, started: time.Now()}
	e.runs = &runControl{outbox: box.Runs(), log: settings.Log, clock: e.clock, queue: e.queue, check: check}
	e.records = &recorder{outbox: box, log: settings.Log, counts: e.counts, queue: e.queue, busy: &atomic.Int32{}, moves: &e.standstill.moves,
		results: make(chan result, 256), recorded: make(chan result, maxComplete)}
	e.heartbeat = &heartbeat{outbox: box.Batches(), log: settings.Log, queue: e.queue, lease: e.lease, runs: e.runs,
		standstill: e.standstill, check: check, wake: wake}
	e.fetcher = &fetcher{settings: &e.settings, outbox: box, clock: e.clock, queue: e.queue, lease: e.lease, runs: e.runs,
		quotas:     quotas{limits: settings.Limits.Owners, outbox: box.Batches(), log: settings.Log, clock: e.clock, runs: e.runs, owners: map[int64]*quota{}},
		standstill: e.standstill, wake: wake, known: map[int64]*sendingRun{}, served: map[int64]time.Time{}}
	e.maintainer = &maintainer{outbox: box, log: settings.Log, clock: e.clock, counts: e.counts, queue: e.queue, lease: e.lease,
		runs: e.runs, ended: ended, wake: wake, unlocked: map[int64]time.Time{}}
	return e
}

// Clock may be read at any time after Join.
func (e *Engine) Clock() *Clock { return e.clock }

// SeriesDue tells whoever plans that a step of a series may be due; the engine is only the one who hears it.
func (e *Engine) SeriesDue() <-chan struct{} { return e.series }

// Counts may be read at any time.
func (e *Engine) Counts() *Counts { return e.counts }

// Join enters this process among those that send and returns its number.
func (e *Engine) Join(ctx context.Context) (int64, error) {
	if _, err := e.clock.Ask(ctx); err != nil {
		return 0, err
	}
	if err := e.lease.register(ctx, 0); err != nil {
		return 0, err
	}
	return e.lease.id(), nil
}

// Run sends, after Join, until ctx ends. Then emails whose data has ended finish and are recorded,
// and what was fetched is given back.
func (e *Engine) Run(ctx context.Context) error {
	// Sockets and records outlive ctx by the time of the drain.
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, kill) })

	keep, stopKeeping := context.WithCancel(hard)
	var keepers, senders, recorders sync.WaitGroup
	keepers.Go(func() { e.heartbeat.run(keep) })
	keepers.Go(func() { e.maintainer.run(keep) })
	keepers.Go(func() { e.lease.listen(keep, e.notified) })
	keepers.Go(func() { e.fetcher.run(ctx) })
	keepers.Go(func() { e.queue.receivers.run(ctx) })
	recorders.Go(func() { e.records.record(hard) })
	recorders.Go(func() { e.records.complete(hard) })
	for _, s := range e.senders(hard) {
		senders.Go(func() { s.run(ctx) })
	}
	senders.Wait()
	close(e.records.results)
	recorders.Wait()
	stopKeeping()
	keepers.Wait()
	return e.lease.deregister(hard)
}

// senders are one per connection.
func (e *Engine) senders(hard context.Context) (all []*sender) {
	for _, to := range e.servers {
		for range to.Conns {
			all = append(all, &sender{
				returns: returnPaths{tokens: domain.NewReturnTokens(e.settings.Secret), from: e.settings.From.Address, domain: e.settings.BounceDomain},
				baseURL: e.settings.BaseURL, tokens: domain.NewUnsubscribeTokens(e.settings.Secret), visits: domain.NewVisitTokens(e.settings.Secret),
				log: e.settings.Log, clock: e.clock, queue: e.queue, lease: e.lease, server: to, servers: e.servers, runs: e.runs,
				records: e.records, busy: e.records.busy, wait: &e.standstill.waiting[len(all)], hard: hard, durable: make(chan struct{}, 1),
			})
		}
	}
	return all
}

// notified acts at once on what other processes and pages tell.
func (e *Engine) notified(told any) {
	switch told := told.(type) {
	case outbox.ClientSuppressed:
		e.runs.suppress(told)
	case outbox.SeriesDue:
		signal(e.series)
	case outbox.RunsChanged:
		e.runs.endRuns(told)
		signal(e.heartbeat.check)
		signal(e.fetcher.wake)
		signal(e.maintainer.ended)
	}
}
