package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jhillyerd/enmime/v2"

	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// A suite has the people of one flow. They share a browser program, each with their own cookies;
// all of them have JavaScript, or none has.
type suite struct {
	*testing.T
	server  *programtest.Program
	box     *smtptest.Server // gets all emails
	browser context.Context
	way     string // tells their names and addresses from those of the other suite
	scripts bool
}

// TestBrowser does what people do, with JavaScript and without. Each flow has people of its own.
func TestBrowser(t *testing.T) {
	box := smtptest.Start(t, smtptest.Script{KeepRaw: true})
	site := programtest.Serve(t, "serve", "SMTP_URL=smtp://"+box.Addr()+"?tls=none")
	browser := newBrowser(t, "en")
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	for _, flow := range []struct {
		name string
		do   func(*suite)
	}{
		{"accounts", accountsFlow},
		{"clients", clientsFlow},
		{"import", importFlow},
		{"messages", messagesFlow},
		{"mailings", mailingsFlow},
		{"managers", managerFlow},
		{"posts", postsFlow},
	} {
		t.Run(flow.name+" with JavaScript", func(t *testing.T) { flow.do(&suite{t, site, box, browser, "lively", true}) })
		t.Run(flow.name+" without JavaScript", func(t *testing.T) { flow.do(&suite{t, site, box, browser, "plain", false}) })
	}
	t.Run("start", func(t *testing.T) { startFlow(&suite{t, site, box, browser, "start", true}) })
	t.Run("by keyboard", func(t *testing.T) { keyboardFlow(&suite{t, site, box, browser, "keys", true}) })
}

// visit opens a tab without cookies, but for the language.
func (s *suite) visit(language string) *visitor {
	s.Helper()
	ctx, closeTab := chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext())
	s.Cleanup(closeTab)
	v := newVisitor(ctx, s.T, s.server.URL)
	v.cookie("language", language)
	if !s.scripts {
		v.withoutScripts()
	}
	return v
}

// member is somebody with a new account, signed in.
func (s *suite) member(name, role, language string) (v *visitor, email string) {
	s.Helper()
	v, email = s.visit(language), s.server.NewUser(s.T, name+" "+s.way, role)
	v.cookie("session", s.session(email))
	return v, email
}

// session signs somebody in past the browser.
func (s *suite) session(email string) string {
	s.Helper()
	form := strings.NewReader(url.Values{"email": {email}, "password": {programtest.Password}}.Encode())
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+"/login", form)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		s.Fatal(err)
	}
	_ = response.Body.Close()
	for _, cookie := range response.Cookies() {
		if cookie.Name == "session" {
			return cookie.Value
		}
	}
	s.Fatalf("%s can't sign in: %s", email, response.Status)
	return ""
}

func (s *suite) address(name string) string { return name + "@" + s.way + ".example" }

// email waits until the mail server has got an email, and gives its text.
func (s *suite) email(to, subject string) string {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), programtest.Timeout)
	defer cancel()
	for {
		got := s.box.Accepted()
		for _, one := range s.box.Emails() {
			read, err := enmime.ReadEnvelope(bytes.NewReader(one.Raw))
			if err == nil && strings.EqualFold(one.To, to) && strings.Contains(read.GetHeader("Subject"), subject) {
				return read.Text
			}
		}
		if err := s.box.WaitEmails(ctx, got+1); err != nil {
			s.Fatalf("no email %q to %s: %v", subject, to, err)
		}
	}
}

// link is the address, on this site, of a link in an email.
func (s *suite) link(to, subject, path string) string {
	s.Helper()
	text := s.email(to, subject)
	address := regexp.MustCompile(regexp.QuoteMeta(s.server.URL+path) + `[A-Za-z0-9_.~-]+`).FindString(text)
	if address == "" {
		s.Fatalf("the email has no link to %s:\n%s", path, text)
	}
	return strings.TrimPrefix(address, s.server.URL)
}

// act presses what changes the page in place, or where no scripts run leads to another page. What
// it does is done then.
func (v *visitor) act(selector string) {
	v.t.Helper()
	if v.plain {
		v.follow(selector)
		return
	}
	v.click(selector)
	v.settle()
}

// find types into the search of a list, which follows at once or when it is sent.
func (v *visitor) find(words string) {
	v.t.Helper()
	v.fill("q", words)
	if v.plain {
		v.follow("form.search [type=submit]")
	}
}

// remove deletes a row of a list; where no scripts run a page asks whether it is meant.
func (v *visitor) remove(row string) {
	v.t.Helper()
	if ask(v, chromedp.Evaluate[bool](fmt.Sprintf(`!!document.querySelector(%q)`, row+" .more"))) {
		v.menu(row)
	}
	v.act(row + " a[href$='/delete']")
	if v.plain {
		v.follow("main form button.danger")
	}
	v.gone(row)
}

// keeps holds that a form came back with what was typed.
func (v *visitor) keeps(name, value string) {
	v.t.Helper()
	if got := ask(v, chromedp.Value(field(name))); got != value {
		v.t.Errorf("the form came back with %q in %s, not with %q", got, name, value)
	}
}
