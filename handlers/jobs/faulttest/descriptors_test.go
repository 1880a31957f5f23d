package faulttest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skychimp/handlers/programtest"
)

// A crowd that takes all file descriptors holds up accepting, and nothing else: when it leaves, pages
// are answered again by the same process and the same Postgres, and the log has one line of it.
func TestDescriptorsRunOut(t *testing.T) {
	s := programtest.Serve(t, "serve")
	pid := s.Process.Pid
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	const room = 20
	limit := fmt.Sprint("--nofile=", len(open)+room)
	if out, err := exec.Command("prlimit", "--pid", fmt.Sprint(pid), limit).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answers := func(path string) bool {
		client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get(s.URL + path)
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	said := func() int { return strings.Count(s.Printed(), "no more connections are accepted") }
	for range 2 { // a second crowd in the same minute is no news
		crowd := []net.Conn{}
		for range 3 * room {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			crowd = append(crowd, conn)
		}
		if !programtest.Within(programtest.Timeout, func() bool { return said() > 0 || s.Over() }) || answers("/healthz") {
			t.Error("the crowd was not felt")
		}
		for _, conn := range crowd {
			_ = conn.Close()
		}
		for _, path := range []string{"/healthz", "/readyz", "/"} {
			if !programtest.Within(programtest.Timeout, func() bool { return answers(path) || s.Over() }) || s.Over() {
				t.Fatalf("%s does not answer any more", path)
			}
		}
	}
	if strings.Contains(s.Printed(), "the private Postgres ended") || said() != 1 {
		t.Errorf("said %d times; the log:\n%s", said(), s.Printed())
	}
	if code := s.Stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}
}
