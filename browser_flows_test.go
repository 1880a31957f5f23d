package main_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jhillyerd/enmime/v2"

	"skychimp/handlers/jobs/smtp/smtptest"
)

// A crew are the people of one flow. They share a browser program, each with cookies of his own;
// all of them have JavaScript, or none has.
type crew struct {
	*testing.T
	server  *server
	box     *smtptest.Server // gets all letters
	browser context.Context
	way     string // tells their names and addresses from those of the other crew
	scripts bool
}

// TestBrowser does what people do, with JavaScript and without. Each flow has people of its own.
func TestBrowser(t *testing.T) {
	box := smtptest.Start(t, smtptest.Script{KeepRaw: true})
	s := serve(t, "serve", "SMTP_URL=smtp://"+box.Addr()+"?tls=none")
	browser := newBrowser(t, "en")
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	for _, flow := range []struct {
		name string
		do   func(*crew)
	}{
		{"accounts", accountsFlow},
		{"clients", clientsFlow},
		{"import", importFlow},
		{"messages", messagesFlow},
		{"mailings", mailingsFlow},
		{"managers", managerFlow},
		{"posts", postsFlow},
	} {
		t.Run(flow.name+" with JavaScript", func(t *testing.T) { flow.do(&crew{t, s, box, browser, "lively", true}) })
		t.Run(flow.name+" without JavaScript", func(t *testing.T) { flow.do(&crew{t, s, box, browser, "plain", false}) })
	}
	t.Run("start", func(t *testing.T) { startFlow(&crew{t, s, box, browser, "start", true}) })
	t.Run("by keyboard", func(t *testing.T) { keyboardFlow(&crew{t, s, box, browser, "keys", true}) })
}

// visit opens a tab without cookies, but for the language.
func (c *crew) visit(language string) *visitor {
	c.Helper()
	ctx, closeTab := chromedp.NewContext(c.browser, chromedp.WithNewBrowserContext())
	c.Cleanup(closeTab)
	v := newVisitor(ctx, c.T, c.server.url)
	v.cookie("language", language)
	if !c.scripts {
		v.withoutScripts()
	}
	return v
}

// member is somebody with a new account, signed in.
func (c *crew) member(name, role, language string) (v *visitor, email string) {
	c.Helper()
	v, email = c.visit(language), c.server.newUser(c.T, name+" "+c.way, role)
	v.cookie("session", c.session(email))
	return v, email
}

// session signs somebody in past the browser.
func (c *crew) session(email string) string {
	c.Helper()
	form := strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode())
	request, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.server.url+"/login", form)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		c.Fatal(err)
	}
	_ = response.Body.Close()
	for _, cookie := range response.Cookies() {
		if cookie.Name == "session" {
			return cookie.Value
		}
	}
	c.Fatalf("%s can't sign in: %s", email, response.Status)
	return ""
}

func (c *crew) address(name string) string { return name + "@" + c.way + ".example" }

// letter waits until the mail server has got a letter, and gives its text.
func (c *crew) letter(to, subject string) string {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	for {
		got := c.box.Accepted()
		for _, one := range c.box.Letters() {
			read, err := enmime.ReadEnvelope(bytes.NewReader(one.Raw))
			if err == nil && strings.EqualFold(one.To, to) && strings.Contains(read.GetHeader("Subject"), subject) {
				return read.Text
			}
		}
		if err := c.box.WaitLetters(ctx, got+1); err != nil {
			c.Fatalf("no letter %q to %s: %v", subject, to, err)
		}
	}
}

// link is the address, on this site, of a link in a letter.
func (c *crew) link(to, subject, path string) string {
	c.Helper()
	text := c.letter(to, subject)
	address := regexp.MustCompile(regexp.QuoteMeta(c.server.url+path) + `[A-Za-z0-9_.~-]+`).FindString(text)
	if address == "" {
		c.Fatalf("the letter has no link to %s:\n%s", path, text)
	}
	return strings.TrimPrefix(address, c.server.url)
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
