// Package attacktest attacks the program as it ships, from outside: as a stranger and as a customer.
package attacktest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// target is the running program.
type target struct {
	*programtest.Program
	host string
	mail *smtptest.Server
}

func serve(t testing.TB, environ ...string) *target {
	t.Helper()
	mail := smtptest.Start(t, smtptest.Script{})
	p := programtest.Serve(t, "serve", append(environ, "DATABASE_URL="+dbtest.URL(t), "SECRET=of the attacks, 32 characters long",
		"SMTP_URL=smtp://"+mail.Addr()+"?tls=none", "TRUSTED_PROXIES=127.0.0.1")...)
	return &target{p, strings.TrimPrefix(p.URL, "http://"), mail}
}

// signedIn is the browser of a new user.
func (p *target) signedIn(t testing.TB, name, role string) (b browser, email string) {
	t.Helper()
	email, b = p.NewUser(t, name, role), p.browser(t, "10.1.0.1")
	if status, _ := b.post(t, "/login", "email", email, "password", programtest.Password); status != http.StatusSeeOther {
		t.Fatalf("sign-in: %d", status)
	}
	return b, email
}

// peak is the most memory that the process ever had, in MB.
func (p *target) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Skip(err) // only Linux tells
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}

// browser is in a network of its own, keeps cookies and follows no redirect.
type browser struct {
	*http.Client
	p    *target
	from string
}

func (p *target) browser(t testing.TB, from string) browser {
	t.Helper()
	return browser{programtest.Browser(t), p, from}
}

func (b browser) post(t testing.TB, path string, values ...string) (status int, body string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Add(values[i], values[i+1])
	}
	return b.send(t, path, "application/x-www-form-urlencoded", []byte(form.Encode()), "")
}

func (b browser) send(t testing.TB, path, kind string, content []byte, encoding string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", b.p.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header = http.Header{"Content-Type": {kind}, "X-Forwarded-For": {b.from}}
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	return b.answer(t, request)
}

func (b browser) answer(t testing.TB, request *http.Request) (status int, body string) {
	t.Helper()
	response, err := b.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// wire sends bytes as they are, and tells what came back and whether the connection goes on after it.
func (p *target) wire(t testing.TB, text string) (status int, goesOn bool) {
	t.Helper()
	conn, err := net.Dial("tcp", p.host)
	if err != nil {
		t.Error(err)
		return 0, false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(programtest.Timeout))
	go func() { _, _ = io.WriteString(conn, text) }()
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Errorf("%.100q: %v", text, err)
		return 0, false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	_, err = from.ReadByte()
	return response.StatusCode, err != io.EOF
}

// Strangers attack one program with all they have. It refuses each of them in its way, holds little of what they
// send, and serves others meanwhile.
func TestStrangersAttack(t *testing.T) {
	p := serve(t)
	slow := slowBodies(t, p) // they are waited for while the others attack
	_, ann := p.signedIn(t, "Ann", "user")
	before := p.peak(t)
	t.Run("bodies that unfold", func(t *testing.T) { unfold(t, p) })
	t.Run("framing", func(t *testing.T) { frame(t, p) })
	t.Run("bodies of strangers", func(t *testing.T) { fill(t, p) })
	if more := p.peak(t) - before; more > 150 {
		t.Errorf("strangers took %d MB", more)
	}
	t.Run("crowd", func(t *testing.T) { crowd(t, p) })
	t.Run("cannon", func(t *testing.T) { cannon(t, p, ann) })
	t.Run("locking out", func(t *testing.T) { lockOut(t, p, ann) })
	slow.Wait()
	if status, _ := p.wire(t, "GET /readyz HTTP/1.1\r\nHost: "+p.host+"\r\nConnection: close\r\n\r\n"); status != 200 {
		t.Errorf("/readyz: %d", status)
	}
	if said := p.Printed(); strings.Contains(said, "panic") || strings.Contains(said, "level=ERROR") {
		t.Errorf("the log:\n%s", said)
	}
	if most := p.peak(t); most > 400 {
		t.Errorf("%d MB at most", most)
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// unfold sends some hundred bytes that are gigabytes.
func unfold(t *testing.T, p *target) {
	b := p.browser(t, "10.2.0.1")
	bomb := append([]byte("email="), make([]byte, 64<<20)...)
	for range 3 {
		var packed bytes.Buffer
		to := gzip.NewWriter(&packed)
		_, _ = to.Write(bomb)
		_ = to.Close()
		bomb = packed.Bytes()
	}
	for _, path := range []string{"/", "/login", "/clients/import", "/unsubscribe/x", "/none"} {
		for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			if status, _ := b.send(t, path, kind, bomb, "gzip, gzip, gzip"); status != http.StatusUnsupportedMediaType {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
}

// frame sends what a program in front of us may read as another request than we do.
func frame(t *testing.T, p *target) {
	const inner = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, head := range []string{
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n", "X-A\x00: 1\r\nContent-Length: 0\r\n\r\n",
		"Content-Length : 0\r\n\r\n", "Content-Length: +0\r\n\r\n", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "Host: evil.example\r\nContent-Length: 0\r\n\r\n",
	} {
		status, goesOn := p.wire(t, "POST /logout HTTP/1.1\r\nHost: "+p.host+"\r\nContent-Type: application/x-www-form-urlencoded\r\n"+head+inner)
		if status != http.StatusBadRequest || goesOn {
			t.Errorf("%q: %d, and the connection goes on: %v", head, status, goesOn)
		}
	}
}

// fill sends large files to where strangers may send none.
func fill(t *testing.T, p *target) {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, _ := writer.CreateFormFile("file", "list.csv")
	_, _ = part.Write(bytes.Repeat([]byte("a"), 60<<20))
	_ = writer.Close()
	var wait sync.WaitGroup
	for i := range 20 {
		path := []string{"/clients/import", "/admin/posts", "/login", "/none"}[i%4]
		wait.Go(func() {
			conn, err := net.Dial("tcp", p.host)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(programtest.Timeout))
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, p.host, writer.FormDataContentType(), form.Len())
			go func() { _, _ = conn.Write(form.Bytes()[:form.Len()-1]) }()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			defer response.Body.Close()
			if response.StatusCode != 413 && response.StatusCode != 303 {
				t.Errorf("%s: %d", path, response.StatusCode)
			}
		})
	}
	wait.Wait()
}

// slowBodies sends a byte now and then; each connection has to end within what a request may take.
func slowBodies(t *testing.T, p *target) *sync.WaitGroup {
	var wait sync.WaitGroup
	for _, head := range []string{
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
		"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\n",
		"X-Header: ",
	} {
		wait.Go(func() {
			conn, err := net.Dial("tcp", p.host)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\n%s", p.host, head)
			ended := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, conn); close(ended) }()
			drop, late := time.NewTicker(time.Second), time.After(programtest.Timeout)
			defer drop.Stop()
			for {
				select {
				case <-ended:
					return
				case <-drop.C:
					_, _ = conn.Write([]byte("a"))
				case <-late:
					t.Errorf("%q is still waited for", head)
					return
				}
			}
		})
	}
	return &wait
}

// crowd takes more connections than one network may have; another one is served.
func crowd(t *testing.T, p *target) {
	from := func(ip string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}} }
	refused := 0
	for i := range 1020 {
		conn, err := from(fmt.Sprintf("127.0.7.%d", 1+i%200)).Dial("tcp", p.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i < 1000 {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(programtest.Timeout))
		if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && response.StatusCode == http.StatusTooManyRequests {
			refused++
			_ = response.Body.Close()
		}
	}
	if refused != 20 {
		t.Errorf("%d of 20 connections too many were refused", refused)
	}
	client := &http.Client{Timeout: programtest.Timeout, Transport: &http.Transport{DialContext: from("127.0.8.1").DialContext}}
	defer client.CloseIdleConnections()
	response, err := client.Get(p.URL + "/login")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("another network: %v %v", response, err)
	}
	_ = response.Body.Close()
}

