package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// outcome of a command.
type outcome struct {
	code      int
	out, errs string
}

func command(input string, args ...string) outcome {
	var out, errs bytes.Buffer
	code := run(args, strings.NewReader(input), &out, &errs)
	return outcome{code, out.String(), errs.String()}
}

// withDatabaseURL makes the commands use a fresh database.
func withDatabaseURL(t *testing.T) *db.DB {
	t.Helper()
	address := dbtest.URL(t)
	t.Setenv("DATABASE_URL", address)
	opened, err := db.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"bogus"}, {"migrate", "sideways"}, {"user", "create"}, {"user", "create", "--email", "a@b.example", "--role", "king"},
		{"user", "create", "--email", "nonsense", "--role", "user"}, {"serve", "now"}} {
		if got := command("", args...); got.code != 2 || strings.Count(got.errs, "\n") != 1 || got.out != "" {
			t.Errorf("%v: %+v", args, got)
		}
	}
	for args, help := range map[string]string{
		"snd": `did you mean "send"? (see skychimp --help)`, "send --mailing x": "(see skychimp send --help)",
		"send --force": "send --mailing 7 --force", "send --until 2031-03-01": "send --dry-run --until", "send --dry-run --until soon": "no day such as", "user create": "(see skychimp user create --help)",
	} {
		if got := command("", strings.Fields(args)...); got.code != 2 || !strings.Contains(got.errs, help) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// A wrong value ends the start at once, with one line that names it.
func TestWrongValues(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	for variable, value := range map[string]string{
		"ADDR": "nowhere", "BASE_URL": "ftp://example.org", "DISPATCH_EVERY": "soon", "SMTP_URL": "http://x", "LOG_FORMAT": "xml",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			got := command("", "serve")
			if got.code != 2 || strings.Count(got.errs, "\n") != 1 || !strings.Contains(got.errs, variable+`="`+value) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Machines that share a database have to share the secret too, so none is made up.
func TestSecretIsAskedFor(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://localhost/none")
	if got := command("", "serve"); got.code != 2 || !strings.Contains(got.errs, "SECRET") || strings.Count(got.errs, "\n") != 1 {
		t.Errorf("%+v", got)
	}
}

func TestDatabaseUnreachable(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://me:hush@127.0.0.1:1/none")
	got := command("", "migrate", "status")
	if got.code != 1 || strings.Count(got.errs, "\n") != 1 || !strings.Contains(got.errs, "database") || strings.Contains(got.errs, "hush") {
		t.Errorf("%+v", got)
	}
}

func TestHelpAndVersion(t *testing.T) {
	got := command("", "--help")
	for _, want := range []string{"serve", "worker", "send", "migrate", "user create", "user role", "version"} {
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("no %s in %+v", want, got)
		}
	}
	for field := range reflect.TypeFor[config]().Fields() {
		if name := field.Tag.Get("env"); field.Tag.Get("help") == "" || !strings.Contains(got.out, "  "+name+" ") {
			t.Errorf("the help does not explain %s", name)
		}
	}
	for _, args := range [][]string{{"send"}, {"serve"}, {"worker"}, {"migrate"}, {"hold"}, {"user", "create"}} {
		got := command("", append(args, "--help")...)
		if got.code != 0 || strings.Count(got.out, "skychimp "+strings.Join(args, " ")) < 2 || strings.Contains(got.out, "SMTP_URL  ") {
			t.Errorf("%v: no example in %+v", args, got)
		}
	}
	if got := command("", "version"); got.code != 0 || !strings.Contains(got.out, "go1.") {
		t.Errorf("%+v", got)
	}
}

func TestUserCommands(t *testing.T) {
	database := withDatabaseURL(t)
	got := command("", "user", "create", "--email", "Boss@X.example", "--role", "manager")
	match := regexp.MustCompile(`Password: (\S{20})\n`).FindStringSubmatch(got.out)
	if got.code != 0 || match == nil {
		t.Fatalf("%+v", got)
	}
	user, err := database.Users().ByEmail(t.Context(), "boss@x.example")
	if err != nil || user.VerifiedAt.IsZero() || user.Role != domain.RoleManager || user.Name != "Boss" {
		t.Fatalf("%+v, %v", user, err)
	}
	if fits, err := web.NewPasswords(web.HashMemory).Match(t.Context(), web.Turn{}, match[1], user.PasswordHash); err != nil || !fits {
		t.Errorf("the printed password does not fit: %v", err)
	}
	got = command("", "user", "create", "--email", "boss@x.example", "--role", "user")
	if got.code != 1 || !strings.Contains(got.errs, "already exists") {
		t.Errorf("twice: %+v", got)
	}
	got = command("a password of mine\n", "user", "create", "--email", "anna@x.example", "--role", "user", "--name", "Anna", "--password-stdin")
	if got.code != 0 || strings.Contains(got.out, "assword") {
		t.Errorf("%+v", got)
	}
	user, err = database.Users().ByEmail(t.Context(), "anna@x.example")
	if err != nil || user.Name != "Anna" {
		t.Fatalf("%+v, %v", user, err)
	}
	if fits, _ := web.NewPasswords(web.HashMemory).Match(t.Context(), web.Turn{}, "a password of mine", user.PasswordHash); !fits {
		t.Error("the password from standard input does not fit")
	}
	if got := command("short\n", "user", "create", "--email", "bob@x.example", "--role", "user", "--password-stdin"); got.code != 2 {
		t.Errorf("a short password: %+v", got)
	}
	if got := command("", "user", "role", "--email", "anna@x.example", "--role", "admin"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if user, err = database.Users().ByEmail(t.Context(), "anna@x.example"); err != nil || user.Role != domain.RoleAdmin {
		t.Errorf("%+v, %v", user, err)
	}
	if got := command("", "user", "role", "--email", "nobody@x.example", "--role", "user"); got.code != 1 || !strings.Contains(got.errs, "nobody@x.example") {
		t.Errorf("%+v", got)
	}
}

func TestMigrateCommand(t *testing.T) {
	withDatabaseURL(t)
	if got := command("", "migrate", "status"); got.code != 0 || strings.Contains(got.out, "pending") || !strings.Contains(got.out, "applied") {
		t.Errorf("%+v", got)
	}
	got := command("", "migrate", "down", "--yes")
	if got.code != 0 || strings.Count(got.out, "pending") != 1 {
		t.Errorf("%+v", got)
	}
	if got := command("", "user", "role", "--email", "a@b.example", "--role", "user"); got.code != 1 || !strings.Contains(got.errs, "skychimp migrate") {
		t.Errorf("on an old schema: %+v", got)
	}
	if got := command("", "migrate"); got.code != 0 || strings.Contains(got.out, "pending") {
		t.Errorf("%+v", got)
	}
}

// A first migrate is one group to bun, which would roll all of it back at once.
func TestMigrateDownIsOneStep(t *testing.T) {
	database := withDatabaseURL(t)
	if got := command("", "user", "create", "--email", "ann@x.example", "--role", "user"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	state, err := database.Schema().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	living, err := outbox.New(database.Postgres()).Instances().Register(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := command("", "migrate", "down", "--yes"); got.code != 1 || !strings.Contains(got.errs, "stop every serve") {
		t.Errorf("with a program at work: %+v", got)
	}
	if err := outbox.New(database.Postgres()).Instances().Deregister(t.Context(), living); err != nil {
		t.Fatal(err)
	}
	for i, name := range slices.Backward(state.Applied) {
		if got := command("", "migrate", "down"); got.code != 2 || !strings.Contains(got.out, name+" loses") || !strings.Contains(got.errs, "--yes") {
			t.Errorf("without --yes: %+v", got)
		}
		got := command("", "migrate", "down", "--yes")
		if got.code != 0 || !strings.Contains(got.out, name) || strings.Count(got.out, "applied") != i || strings.Count(got.out, "pending") != len(state.Applied)-i {
			t.Errorf("step %s: %+v", name, got)
		}
		if i == 0 && !strings.Contains(got.out, "table users, 1 rows") {
			t.Errorf("the last step does not say what was lost: %s", got.out)
		}
	}
	if got := command("", "migrate", "down", "--yes"); got.code != 1 || !strings.Contains(got.errs, "nothing to take back") {
		t.Errorf("%+v", got)
	}
	if got := command("", "migrate"); got.code != 0 || strings.Contains(got.out, "pending") {
		t.Errorf("%+v", got)
	}
}

func TestSecretIsMadeOnce(t *testing.T) {
	c := config{DataDir: filepath.Join(t.TempDir(), "data")}
	keys := make(chan string, 8)
	for range cap(keys) {
		go func() {
			key, err := c.secretKey()
			if err != nil {
				t.Error(err)
			}
			keys <- string(key)
		}()
	}
	first := <-keys
	for range cap(keys) - 1 {
		if key := <-keys; key != first || len(key) < 32 {
			t.Errorf("%q, then %q", first, key)
		}
	}
	info, err := os.Stat(filepath.Join(c.DataDir, "secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if entries, err := os.ReadDir(c.DataDir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
