// Package handlers answers: every address stands in routes.go, one folder per noun has its pages,
// and web what they share.
package handlers

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain/emailauth"
	"skychimp/handlers/account"
	"skychimp/handlers/blog"
	"skychimp/handlers/brands"
	"skychimp/handlers/checks"
	"skychimp/handlers/clients"
	"skychimp/handlers/fields"
	"skychimp/handlers/forms"
	"skychimp/handlers/holdout"
	"skychimp/handlers/home"
	"skychimp/handlers/imports"
	"skychimp/handlers/inbox"
	"skychimp/handlers/links"
	"skychimp/handlers/mailings"
	"skychimp/handlers/messages"
	"skychimp/handlers/onboarding"
	"skychimp/handlers/recipients"
	"skychimp/handlers/resolver"
	"skychimp/handlers/results"
	"skychimp/handlers/runs"
	"skychimp/handlers/segments"
	"skychimp/handlers/senders"
	"skychimp/handlers/series"
	"skychimp/handlers/staff"
	"skychimp/handlers/topics"
	"skychimp/handlers/tracking"
	"skychimp/handlers/web"
	"skychimp/static"
	"skychimp/templates"
)

// Config is what the site needs to know of the environment.
type Config struct {
	web.Config
	Media     *db.Media          // pictures of posts and emails
	DNS       *resolver.Resolver // looks after the domains of senders
	Links     *links.Checker     // asks the links of emails; nil: one that tests need not change
	Check     func(context.Context) []emailauth.Line
	Passwords *web.Passwords
	Settings  []checks.Setting   // in force, without what is secret
	Visits    *tracking.Recorder // of emails; nil: one that keeps them in memory
}

// nouns are the rooms of the site.
type nouns struct {
	account    *account.Account
	blog       *blog.Blog
	answers    *messages.Answers
	brands     *brands.Brands
	sources    *messages.Sources
	versions   *messages.Versions
	checks     *checks.Checks
	clients    *clients.Clients
	fields     *fields.Fields
	forms      *forms.Forms
	home       *home.Home
	imports    *imports.Imports
	inbox      *inbox.Inbox
	launches   *mailings.Launches
	dates      *mailings.Dates
	mailings   *mailings.Mailings
	calendar   *mailings.Calendar
	messages   *messages.Messages
	onboarding *onboarding.Onboarding
	overviews  *staff.Overviews
	recipients *recipients.Recipients
	results    *results.Results
	runs       *runs.Runs
	segments   *segments.Segments
	senders    *senders.Senders
	series     *series.Series
	staff      *staff.Staff
	topics     *topics.Topics
	tracking   *tracking.Tracking
}

func newNouns(config Config, database *db.DB, files *static.Files, log *slog.Logger) (n nouns, err error) {
	n = nouns{
		account: &account.Account{DB: database, Passwords: config.Passwords}, blog: blog.New(database, config.Media), clients: &clients.Clients{DB: database, Segments: &segments.Segments{DB: database}},
		fields:  &fields.Fields{DB: database},
		topics:  &topics.Topics{DB: database},
		results: &results.Results{DB: database}, overviews: &staff.Overviews{DB: database, Settings: config.Settings},
		segments: &segments.Segments{DB: database},
		checks:   &checks.Checks{Look: config.Check, Settings: config.Settings},
		imports:  &imports.Imports{DB: database}, inbox: &inbox.Inbox{DB: database}, messages: messages.New(database, config.Media, config.Links),
		recipients: &recipients.Recipients{DB: database, Secret: config.Secret, SecretOld: config.SecretOld},
	}
	if config.Visits == nil {
		config.Visits = tracking.NewRecorder(database, log)
	}
	n.tracking = tracking.New(database, config.Visits, config.Secret, config.SecretOld)
	n.runs = &runs.Runs{DB: database, Bounces: config.Bounces, Messages: n.messages}
	n.answers, n.sources = &messages.Answers{Messages: n.messages}, &messages.Sources{Messages: n.messages}
	n.versions = &messages.Versions{Messages: n.messages}
	n.brands = &brands.Brands{DB: database, Messages: n.messages}
	n.home = &home.Home{DB: database, Files: files, Blog: n.blog}
	vault, err := emailauth.NewVault(config.Secret, config.SecretOld)
	if err != nil {
		return n, err
	}
	n.senders = &senders.Senders{DB: database, Vault: vault, DNS: config.DNS}
	holdouts := &holdout.Holdouts{DB: database}
	n.mailings = &mailings.Mailings{DB: database, Runs: n.runs, Senders: n.senders, Segments: n.segments, Holdouts: holdouts}
	n.forms = forms.New(database, n.senders, config.Secret, config.SecretOld)
	n.series = &series.Series{DB: database, Senders: n.senders, Messages: n.messages, Holdouts: holdouts}
	n.launches, n.dates = &mailings.Launches{Mailings: n.mailings}, &mailings.Dates{Mailings: n.mailings}
	n.calendar = &mailings.Calendar{Mailings: n.mailings}
	n.onboarding = &onboarding.Onboarding{DB: database, Clients: n.clients, Imports: n.imports, Messages: n.messages, Runs: n.runs}
	n.staff, err = staff.New(database, config.Passwords, log)
	return n, err
}

// New is the whole site as an application that listens nowhere yet.
func New(config Config, database *db.DB, set *templates.Set, files *static.Files, log *slog.Logger) (*fiber.App, error) {
	site, err := web.NewSite(config.Config, database, set, nav(), log)
	if err != nil {
		return nil, err
	}
	n, err := newNouns(config, database, files, log)
	if err != nil {
		return nil, err
	}
	return site.App(routes(n), uploads(), map[string]fiber.Handler{"/c/:token/:n": n.tracking.Quick, "/o/:token": n.tracking.Quick}), nil
}
