package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

const about = `SkyChimp sends mailings on a schedule and shows what happened to every email.

Try it without any settings:

	skychimp demo                  sample data at http://localhost:8080, emails at /inbox

Run it for real:

	skychimp migrate               once, and after every update
	skychimp user create --email me@example.com --role admin
	skychimp check                 whether receivers will take the emails, and what to do
	skychimp serve                 until Ctrl-C; it finishes the emails being sent, then exits

Send from cron, without a running service:

	skychimp send --dry-run        show what would be sent now
	skychimp send                  send it and wait`

// Help is shown by skychimp send --help.
func (sendCommand) Help() string {
	return `Sends what is due and waits until every email has a result. It can run beside "serve" and "worker":
no email is sent twice. Ctrl-C stops it cleanly; the next start continues.

Examples:

	skychimp send --dry-run                   list what is due: mailing, time, number of recipients
	skychimp send --dry-run --until 2027-03-01  list all that goes out up to that day
	skychimp send                             send it
	skychimp send --mailing 7                 only mailing 7, if it is due
	skychimp send --mailing 7 --force         mailing 7 now, even if it is not due
	*/5 * * * * skychimp send >> send.log     a crontab line

Exit codes: 0 when every email was accepted or nothing was due; 1 when some failed or will be retried,
and while the installation is on hold; 2 on wrong use.`
}

// Help is shown by skychimp serve --help.
func (serveCommand) Help() string {
	return `Serves the web pages at ADDR and sends in the background. Without DATABASE_URL it starts a private
Postgres. Without SMTP_URL it catches all emails and shows them at /inbox (with DATABASE_URL, set
SMTP_URL=inbox for that). Ctrl-C or SIGTERM ends it cleanly.

Examples:

	skychimp serve
	ADDR=:80 BASE_URL=http://mail.example.com skychimp serve
	SMTP_URL="smtp://me:secret@mail.example.com:587" MAIL_FROM="Me <me@example.com>" skychimp serve

skychimp --help explains every setting.`
}

// Help is shown by skychimp worker --help.
func (workerCommand) Help() string {
	return `Sends emails and runs background jobs, without web pages. It needs the same DATABASE_URL, SECRET and
SMTP_URL as "serve". Start as many as you like: each email is sent by one of them, and when one dies
the others take over.

	DATABASE_URL=postgres://... SECRET=... SMTP_URL=smtp://... skychimp worker`
}

// Help is shown by skychimp migrate --help.
func (migrateCommand) Help() string {
	return `Examples:

	skychimp migrate status        what is applied and what is pending
	skychimp migrate               apply what is pending
	skychimp migrate down          show what undoing the newest step would lose
	skychimp migrate down --yes    undo it; no serve, worker or send may be running`
}

// Help is shown by skychimp user create --help.
func (userCreateCommand) Help() string {
	return `Roles: user has clients and mailings, manager oversees them, content writes the blog, admin may do everything.

Examples:

	skychimp user create --email me@example.com --role admin
	echo "four words nobody guesses" | skychimp user create --email me@example.com --role user --password-stdin`
}

// help shows what kong knows and, for the program as a whole, the settings.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || ctx.Selected() != nil {
		return err
	}
	return explainSettings(ctx.Stdout)
}

// explainSettings lists the environment by the tags of config.
func explainSettings(out io.Writer) error {
	fmt.Fprint(out, "\nSettings, from the environment:\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for field := range reflect.TypeFor[config]().Fields() {
		meaning := field.Tag.Get("help")
		if standard := field.Tag.Get("envDefault"); standard != "" {
			meaning += " (" + standard + ")"
		}
		fmt.Fprintf(table, "  %s\t%s\n", field.Tag.Get("env"), meaning)
	}
	return table.Flush()
}

// wrongUse says what is wrong and where to read on.
func wrongUse(err error) error {
	where := "skychimp"
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok && wrong.Context.Selected() != nil {
		where += " " + strings.TrimSuffix(wrong.Context.Selected().Path(), " ")
	}
	return misuse{fmt.Errorf("%w (see %s --help)", err, where)}
}
