package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/static"
	"skychimp/templates"
)

// version is set by the build: -ldflags "-X main.version=...".
var version = "dev"

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *program) error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = setting.Value
			}
		}
	}
	fmt.Fprintf(p.out, "skychimp %s, commit %s, %s\n", version, commit, runtime.Version())
	return nil
}

type migrateCommand struct {
	To  string `arg:"" optional:"" enum:"up,down,status" default:"up" help:"up, down or status."`
	Yes bool   `help:"Undo the step (with down)."`
}

// Run moves the schema and prints how far it is.
func (m migrateCommand) Run(p *program) (err error) {
	database, err := p.openDatabase()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.close()) }()
	do := database.Schema().Migrate
	switch m.To {
	case "down":
		if err := m.down(p, database); err != nil {
			return err
		}
		do = database.Schema().Status
	case "status":
		do = database.Schema().Status
	}
	state, err := do(p.ctx)
	for _, name := range state.Applied {
		fmt.Fprintln(p.out, "applied", name)
	}
	for _, name := range state.Pending {
		fmt.Fprintln(p.out, "pending", name)
	}
	return err
}

// down takes one step back, or says what that would mean.
func (m migrateCommand) down(p *program, database *database) error {
	step, err := database.Schema().Rollback(p.ctx, m.Yes)
	if err != nil {
		return err
	}
	if step.Name == "" {
		return errors.New("there is nothing to take back: no step is applied")
	}
	says := "taking back %s loses:\n"
	if m.Yes {
		says = "taken back %s, and lost:\n"
	}
	fmt.Fprintf(p.out, says, step.Name)
	if len(step.Lost) == 0 {
		step.Lost = []string{"no data"}
	}
	for _, one := range step.Lost {
		fmt.Fprintln(p.out, "  "+one)
	}
	if !m.Yes {
		return misuse{errors.New("nothing was changed; to do it: skychimp migrate down --yes")}
	}
	return nil
}

type userCreateCommand struct {
	Email         string `required:"" help:"Address to sign in with."`
	Role          string `required:"" enum:"user,manager,content,admin" help:"user, manager, content or admin."`
	Name          string `help:"Name; without it the part of the address before the @."`
	PasswordStdin bool   `help:"Read the password from standard input instead of generating one."`
}

// Run creates the user.
func (u userCreateCommand) Run(p *program) error {
	form := domain.UserForm{Name: u.Name, Email: u.Email, Password: rand.Text()[:20], Language: "en", Timezone: "UTC"}
	if form.Name == "" {
		form.Name, _, _ = strings.Cut(u.Email, "@")
	}
	if u.PasswordStdin {
		line, err := bufio.NewReader(p.in).ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		form.Password = strings.TrimRight(line, "\r\n")
	}
	var registration domain.Registration
	if err := registration.Change(form); err != nil {
		return misuse{inEnglish(err)}
	}
	var problems domain.ValidationErrors
	if domain.CheckPassword(&problems, form.Password, form.Email); len(problems) > 0 {
		return misuse{inEnglish(problems)}
	}
	return p.withDatabase(func(database *database) error {
		hash, err := web.NewPasswords(web.HashMemory).Hash(p.ctx, web.Turn{}, form.Password)
		if err != nil {
			return err
		}
		user := registration.User(hash, time.Now())
		user.Role = domain.Role(u.Role)
		if err := database.Users().Create(p.ctx, &user); err != nil {
			return inEnglish(err)
		}
		fmt.Fprintf(p.out, "Created %s, role %s.\n", user.Email, user.Role)
		if !u.PasswordStdin {
			fmt.Fprintf(p.out, "Password: %s\n", form.Password)
		}
		return nil
	})
}

type userRoleCommand struct {
	Email string `required:"" help:"Address of the user."`
	Role  string `required:"" enum:"user,manager,content,admin" help:"user, manager, content or admin."`
}

// Run gives the role.
func (u userRoleCommand) Run(p *program) error {
	return p.withDatabase(func(database *database) error {
		user, err := database.Users().ByEmail(p.ctx, domain.NormalEmail(u.Email))
		if domain.KindOf(err) == domain.NotFound {
			return fmt.Errorf("no user has the address %s", u.Email)
		}
		if err != nil {
			return err
		}
		operator := domain.User{Role: domain.RoleAdmin}
		_, err = database.Users().GiveRole(p.ctx, operator, user.ID, domain.Role(u.Role), time.Now())
		if err == nil {
			fmt.Fprintf(p.out, "%s has the role %s now.\n", user.Email, u.Role)
		}
		return err
	})
}

// withDatabase runs do on the open database with a current schema.
func (p *program) withDatabase(do func(*database) error) (err error) {
	database, err := p.openDatabase()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.close()) }()
	if err := database.currentSchema(p.ctx); err != nil {
		return err
	}
	return do(database)
}

// withSending is withDatabase for who sends: with complete settings that fit the database.
func (p *program) withSending(do func(*database) error) error {
	if err := p.config.complete(); err != nil {
		return err
	}
	return p.withDatabase(func(database *database) error {
		if err := p.recognize(database); err != nil {
			return err
		}
		return do(database)
	})
}

// inEnglish is a refusal in words, for the command line.
func inEnglish(err error) error {
	files, failed := static.Load()
	if failed != nil {
		return err
	}
	set, failed := templates.New(files)
	if failed != nil {
		return err
	}
	list := []*domain.Error{}
	if problems, ok := errors.AsType[domain.ValidationErrors](err); ok {
		list = problems
	} else if one, ok := errors.AsType[*domain.Error](err); ok {
		list = append(list, one)
	}
	var texts []string
	for _, one := range list {
		texts = append(texts, set.Texts().Fill("en", one.Key, one.Args))
	}
	if len(texts) == 0 {
		return err
	}
	return errors.New(strings.Join(slices.Compact(texts), " "))
}
