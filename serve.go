package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/handlers"
	"skychimp/handlers/tracking"
	"skychimp/handlers/web"
	"skychimp/static"
	"skychimp/templates"
)

// drain is how long requests and emails under way may take to finish after the first signal.
const drain = 20 * time.Second

type serveCommand struct{}

// Run serves until the context ends.
func (serveCommand) Run(p *program) error {
	return p.serveAfter(func(*database) error { return nil })
}

// serveAfter serves until the context ends, when prepare has done what it wants in the
// database.
func (p *program) serveAfter(prepare func(*database) error) (err error) {
	files, err := loadStatic()
	if err != nil {
		return err
	}
	if err := p.config.complete(); err != nil {
		return err
	}
	secret, err := p.config.secretKey()
	if err != nil {
		return err
	}
	listener, err := p.listen(string(p.config.Addr))
	if err != nil {
		return fmt.Errorf("ADDR=%q: %w", p.config.Addr, err)
	}
	defer listener.Close()
	database, err := p.openDatabase()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.close()) }()
	if err := p.ready(database, prepare); err != nil {
		return err
	}
	set, err := templates.New(files)
	if err != nil {
		return err
	}
	media, err := p.openMedia()
	if err != nil {
		return err
	}
	defer media.Close()
	if err := p.startPublic(database); err != nil {
		return err
	}
	site, err := p.site(secret)
	if err != nil {
		return err
	}
	site.Media, site.Visits = media, tracking.NewRecorder(database.DB, p.log)
	site.Visits.Start()
	defer site.Visits.Close() // after the last request
	app, err := handlers.New(site, database.DB, set, files, p.log)
	if err != nil {
		return err
	}
	gate, err := web.Gate(listener, p.config.TrustedProxies, p.log)
	if err != nil {
		return err
	}
	working, err := p.startWorkers(database, set.Texts(), media)
	if err != nil {
		return err
	}
	p.logCheck(set.Texts())
	return errors.Join(p.serve(app, gate, working.failed), working.stop())
}

// site is what the pages need to know of the environment.
func (p *program) site(secret []byte) (handlers.Config, error) {
	installation, err := p.installation()
	return handlers.Config{
		Config: web.Config{BaseURL: p.config.BaseURL.URL, Addr: string(p.config.Addr), Proxies: p.config.TrustedProxies,
			Inbox: len(p.config.SMTPURL) == 0, Bounces: installation.BouncesRead, Secret: secret, SecretOld: p.config.SecretOld.key(),
			RecallFor: time.Duration(p.config.RecallFor)},
		Check: installation.Lines, DNS: installation.DNS, Passwords: web.NewPasswords(web.HashMemory), Settings: settings(os.Environ()),
	}, err
}

// loadStatic refuses a build without the files that npm brings.
func loadStatic() (*static.Files, error) {
	files, err := static.Load()
	if err != nil {
		return nil, err
	}
	if missing := files.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("static/%s is missing in this build: start with `make run`, or run `npm ci && make vendor` and build again",
			strings.Join(missing, ", static/"))
	}
	return files, nil
}

// ready sees to it that the database is what this program can serve from.
func (p *program) ready(database *database, prepare func(*database) error) error {
	if err := database.currentSchema(p.ctx); err != nil {
		return err
	}
	if err := p.recognize(database); err != nil {
		return err
	}
	return prepare(database)
}

// serve answers until the context ends, then lets what is under way come to its end.
func (p *program) serve(app *fiber.App, listener net.Listener, failed chan error) error {
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	fmt.Fprintf(p.out, "SkyChimp is ready: open %s\n", p.config.BaseURL)
	if len(p.config.SMTPURL) == 0 {
		fmt.Fprintf(p.out, "Emails go to the inbox at %s/inbox\n", p.config.BaseURL)
	}
	select {
	case err := <-ended:
		return err
	case err := <-failed:
		failed <- err // stop reports it
	case <-p.ctx.Done():
	}
	p.log.Info("stopping; a second signal ends at once")
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return app.ShutdownWithContext(ctx)
}

// untilSignal is a context that the first SIGINT or SIGTERM ends; the second one kills.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
