package attacktest

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jhillyerd/enmime/v2"

	"skychimp/db/dbtest"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// formed is a program with a form of Flora's, whose emails are kept.
func formed(t *testing.T) (p *target, owner browser, id, address string) {
	t.Helper()
	mail := smtptest.Start(t, smtptest.Script{KeepRaw: true})
	program := programtest.Serve(t, "serve", "DATABASE_URL="+dbtest.URL(t), "SECRET=of the attacks, 32 characters long",
		"SMTP_URL=smtp://"+mail.Addr()+"?tls=none", "TRUSTED_PROXIES=127.0.0.1", "RECALL_FOR=0", "OWNER_LIMITS=none")
	p = &target{program, strings.TrimPrefix(program.URL, "http://"), mail}
	owner, _ = p.signedIn(t, "Flora", "user")
	if status, body := owner.post(t, "/forms", "name", "Flowers each month", "text", "Buy <script>alert(1)</script>", "fields", "full_name", "tags", "web"); status != http.StatusSeeOther {
		t.Fatalf("form: %d %.500s", status, body)
	}
	page := owner.page(t, "/forms")
	id = regexp.MustCompile(`id="form-(\d+)"`).FindStringSubmatch(page)[1]
	address = regexp.MustCompile(`id="form-address"[^>]*href="http://[^/]+([^"]+)"|id="form-address"[^>]*href="([^"]+)"`).FindString(owner.page(t, "/forms/"+id))
	address = regexp.MustCompile(`/f/[a-z0-9]+`).FindString(address)
	return p, owner, id, address
}

func (b browser) page(t testing.TB, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", b.p.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Forwarded-For", b.from)
	_, body := b.answer(t, request)
	return body
}

// emails are the texts of what a mailbox has got.
func (p *target) emails(t testing.TB, to string) (texts []string) {
	t.Helper()
	for _, one := range p.mail.Emails() {
		if one.To != to {
			continue
		}
		email, err := enmime.ReadEnvelope(bytes.NewReader(one.Raw))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, email.GetHeader("Subject")+"\n"+email.Text)
	}
	return texts
}

