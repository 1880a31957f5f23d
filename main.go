// SkyChimp sends mailings and shows what happened to every email.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	_ "time/tzdata" // machines without zone files

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve   serveCommand   `cmd:"" default:"1" help:"Serve the web pages and send what is due, until Ctrl-C (the default)."`
	Worker  workerCommand  `cmd:"" help:"Send and run background jobs, without web pages: for more machines on the same database."`
	Send    sendCommand    `cmd:"" help:"Send what is due now and wait for it."`
	Migrate migrateCommand `cmd:"" help:"Update the database schema, undo its newest step, or show its status."`
	Check   checkCommand   `cmd:"" help:"Check whether receivers will take the emails of this installation, and say what to do."`
	Hold    holdCommand    `cmd:"" help:"Put all mailings on hold, resume them, or show the status."`
	User    struct {
		Create userCreateCommand `cmd:"" help:"Create a verified user; prints a generated password."`
		Role   userRoleCommand   `cmd:"" help:"Change a user's role."`
	} `cmd:"" help:"Create users and give roles."`
	Demo    demoCommand    `cmd:"" help:"Serve with sample data: prints the passwords and launches one mailing."`
	Version versionCommand `cmd:"" help:"Print version, commit and Go version."`
}

// program is what every command gets.
type program struct {
	ctx    context.Context // ends with the first SIGINT or SIGTERM
	out    io.Writer
	in     io.Reader
	config config
	log    *slog.Logger
}

// misuse is an error of who started the program: exit 2 instead of 1.
type misuse struct{ error }

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program; the result is the exit code.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	var cli commands
	exit := -1
	parser, err := kong.New(&cli, kong.Name("skychimp"), kong.Description(about), kong.Writers(out, errs),
		kong.Exit(func(code int) { exit = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Help(help))
	if err != nil {
		return fail(errs, err)
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		return fail(errs, wrongUse(err))
	}
	settings, err := readConfig(os.Environ())
	if err != nil && command.Command() != "version" {
		return fail(errs, misuse{err})
	}
	ctx, stop := untilSignal()
	defer stop()
	log := newLog(errs, settings.LogFormat)
	for _, one := range typos(os.Environ()) {
		log.Warn("a variable of the environment is not known and has no effect", "name", one.name, "meant", one.meant)
	}
	return fail(errs, command.Run(&program{ctx: ctx, out: out, in: in, config: settings, log: log}))
}

// fail says what went wrong in one line.
func fail(errs io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(errs, "skychimp:", strings.ReplaceAll(err.Error(), "\n", "; "))
	if _, ok := errors.AsType[misuse](err); ok {
		return 2
	}
	return 1
}

func newLog(out io.Writer, format logFormat) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(out, nil))
	}
	return slog.New(slog.NewTextHandler(out, nil))
}
