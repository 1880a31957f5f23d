package faulttest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// A slip in the name of SMTP_URL took 2,600 real emails into the dev inbox.
func TestTypoOfSMTPURL(t *testing.T) {
	env := newEnv(t, smtptest.Script{})
	env.begin(env.fill(20))
	for _, command := range []string{"serve", "worker", "send"} {
		code, _, errs := programtest.Run(t, []string{"DATABASE_URL=" + env.url, "SECRET=" + secret, "SMPT_URL=smtp://" + env.server.Addr(), "DATA_DIR=" + t.TempDir()}, "", command)
		if code != 2 || !strings.Contains(errs, "name=SMPT_URL meant=SMTP_URL") || !strings.Contains(errs, "SMTP_URL is empty") {
			t.Errorf("%s: exit %d: %s", command, code, errs)
		}
	}
	if n := env.count("SELECT count(*) FROM attempts") + env.count("SELECT count(*) FROM inbox_emails"); n > 0 {
		t.Errorf("%d emails were sent", n)
	}
}

// Links signed with another SECRET answered 404 on the other machines.
func TestOtherSecretIsRefused(t *testing.T) {
	env := newEnv(t, smtptest.Script{})
	with := func(settings ...string) (code int, errs string) {
		t.Helper()
		code, _, errs = programtest.Run(t, append(settings, "DATABASE_URL="+env.url, "SMTP_URL=inbox"), "", "send")
		return code, errs
	}
	first, second, third := "SECRET="+strings.Repeat("1", 40), "SECRET="+strings.Repeat("2", 40), "SECRET="+strings.Repeat("3", 40)
	old := func(secret string) string { return strings.Replace(secret, "=", "_OLD=", 1) }
	for i, step := range []struct {
		settings []string
		code     int
	}{
		{[]string{first}, 0}, {[]string{second}, 2}, {[]string{second, old(third)}, 2}, {[]string{first}, 0},
		{[]string{second, old(first)}, 0}, {[]string{second, old(first)}, 0}, {[]string{second}, 0}, {[]string{first}, 2},
		{[]string{third, "SECRET_OLD=lost"}, 0}, {[]string{third}, 0}, {[]string{second}, 2},
	} {
		code, errs := with(step.settings...)
		if code != step.code || code != 0 && (!strings.Contains(errs, "SECRET") || strings.Contains(errs, "1111") || strings.Contains(errs, "2222")) {
			t.Errorf("step %d: exit %d: %s", i+1, code, errs)
		}
	}
	if n := env.count("SELECT count(*) FROM installation WHERE secret IS NOT NULL AND length(secret) = 16"); n != 1 {
		t.Errorf("%d fingerprints", n)
	}
}

// hold runs the command on the database.
func (env *environment) hold(do string) string {
	env.Helper()
	code, out, errs := programtest.Run(env, []string{"DATABASE_URL=" + env.url}, "", "hold", do)
	if code != 0 {
		env.Fatalf("hold %s: exit %d: %s", do, code, errs)
	}
	return out
}

// still waits until the programs have looked a few times for something to send, and gives what was sent until then.
func (env *environment) still() int {
	env.Helper()
	var begun time.Time
	env.until("the programs look for work", func() bool {
		var seen time.Time
		err := env.db.Postgres().Pool.QueryRow(env.Context(), "SELECT max(seen_at) FROM instances").Scan(&seen)
		if err == nil && begun.IsZero() {
			begun = seen
		}
		return err == nil && seen.Sub(begun) > 2*time.Second
	})
	return env.server.Accepted()
}

// original is a database whose program was at work, and that has 50 emails open when it is copied.
func original(t *testing.T) *environment {
	t.Helper()
	env := newEnv(t, smtptest.Script{})
	env.launch().ready()
	env.kill(os.Interrupt.(syscall.Signal))
	env.begin(env.fill(50))
	return env
}

// restored turns to the copy.
func (env *environment) restored(address string) {
	env.Helper()
	var err error
	if env.db, err = db.Open(address); err != nil {
		env.Fatal(err)
	}
	env.TB.Cleanup(env.db.Close)
	env.url = address
}