// A visitor signs up, follows the link of the email that a mail server took, presses the button, and gets the next mailing.
func TestFromFormToMailing(t *testing.T) {
	p, owner, id, address := formed(t)
	visitor := p.browser(t, "203.0.113.77")
	page := visitor.page(t, address)
	trap := regexp.MustCompile(`name="t" value="([^"]+)"`).FindStringSubmatch(page)[1]
	send := func() (int, string) {
		return visitor.post(t, address, "email", "vera@mailbox.example", "full_name", "Vera <b>", "t", trap, "website", "")
	}
	if status, body := send(); status != http.StatusUnprocessableEntity || !strings.Contains(body, "vera@mailbox.example") {
		t.Fatalf("at once: %d", status)
	}
	time.Sleep(3200 * time.Millisecond) // as long as a person types at least
	if status, body := send(); status != http.StatusSeeOther {
		t.Fatalf("sign-up: %d %.500s", status, body)
	}
	var link string
	if !programtest.Within(programtest.Timeout, func() bool {
		for _, text := range p.emails(t, "vera@mailbox.example") {
			link = regexp.MustCompile(address + `/confirm/[\w-]+`).FindString(text)
		}
		return link != ""
	}) {
		t.Fatal("no confirmation came")
	}
	text := p.emails(t, "vera@mailbox.example")[0]
	if !strings.Contains(text, "Confirm your subscription: Flora") || strings.Contains(text, "Vera") || strings.Contains(text, "alert") || strings.Contains(text, "each month") {
		t.Errorf("the confirmation: %s", text)
	}
	asked := visitor.page(t, link)
	if !strings.Contains(asked, "Vera &lt;b&gt;") || strings.Contains(owner.page(t, "/clients"), "vera@mailbox.example") {
		t.Error("opening the link makes a client")
	}
	if status, _ := visitor.post(t, link); status != http.StatusSeeOther {
		t.Fatalf("confirm: %d", status)
	}
	if !strings.Contains(visitor.page(t, link), html.EscapeString("You're subscribed")) || !strings.Contains(owner.page(t, "/clients"), "vera@mailbox.example") {
		t.Fatal("no client was made")
	}
	client := regexp.MustCompile(`/clients/(\d+)/consent`).FindStringSubmatch(owner.page(t, "/forms/"+id))[1]
	proof := owner.page(t, "/clients/"+client+"/consent")
	for _, want := range []string{"Flowers each month", "I agree to get emails from Flora.", "203.0.113.0/24"} {
		if !strings.Contains(proof, want) {
			t.Errorf("the proof doesn't say %q", want)
		}
	}

	if status, body := owner.post(t, "/messages", "subject", "Tulips for {{name}}", "body", "They are here."); status != http.StatusSeeOther {
		t.Fatalf("message: %d %.300s", status, body)
	}
	message := regexp.MustCompile(`id="message-(\d+)"`).FindStringSubmatch(owner.page(t, "/messages"))[1]
	start := time.Now().UTC().Add(-time.Minute).Format("2006-01-02T15:04")
	if status, body := owner.post(t, "/mailings", "name", "Spring", "message_id", message, "audience", "tags", "tags", "web", "start_at", start, "timezone", "UTC", "periodicity", "once"); status != http.StatusSeeOther {
		t.Fatalf("mailing: %d %.300s", status, body)
	}
	mailing := regexp.MustCompile(`id="mailing-(\d+)"`).FindStringSubmatch(owner.page(t, "/mailings"))[1]
	if status, body := owner.post(t, "/mailings/"+mailing+"/launch"); status != http.StatusSeeOther {
		t.Fatalf("launch: %d %.300s", status, body)
	}
	if !programtest.Within(programtest.Timeout, func() bool { return len(p.emails(t, "vera@mailbox.example")) == 2 }) {
		t.Fatal("the client gets no mailing")
	}
	if text := p.emails(t, "vera@mailbox.example")[1]; !strings.Contains(text, "They are here.") {
		t.Errorf("the mailing: %s", text)
	}
	if printed := p.Printed(); strings.Contains(printed, "vera@") || strings.Contains(printed, address) {
		t.Error("the log knows who signed up")
	}
}

// Fifty networks flood a form for one mailbox and for many: one email to the one, a bounded number to the others, and
// the form answers people meanwhile.
func TestFloodedForm(t *testing.T) {
	p, _, _, address := formed(t)
	trap := regexp.MustCompile(`name="t" value="([^"]+)"`).FindStringSubmatch(p.browser(t, "10.2.0.1").page(t, address))[1]
	time.Sleep(3200 * time.Millisecond)
	var taken, refused, other atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for network := range 50 {
		all.Go(func() {
			b := p.browser(t, fmt.Sprintf("198.18.%d.7", network))
			for n := range 40 {
				email := "victim@mailbox.example"
				if n%2 == 1 {
					email = fmt.Sprintf("p%d.%d@mailbox.example", network, n)
				}
				switch status, _ := b.post(t, address, "email", email, "full_name", "Buy at evil.example", "t", trap); status {
				case http.StatusSeeOther:
					taken.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				default:
					other.Add(1)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	if taken.Load() != 1000 || refused.Load() != 1000 || other.Load() != 0 {
		t.Errorf("%d taken, %d refused, %d else", taken.Load(), refused.Load(), other.Load())
	}
	page := p.browser(t, "10.2.0.9").page(t, address)
	if !strings.Contains(page, "Flowers each month") || strings.Contains(page, "<script") {
		t.Error("the form doesn't answer, or runs a script")
	}
	time.Sleep(2 * time.Second)
	if n := len(p.emails(t, "victim@mailbox.example")); n != 1 {
		t.Errorf("the victim has got %d emails", n)
	}
	t.Logf("2,000 sign-ups in %v", took.Round(time.Millisecond))
}
