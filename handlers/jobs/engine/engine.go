// Package engine sends the emails of all open runs.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/jobs/smtp"
)

// Settings are what sending needs to know of the outside.
type Settings struct {
	Servers   []smtp.Server
	Limits    Limits
	From      mail.Address // MAIL_FROM
	BaseURL   string       // of links in letters, without a slash at its end
	Secret    []byte       // signs the unsubscribe links and makes those of system emails
	Signer    *email.Signer
	Translate func(language, key string, args ...any) string
	Log       *slog.Logger
}

// Limits bound what each process sends to a receiving domain and for an owner.
type Limits struct {
	Domains domain.Limits
	Owners  domain.OwnerLimits
}

// Engine sends the letters of all open runs: it claims blocks of deliveries, hands each letter
// to the mail server and records the answer before it lets another one go on the same
// connection. The tables are the truth; the engine only holds what it has claimed.
type Engine struct {
	Settings
	outbox   outbox.Outbox
	queue    *queue
	results  chan settled  // to record
	recorded chan settled  // to settle
	wake     chan struct{} // claim: something new may be there
	check    chan struct{} // keep: a run may have to stop
	ended    chan struct{} // tend: a run may be at its end
	servers  []*server

	troubled   atomic.Pointer[string]
	instance   atomic.Pointer[outbox.Instance]
	joining    sync.Mutex   // held while instance changes, after Join
	beaten     atomic.Int64 // when the last heartbeat succeeded, in nanoseconds since started
	started    time.Time
	clock      *Clock
	counts     Counts
	busy       atomic.Int32 // connections with a letter under way
	standstill standstill
	suppressed sync.Map // client id -> time.Time, since the claims that are in hand
}

// New makes an engine that sends nothing yet.
func New(outbox outbox.Outbox, settings Settings) *Engine {
	conns := 0
	for _, one := range settings.Servers {
		conns += one.Conns
	}
	servers, doors := newServers(settings.Servers)
	ended := make(chan struct{}, 1)
	return &Engine{
		Settings: settings, outbox: outbox, servers: servers, queue: newQueue(doors, settings.Limits, max(400, 8*conns), ended), started: time.Now(),
		results: make(chan settled, 256), recorded: make(chan settled, maxBatch), wake: make(chan struct{}, 1),
		check: make(chan struct{}, 1), ended: ended, clock: &Clock{outbox: outbox, log: settings.Log},
		standstill: standstill{asking: make([]asking, conns)},
	}
}

// Counts are what the engine has done since it started, for the metrics.
type Counts struct {
	Accepted, Deferred, Failed, Unknown atomic.Int64 // recorded attempts by status
	Commits, Unbalanced, TakenOver      atomic.Int64 // groups recorded; runs whose sum was wrong; blocks of dead processes
}

// Clock may be read at any time after Join.
func (e *Engine) Clock() *Clock { return e.clock }

// Counts may be read at any time.
func (e *Engine) Counts() *Counts { return &e.counts }

func (c *Counts) add(group []settled) {
	c.Commits.Add(1)
	for _, one := range group {
		switch one.Status {
		case domain.Accepted:
			c.Accepted.Add(1)
		case domain.Deferred:
			c.Deferred.Add(1)
		case domain.Failed:
			c.Failed.Add(1)
		case domain.Unknown:
			c.Unknown.Add(1)
		}
	}
}

// patience is how long the database is waited for, because a connection can die without a word.
const patience = 4 * time.Second

// drainTime is how long letters whose dot is out are waited for when the program stops.
const drainTime = 8 * time.Second

// Join enters this process among those that send and returns its number.
func (e *Engine) Join(ctx context.Context) (int64, error) {
	if _, err := e.clock.Ask(ctx); err != nil {
		return 0, err
	}
	if err := e.enlist(ctx, 0); err != nil {
		return 0, err
	}
	return e.instance.Load().ID, nil
}

// Run sends, after Join, until ctx ends. Then letters whose dot is out finish and are recorded,
// and what was claimed is given back.
func (e *Engine) Run(ctx context.Context) error {
	// Sockets and records outlive ctx by the time of the drain.
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, kill) })

	keep, stopKeeping := context.WithCancel(hard)
	var keepers, senders, recorders sync.WaitGroup
	keepers.Go(func() { e.keep(keep) })
	keepers.Go(func() { e.tend(keep) })
	keepers.Go(func() { e.hear(keep) })
	keepers.Go(func() { e.claim(ctx) })
	recorders.Go(func() { e.record(hard) })
	recorders.Go(func() { e.settle(hard) })
	sender := 0
	for _, to := range e.servers {
		for range to.Conns {
			asking := &e.standstill.asking[sender]
			senders.Go(func() { e.send(ctx, hard, to, asking) })
			sender++
		}
	}
	senders.Wait()
	close(e.results)
	recorders.Wait()
	stopKeeping()
	keepers.Wait()
	return e.leave(hard)
}

// enlist makes this process an instance and gives up what was claimed under another number.
func (e *Engine) enlist(ctx context.Context, id int64) error {
	instance, err := e.outbox.Instances().Register(ctx, id)
	if err != nil {
		return err
	}
	e.instance.Store(instance)
	e.queue.renew(instance.ID)
	e.beat()
	return nil
}

func (e *Engine) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	instance := e.instance.Load()
	defer instance.Close(ctx)
	if err := e.outbox.Instances().Deregister(ctx, instance); err != nil && !errors.Is(err, outbox.ErrFenced) {
		return err // the advisory lock goes with the connection, so others take over anyway
	}
	return nil
}

// leaseTime is how long after a heartbeat letters may be sent. Others take an instance for
// dead after 10 s of silence, so a process that was frozen stops by itself before that.
const leaseTime = 8 * time.Second

func (e *Engine) beat() { e.beaten.Store(int64(time.Since(e.started))) }

func (e *Engine) leased() bool {
	return time.Since(e.started)-time.Duration(e.beaten.Load()) < leaseTime
}

// maySend is the last question before a dot: is the letter still this instance's to send?
func (e *Engine) maySend(it item) bool {
	return !it.block.run.over() && it.block.instance == e.instance.Load().ID && e.leased()
}