// cannon has the program write to strangers and, from many networks, to one mailbox.
func cannon(t *testing.T, p *target, ann string) {
	var first string
	for i := range 30 {
		b := p.browser(t, fmt.Sprintf("10.3.%d.1", i))
		for _, email := range []string{fmt.Sprintf("stranger%d@people.example", i), ann} {
			status, body := b.post(t, "/password/forgot", "email", email)
			if answer := fmt.Sprint(status, strings.ReplaceAll(body, email, "")); first == "" {
				first = answer
			} else if answer != first {
				t.Fatalf("the answers differ:\n%s\n%s", first, answer)
			}
		}
		if status, _ := b.post(t, "/register", "name", "Mallory", "email", fmt.Sprintf("victim+%d@people.example", i)); status != 303 {
			t.Errorf("/register: %d", status)
		}
	}
	const most = 1 + 5 // to the victim, and links for Ann within an hour
	if !programtest.Within(programtest.Timeout, func() bool { return p.mail.Accepted() == most }) {
		t.Errorf("%d emails", p.mail.Accepted())
	}
	for _, email := range p.mail.Emails() {
		if email.To != ann && !strings.HasPrefix(email.To, "victim") {
			t.Errorf("an email to %s", email.To)
		}
	}
}

// lockOut guesses somebody's password; the owner signs in all the same.
func lockOut(t *testing.T, p *target, ann string) {
	stranger, refused := p.browser(t, "10.4.0.1"), 0
	for range 15 {
		if status, _ := stranger.post(t, "/login", "email", ann, "password", "not the password"); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d of 15 guesses were refused", refused)
	}
	if status, _ := p.browser(t, "10.5.0.1").post(t, "/login", "email", ann, "password", programtest.Password); status != http.StatusSeeOther {
		t.Errorf("the owner: %d", status)
	}
	if status, _ := stranger.post(t, "/login", "email", strings.Repeat("a", 900_000)+"@people.example", "password", "x"); status != http.StatusUnprocessableEntity {
		t.Errorf("an address of 900 KB: %d", status)
	}
}