// A restored backup mailed everybody at once: 745 doubled after 6 s, and going on.
func TestRestoredCopyIsOnHold(t *testing.T) {
	t.Parallel()
	for name, restore := range map[string]func(t *testing.T, env *environment){
		"another database": func(t *testing.T, env *environment) {
			env.db.Close()
			env.restored(dbtest.Copy(t, env.url))
			env.launch().ready()
		},
		"a dump": func(t *testing.T, env *environment) {
			file, to := dump(t, env.url), dbtest.URL(t)
			env.restored(to)
			restoreDump(t, file, to)
			env.launch().ready()
		},
		// The program must see that the tables under it are others.
		"a dump in its place": func(t *testing.T, env *environment) {
			env.on(func(smtptest.Event) smtptest.Action { return smtptest.Action{Answer: "421 not yet"} })
			env.launch().ready()
			restoreDump(t, dump(t, env.url), env.url)
			env.on(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := original(t)
			restore(t, env)
			if n := env.still(); n != 0 || env.count("SELECT sum(open) FROM batches") != 50 {
				t.Errorf("%d emails left a copy", n)
			}
			if out := env.hold("status"); !strings.Contains(out, "this is a copy") {
				t.Error(out)
			}
			code, _, errs := programtest.Run(t, []string{"DATABASE_URL=" + env.url, "SECRET=" + secret, "SMTP_URL=smtp://" + env.server.Addr()}, "", "send")
			if code != 1 || !strings.Contains(errs, "on hold") {
				t.Errorf("send: exit %d: %s", code, errs)
			}
			env.hold("off")
			env.report("restored: "+name, 1, bounds{})
			if n := env.server.Accepted(); n != 50 {
				t.Errorf("%d emails after the hold, want 50", n)
			}
			if out := env.hold("status"); !strings.Contains(out, "Not on hold") {
				t.Error(out)
			}
		})
	}
}

// What came due while on hold is no flood afterwards: the latest missed time runs once.
func TestHoldStopsWhatRuns(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{On: func(smtptest.Event) smtptest.Action { return smtptest.Action{Delay: 5 * time.Millisecond} }})
	owner := env.owner(1000)
	env.begin(env.mailing(owner))
	env.start()
	env.emails(100)
	begun := time.Now()
	env.hold("on")
	env.until("nobody holds a block", func() bool { return env.count("SELECT count(*) FROM batches WHERE instance_id IS NOT NULL") == 0 })
	t.Logf("stopped %v after the start of the command", time.Since(begun))
	due := env.mailing(owner)
	env.due(time.Now(), due)
	before := env.server.Accepted()
	if n := env.still(); n != before || n >= 1000 {
		t.Errorf("%d emails, %d before the hold", n, before)
	}
	if n := env.count("SELECT count(*) FROM runs WHERE mailing_id = $1", due); n > 0 {
		t.Error("a run was planned on hold")
	}
	env.hold("off")
	env.until("what came due has its run", func() bool { return env.count("SELECT count(*) FROM runs WHERE mailing_id = $1", due) == 1 })
	env.report("hold on, hold off", 1, bounds{})
}

// A copy of the folder has the same cluster in it; only its files tell.
func TestCopiedFolderIsOnHold(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	// The cluster's user has to reach it, or root's cluster lives elsewhere and a copy only has the link to it.
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	folder, moved, copied := filepath.Join(home, "data"), filepath.Join(home, "moved"), filepath.Join(home, "copied")
	s := programtest.Serve(t, "serve", "DATA_DIR="+folder)
	admin := s.NewUser(t, "Ada Min", "admin")
	if code := s.Stop(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, s.Printed())
	}
	if out, err := exec.Command("cp", "-a", folder, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Rename(folder, moved); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{moved: "Not on hold", copied: "this is a copy"} {
		if code, out, errs := programtest.Run(t, []string{"DATA_DIR=" + dir}, "", "hold", "status"); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %s%s", filepath.Base(dir), code, out, errs)
		}
	}
	s = programtest.Serve(t, "serve", "DATA_DIR="+copied)
	if !strings.Contains(s.Printed(), "on hold: no email of a mailing leaves") {
		t.Errorf("the log does not say it:\n%s", s.Printed())
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	page := func(method, path string, form url.Values) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status, err)
		}
		return string(body)
	}
	page("POST", "/login", url.Values{"email": {admin}, "password": {programtest.Password}})
	if text := page("GET", "/mailings", nil); !strings.Contains(text, "This database is a copy") || !strings.Contains(text, "skychimp hold off") {
		t.Error("the page does not say it")
	}
	if code, out, errs := programtest.Run(t, s.Env, "", "hold", "off"); code != 0 || !strings.Contains(out, "The hold is over") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if text := page("GET", "/mailings", nil); strings.Contains(text, "This database is a copy") {
		t.Error("the page still says it")
	}
	if code := s.Stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// dump is a backup as operators make it.
func dump(t *testing.T, address string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "backup.dump")
	postgresTool(t, "pg_dump", "--format=custom", "--file="+file, address)
	return file
}

func restoreDump(t *testing.T, file, to string) {
	t.Helper()
	postgresTool(t, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", "--no-comments", "--dbname="+to, file)
}

// postgresTool runs a program that comes with Postgres's clients.
func postgresTool(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if len(found) == 0 {
			t.Skip("no " + name + " here: install the clients of Postgres")
		}
		path = found[len(found)-1]
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}
