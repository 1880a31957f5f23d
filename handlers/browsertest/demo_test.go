package browsertest

import (
	"regexp"
	"testing"
	"time"

	"skychimp/handlers/programtest"
)

// demo shows everything without any settings, and send says what it would do.
func TestDemo(t *testing.T) {
	s := programtest.Serve(t, "demo")
	for _, role := range []string{"user", "manager", "content", "admin"} {
		if !regexp.MustCompile(`(?m)^` + role + ` +\S+@\S+ +password \S+$`).MatchString(s.Printed()) {
			t.Errorf("demo names no %s:\n%s", role, s.Printed())
		}
	}
	code, out, errs := programtest.Run(t, s.Env, "", "send", "--dry-run")
	if code != 0 || out == "" {
		t.Errorf("send --dry-run: exit %d, %q, %s", code, out, errs)
	}
	code, out, errs = programtest.Run(t, s.Env, "", "send", "--dry-run", "--until", time.Now().AddDate(0, 0, 60).Format(time.DateOnly))
	if code != 0 || !regexp.MustCompile(`(?m)^\S+T\S+Z mailing \d+ ".+": \d+ recipients\n(.*\n)*\d+ runs, \d+ emails\n`).MatchString(out) {
		t.Errorf("send --dry-run --until: exit %d, %q, %s", code, out, errs)
	}
	found := regexp.MustCompile(`(?m)^user +(\S+) +password (\S+)$`).FindStringSubmatch(s.Printed())
	owner := visit(t, s.URL, "en")
	owner.signInWith(found[1], found[2])
	owner.open("/mailings?q=Tulips")
	owner.follow("#mailing-rows td a[href^='/mailings/']")
	owner.gone("#progress[hx-get]")
	owner.reads(".count-accepted", "60")
	owner.picture("mailing")
	if code := s.Stop(); code != 0 {
		t.Errorf("Ctrl-C ends with exit code %d", code)
	}
}
