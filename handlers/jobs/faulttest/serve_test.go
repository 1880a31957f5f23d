package faulttest

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"skychimp/handlers/programtest"
)

// The private database and all that was in it survive an orderly end and kill -9 of the whole
// process group, and later starts are fast.
func TestServeAgain(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	first := programtest.Serve(t, "serve", data)
	email := first.NewUser(t, "Stella Stays", "user")
	if code := first.Stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}

	second := programtest.Serve(t, "serve", data)
	if second.Ready > first.Ready { // which had to make the database
		t.Errorf("the second start took %v, the first %v", second.Ready, first.Ready)
	}
	t.Log("second start:", second.Ready)
	if err := syscall.Kill(-second.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second.ExitCode()

	third := programtest.Serve(t, "serve", data)
	t.Log("start after kill -9:", third.Ready)
	code, _, errs := programtest.Run(t, third.Env, programtest.Password, "user", "create", "--email", email, "--role", "user", "--password-stdin")
	if code == 0 || !strings.Contains(errs, "already exists") {
		t.Errorf("an address that is taken: exit %d, %s", code, errs)
	}
	for _, path := range []string{"/healthz", "/readyz", "/"} {
		answer, err := http.Get(third.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, answer.Status)
		}
	}
	if code := third.Stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}
}
