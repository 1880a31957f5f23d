package faulttest

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jhillyerd/enmime/v2"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

var hrefInEmail = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// TestTrackedEmail follows the links of emails as the mail server got them, as a person and as programs do, through two
// programs: each client counts once, and what they have in memory when they are stopped is written down.
func TestTrackedEmail(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{KeepRaw: true})
	const base = "http://mail.example"
	environ := []string{"DATABASE_URL=" + env.url, "SMTP_URL=smtp://" + env.server.Addr() + "?tls=none", "SECRET=" + secret, "BASE_URL=" + base}
	p, q := programtest.Serve(t, "serve", environ...), programtest.Serve(t, "serve", environ...)
	ann := p.NewUser(t, "Ann Lee", "user")
	owner := int64(env.count(`SELECT id FROM users WHERE email = $1`, ann))
	env.exec(`INSERT INTO clients (owner_id, email) SELECT $1, 'client' || n || '@example.org' FROM generate_series(1, 3) AS n`, owner)
	mailing := env.trackedMailing(owner)
	run := env.begin(mailing)
	env.until("three emails", func() bool { return env.server.Accepted() == 3 && env.idle() })
	env.exec(`UPDATE attempts SET at = at - interval '1 hour'`)

	links := map[string][]string{} // by client: two links and the picture
	for _, one := range env.server.Emails() {
		links[one.To] = trackedLinks(t, base, one.Raw)
	}
	reader, scanned := links["client1@example.org"], links["client2@example.org"]
	visit := func(at *programtest.Program, method, path, agent, leads string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, at.URL+strings.TrimPrefix(path, base), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", agent)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Location"); response.StatusCode >= 400 || got != leads {
			t.Errorf("%s %s: %s to %q, want %q", method, path, response.Status, got, leads)
		}
	}
	const firefox, one = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "https://shop.example/a?b=1&utm_campaign=spring&utm_medium=email&utm_source=email"
	const two = "https://shop.example/two?utm_campaign=spring&utm_medium=email&utm_source=email"
	visit(p, "GET", reader[2], firefox, "")
	visit(q, "GET", reader[0], firefox, one)
	visit(p, "GET", reader[0], firefox, one)
	visit(q, "HEAD", scanned[0], firefox, one)
	visit(q, "GET", scanned[2], "Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "")
	visit(p, "GET", scanned[0], firefox, one) // all links at once
	visit(p, "GET", scanned[1], firefox, two)
	if code := q.Stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	written := func() int { return env.count(`SELECT coalesce(sum(count + programs), 0) FROM visits`) }
	env.until("the visits are written down", func() bool { return written() == 7 })

	home := programtest.Browser(t)
	if status, _ := answers(t, home, "POST", p.URL+"/login", "email", ann, "password", programtest.Password); status != http.StatusSeeOther {
		t.Fatalf("sign-in: %d", status)
	}
	has := func(path string, texts ...string) {
		t.Helper()
		_, page := answers(t, home, "GET", p.URL+path)
		for _, text := range texts {
			if !strings.Contains(page, text) {
				t.Errorf("no %q in %s", text, path)
			}
		}
	}
	has(fmt.Sprint("/runs/", run), `class="count-clicked">1<`, `class="count-opened">1<`, "1 more had links opened by a program alone.", "For 1 more only a program loaded the picture.", "https://shop.example/two?")
	has(fmt.Sprint("/clients/", env.count(`SELECT id FROM clients WHERE email = 'client1@example.org'`)), ">Clicked<", ">Opened<", "https://shop.example/a?b=1")

	for range 50 {
		visit(p, "GET", links["client3@example.org"][1], firefox, two)
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if got := written(); got != 57 {
		t.Errorf("%d visits are written down after a clean stop, want 57", got)
	}
	if got := env.count(`SELECT clicked * 10 + opened FROM run_readers WHERE run_id = $1`, run); got != 21 {
		t.Errorf("clients who clicked and opened: %d", got)
	}
}

func (env *environment) trackedMailing(owner int64) int64 {
	env.Helper()
	message := domain.Message{OwnerID: owner, Subject: "News", Body: "[One](https://shop.example/a?b=1), [two](https://shop.example/two), " +
		"[write](mailto:a@shop.example), [yours](https://shop.example/me?who={{email}})."}
	if err := env.db.Messages().Create(env.Context(), &message); err != nil {
		env.Fatal(err)
	}
	m := domain.Mailing{OwnerID: owner}
	err := m.Change(domain.MailingForm{Name: "Tracked", MessageID: message.ID, Audience: "all", StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "monthly",
		Tracking: domain.Tracking{TrackClicks: true, TrackOpens: true, UTM: true, UTMCampaign: "spring"}}, time.Now())
	if err == nil {
		err = env.db.Mailings().Create(env.Context(), &m)
	}
	if err != nil {
		env.Fatal(err)
	}
	return m.ID
}

// trackedLinks are the tracked links of an email and its picture. All other links have to be as its author and the law
// want them, in both parts.
func trackedLinks(t *testing.T, base string, raw []byte) (links []string) {
	t.Helper()
	e, err := enmime.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, found := range hrefInEmail.FindAllStringSubmatch(e.HTML, -1) {
		kind := strings.TrimPrefix(found[1], base)
		if kind != found[1] {
			kind = strings.SplitN(kind, "/", 3)[1]
		}
		if kind == "c" || kind == "o" {
			links = append(links, found[1])
		}
		kinds[kind]++
	}
	to := strings.ReplaceAll(e.GetHeader("To"), "@", "%40")
	if len(links) != 3 || kinds["unsubscribe"] == 0 || kinds["view"] == 0 || kinds["mailto:a@shop.example"] != 1 ||
		!strings.Contains(e.HTML, "https://shop.example/me?who="+strings.Trim(to, "<>")) {
		t.Fatalf("links %v of %v", kinds, e.HTML)
	}
	if strings.Contains(e.Text, "/c/") || strings.Contains(e.Text, "/o/") || !strings.Contains(e.Text, "https://shop.example/two") {
		t.Errorf("the text part: %s", e.Text)
	}
	return links
}
