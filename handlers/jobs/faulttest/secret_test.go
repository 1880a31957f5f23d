package faulttest

import (
	"io"
	"net"
	"net/http"
	"net/smtp"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// answers gives the status of an answer, and what it says.
func answers(t testing.TB, c *http.Client, method, address string, values ...string) (status int, body string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Add(values[i], values[i+1])
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method != "GET" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

var linkInEmail = regexp.MustCompile(`https?://[^/\s"<>=]+(/[^\s"<>]+)`)

// Whatever SECRET signed, a program takes that has another one and SECRET_OLD: links in account emails and in those
// of mailings, and what comes back; sessions go on (known browsers: TestDevicesOutliveSecret). Without SECRET_OLD it takes no signed name of a client
// or delivery.
func TestEverySignatureOutlivesSecret(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{KeepRaw: true})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bounce := free.Addr().String()
	free.Close()
	const before, after = "the secret of before, 32 characters", "the secret of now, of 32 characters"
	environ := []string{"DATABASE_URL=" + env.url, "SMTP_URL=smtp://" + env.server.Addr() + "?tls=none", "RECALL_FOR=0",
		"BOUNCE_DOMAIN=bounces.example.org", "BOUNCE_ADDR=" + bounce, "BASE_URL=http://localhost"}
	serve := func(more ...string) *programtest.Program {
		return programtest.Serve(t, "serve", append(more, environ...)...)
	}

	p := serve("SECRET=" + before)
	ann := p.NewUser(t, "Ann Lee", "user")
	home := programtest.Browser(t)
	sign := func(at *programtest.Program, c *http.Client) int {
		status, _ := answers(t, c, "POST", at.URL+"/login", "email", ann, "password", programtest.Password)
		return status
	}
	if status := sign(p, home); status != http.StatusSeeOther {
		t.Fatalf("sign-in: %d", status)
	}
	for path, form := range map[string][]string{
		"/register": {"name", "Bob", "email", "bob@example.net"}, "/password/forgot": {"email", ann},
	} {
		if status, _ := answers(t, programtest.Browser(t), "POST", p.URL+path, form...); status != http.StatusSeeOther {
			t.Fatalf("%s: %d", path, status)
		}
	}
	if status, body := answers(t, home, "POST", p.URL+"/account/email", "email", "ann@example.net", "current", programtest.Password); status != http.StatusSeeOther {
		t.Fatalf("another address: %d %s", status, body)
	}
	env.begin(env.trackedMailing(env.owner(1)))
	env.until("five emails", func() bool { return env.server.Accepted() == 5 })
	links, back := map[string]string{}, ""
	for _, email := range env.server.Emails() {
		raw := strings.ReplaceAll(strings.ReplaceAll(string(email.Raw), "=\r\n", ""), "=3D", "=")
		raw = strings.ReplaceAll(raw, "=2E", ".") // that begins a line
		for _, link := range linkInEmail.FindAllStringSubmatch(raw, -1) {
			if strings.Contains(link[0], "shop.example") {
				continue
			}
			name := link[1][:strings.LastIndexByte(link[1], '/')]
			if name == "/account/email" {
				name += " " + email.To
			}
			links[name] = link[1]
		}
		if strings.HasPrefix(email.From, "b+") {
			back = email.From
		}
	}
	for name, link := range links { // /c/<token>
		if strings.HasPrefix(name, "/c/") {
			delete(links, name)
			links["/c"] = link
		}
	}
	for _, name := range []string{"/verify", "/password/reset", "/account/email " + ann, "/account/email ann@example.net", "/unsubscribe", "/c", "/o"} {
		if links[name] == "" {
			t.Fatalf("no link to %s in %v", name, links)
		}
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	returns := func() error {
		return smtp.SendMail(bounce, nil, "", []string{back}, []byte("From: <>\r\nSubject: failure\r\n\r\n550 5.1.1 no such user\r\n"))
	}

	p = serve("SECRET="+after, "SECRET_OLD=lost")
	if status, _ := answers(t, programtest.Browser(t), "GET", p.URL+links["/unsubscribe"]); status != http.StatusNotFound {
		t.Errorf("without SECRET_OLD a link to unsubscribe answers %d", status)
	}
	if returns() == nil {
		t.Error("without SECRET_OLD a report is taken")
	}
	p.Stop()

	p = serve("SECRET="+after, "SECRET_OLD="+before)
	for name, link := range links {
		want := http.StatusOK
		if name == "/c" {
			want = http.StatusFound
		}
		if status, _ := answers(t, programtest.Browser(t), "GET", p.URL+link); status != want {
			t.Errorf("%s: %s answers %d", name, link, status)
		}
	}
	if status, _ := answers(t, home, "GET", p.URL+"/account"); status != http.StatusOK {
		t.Errorf("who was signed in: %d", status)
	}
	for _, step := range []struct {
		link string
		form []string
		want int
	}{
		{links["/unsubscribe"], nil, http.StatusOK},
		{links["/verify"], []string{"password", programtest.Password}, http.StatusSeeOther},
		{links["/account/email "+ann], nil, http.StatusSeeOther},
		{links["/password/reset"], []string{"password", "a new long password"}, http.StatusSeeOther},
	} {
		if status, body := answers(t, programtest.Browser(t), "POST", p.URL+step.link, step.form...); status != step.want {
			t.Errorf("POST %s: %d, want %d\n%.300s", step.link, status, step.want, body)
		}
	}
	if err := returns(); err != nil {
		t.Errorf("with SECRET_OLD: %v", err)
	}
	if env.count(`SELECT count(*) FROM returns`) != 1 {
		t.Error("what came back is not kept")
	}
}
