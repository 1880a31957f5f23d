package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/feeds"
	"skychimp/handlers/inbox"
	"skychimp/handlers/jobs"
	"skychimp/handlers/jobs/engine"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/links"
	"skychimp/handlers/resolver"
	"skychimp/templates"
)

// workers are what works behind the pages: the engine, the queue and, without SMTP_URL, the
// mail server of the test inbox.
type workers struct {
	settings engine.Settings
	engine   *engine.Engine
	instance int64
	running  sync.WaitGroup
	failed   chan error         // gets the error of an engine that could not go on
	drain    context.CancelFunc // ends the engine
	inbox    context.CancelFunc // ends the inbox, after everybody who sends to it
	stopJobs func(context.Context) error
	metrics  func() // ends them
	bounces  func() // ends what takes returned emails
}

// startEngine starts what sends, without the queue: all that the send command needs.
func (p *program) startEngine(database *database, texts *templates.Texts) (*workers, error) {
	w := &workers{failed: make(chan error, 1), metrics: func() {}, bounces: func() {}, stopJobs: func(context.Context) error { return nil }}
	if err := p.configure(w, database, texts); err != nil {
		return nil, err
	}
	w.engine = engine.New(database.outbox(), w.settings)
	var err error
	if w.instance, err = w.engine.Join(p.ctx); err != nil {
		w.inbox()
		return nil, err
	}
	ctx, drain := context.WithCancel(context.WithoutCancel(p.ctx))
	w.drain = drain
	w.running.Go(func() { w.failed <- w.engine.Run(ctx) })
	return w, nil
}

// startWorkers starts the engine and the queue; media is nil where no pages are served.
func (p *program) startWorkers(database *database, texts *templates.Texts, media *db.Media) (*workers, error) {
	w, err := p.startEngine(database, texts)
	if err != nil {
		return nil, err
	}
	mail := &jobs.MailWorker{Settings: w.settings, DB: database.DB,
		Deliver: func(ctx context.Context, from, to string, email []byte) error {
			return jobs.DeliverOne(ctx, w.settings.Servers, from, to, email)
		}}
	stopJobs, err := jobs.Start(context.WithoutCancel(p.ctx), jobs.Config{
		DB: database.DB, Outbox: database.outbox(), Log: p.log, Clock: w.engine.Clock(), Instance: w.instance,
		Every: time.Duration(p.config.DispatchEvery), Mail: mail, Found: &w.engine.Counts().Mismatches, Media: media,
		DNS: resolver.New(string(p.config.DNSAddr)), Series: w.engine.SeriesDue(), Feeds: p.feeds(database),
	})
	if err != nil {
		return nil, errors.Join(err, w.stop())
	}
	w.stopJobs = stopJobs
	stopBounces, err := p.startBounces(database)
	if err != nil {
		return nil, errors.Join(err, w.stop())
	}
	w.bounces = stopBounces
	if w.metrics, err = p.serveMetrics(w.engine); err != nil {
		w.metrics = func() {}
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

// stop lets emails and jobs under way finish.
func (w *workers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	w.drain()
	err := w.stopJobs(ctx)
	w.running.Wait()
	w.inbox()
	w.bounces()
	w.metrics()
	return errors.Join(err, <-w.failed)
}

// configure reads what sending needs from the environment, and starts the test inbox when
// there is no mail server.
func (p *program) configure(w *workers, database *database, texts *templates.Texts) error {
	secret, err := p.config.secretKey()
	if err != nil {
		return err
	}
	w.settings = engine.Settings{
		From: *p.config.MailFrom.Address, BounceDomain: string(p.config.BounceDomain), BaseURL: p.config.BaseURL.String(), Secret: secret,
		Translate: texts.Say, Log: p.log, LookupMX: resolver.New(string(p.config.DNSAddr)).LookupMX,
		Limits: engine.Limits{Domains: domain.Limits(p.config.DomainLimits), Owners: domain.OwnerLimits(p.config.OwnerLimits)},
	}
	if w.settings.Vault, err = emailauth.NewVault(secret, p.config.SecretOld.key()); err != nil {
		return err
	}
	if w.settings.Signer, err = p.signer(); err != nil {
		return err
	}
	if w.settings.Signer != nil && !w.settings.Signer.SignsWithRSA() {
		p.log.Warn("most receivers cannot verify ed25519: add an RSA key to DKIM_KEY and its selector to DKIM_SELECTOR")
	}
	w.inbox = func() {}
	if w.settings.Servers = p.config.servers(); len(w.settings.Servers) > 0 {
		return nil
	}
	return p.startInbox(w, database)
}

func (p *program) startInbox(w *workers, database *database) error {
	w.settings.Limits.Owners.FirstDay = 0 // it distrusts nobody
	listener, err := p.listen("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the dev inbox: %w", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(p.ctx))
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := inbox.Serve(ctx, listener, database.Inbox().Save); err != nil {
			p.log.Error("the dev inbox ended", "error", err)
		}
	})
	w.inbox = func() { stop(); serving.Wait() }
	w.settings.Servers, err = smtp.ParseURLs("smtp://" + listener.Addr().String() + "?tls=none")
	return err
}

type workerCommand struct{}

// Run sends what is due and works the queue until the context ends.
func (workerCommand) Run(p *program) error {
	return p.withSending(func(database *database) error {
		texts, err := templates.LoadTexts()
		if err != nil {
			return err
		}
		w, err := p.startWorkers(database, texts, nil)
		if err != nil {
			return err
		}
		p.logCheck(texts)
		fmt.Fprintln(p.out, "SkyChimp is sending.")
		return w.wait(p.ctx)
	})
}

// wait stops the workers when ctx ends or when sending cannot go on.
func (w *workers) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case err := <-w.failed:
		w.failed <- err // stop reports it
	}
	return w.stop()
}

// feeds fetches the posts of digests.
func (p *program) feeds(database *database) *feeds.Feeds {
	return &feeds.Feeds{DB: database.DB, Links: &links.Checker{}, BaseURL: p.config.BaseURL.String(), Log: p.log}
}
