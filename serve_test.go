package main_test

import (
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// The private database and all that was in it survive an orderly end and kill -9 of the whole
// process group, and later starts are fast.
func TestServeAgain(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	first := serve(t, "serve", data)
	email := first.newUser(t, "Stella Stays", "user")
	if code := first.stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}

	second := serve(t, "serve", data)
	if second.ready > first.ready { // which had to make the database
		t.Errorf("the second start took %v, the first %v", second.ready, first.ready)
	}
	t.Log("second start:", second.ready)
	if err := syscall.Kill(-second.process.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second.wait()

	third := serve(t, "serve", data)
	t.Log("start after kill -9:", third.ready)
	code, _, errs := run(t, third.environ, password, "user", "create", "--email", email, "--role", "user", "--password-stdin")
	if code == 0 || !strings.Contains(errs, "already exists") {
		t.Errorf("an address that is taken: exit %d, %s", code, errs)
	}
	for _, path := range []string{"/healthz", "/readyz", "/"} {
		answer, err := http.Get(third.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, answer.Status)
		}
	}
	if code := third.stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}
}

// demo shows everything without any settings, and send says what it would do.
func TestDemo(t *testing.T) {
	s := serve(t, "demo")
	for _, role := range []string{"user", "manager", "content", "admin"} {
		if !regexp.MustCompile(`(?m)^` + role + ` +\S+@\S+ +password \S+$`).MatchString(s.output()) {
			t.Errorf("demo names no %s:\n%s", role, s.output())
		}
	}
	code, out, errs := run(t, s.environ, "", "send", "--dry-run")
	if code != 0 || out == "" {
		t.Errorf("send --dry-run: exit %d, %q, %s", code, out, errs)
	}
	found := regexp.MustCompile(`(?m)^user +(\S+) +password (\S+)$`).FindStringSubmatch(s.output())
	owner := visit(t, s.url, "en")
	owner.signInWith(found[1], found[2])
	owner.open("/mailings?q=Tulips")
	owner.follow("#mailing-rows td a[href^='/mailings/']")
	owner.gone("#progress[hx-get]")
	owner.reads(".count-accepted", "60")
	owner.picture("mailing")
	if code := s.stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}
}

// A wrong value ends the start at once, with one line that names it.
func TestServeRefusesWrongValues(t *testing.T) {
	for variable, value := range map[string]string{
		"ADDR": "nowhere", "BASE_URL": "ftp://example.org", "DISPATCH_EVERY": "soon", "SMTP_URL": "http://x", "LOG_FORMAT": "xml",
	} {
		code, _, errs := run(t, []string{"DATA_DIR=" + t.TempDir(), variable + "=" + value}, "", "serve")
		if lines := strings.Count(errs, "\n"); code != 2 || lines != 1 || !strings.Contains(errs, variable) || !strings.Contains(errs, value) {
			t.Errorf("%s=%s: exit %d, %d lines: %s", variable, value, code, lines, errs)
		}
	}
}
