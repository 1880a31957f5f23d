package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/programtest"
	"skychimp/handlers/resolver"
	"skychimp/handlers/resolver/dnstest"
	"skychimp/handlers/web"
	"skychimp/static"
	"skychimp/templates"
)

// env is the whole site on a port of its own, with an empty database.
type env struct {
	db     *db.DB
	url    string
	output *siteLog
	media  string // the folder of pictures
}

// siteLog is what the site logs.
type siteLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *siteLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *siteLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newEnv(t testing.TB) *env {
	t.Helper()
	return envOn(t, dbtest.New(t))
}

func envOn(t testing.TB, database *db.DB, change ...func(*Config)) *env {
	t.Helper()
	return served(t, database, 0, change...)
}

// served is an env that waits for a body no longer than patience; 0: as long as it really does.
func served(t testing.TB, database *db.DB, patience time.Duration, change ...func(*Config)) *env {
	t.Helper()
	files, set := parsed()
	folder := t.TempDir()
	media, err := db.OpenMedia("", folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = media.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	log := &siteLog{}
	config := Config{Config: web.Config{BaseURL: base, Addr: base.Host, Inbox: true, Secret: []byte(password)}, Media: media, Passwords: web.NewPasswords(cheap)}
	for _, one := range change {
		one(&config)
	}
	if config.DNS == nil {
		config.Check = func(context.Context) []emailauth.Line { return []emailauth.Line{emailauth.Inbox()} }
		config.DNS = resolver.New(dnstest.New(t).Addr)
	}
	logger := slog.New(slog.NewTextHandler(log, nil))
	app, err := New(config, database, set, files, logger)
	if err != nil {
		t.Fatal(err)
	}
	if app.Server().ReadTimeout != 30*time.Second {
		t.Errorf("bodies may take %v", app.Server().ReadTimeout)
	}
	if patience > 0 {
		app.Server().ReadTimeout = patience
	}
	gate, err := web.Gate(listener, config.Proxies, logger)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(gate) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(10 * time.Second); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return &env{db: database, url: base.String(), output: log, media: folder}
}

// parsed are the files and the templates, of which each site of these tests has the same.
var parsed = sync.OnceValues(func() (*static.Files, *templates.Set) {
	files, err := static.Load()
	if err != nil {
		panic(err)
	}
	set, err := templates.New(files)
	if err != nil {
		panic(err)
	}
	return files, set
})

// password is everybody's.
const password = "correct horse battery"

// cheap is the memory of a hash where the hash is not what is tested, in KiB.
const cheap = 64

var passwordHash = sync.OnceValue(func() string {
	hash, err := web.NewPasswords(cheap).Hash(context.Background(), web.Turn{}, password)
	if err != nil {
		panic(err)
	}
	return hash
})

// user is a new user whose mailbox is confirmed.
func (w *env) user(t testing.TB, name string, role domain.Role) domain.User {
	t.Helper()
	u := domain.User{Email: name + "@people.example", Name: name, Role: role, Language: "en", Timezone: "UTC", VerifiedAt: time.Now(), PasswordHash: passwordHash()}
	if err := w.db.Users().Create(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// browser keeps cookies, follows no redirect and has no JavaScript.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
	header http.Header // sent with every request
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (w *env) visitor(t testing.TB) *browser {
	t.Helper()
	return &browser{t: t, base: w.url, client: programtest.Browser(t), header: http.Header{}}
}

// as is a browser in which the user is signed in.
func (w *env) as(t testing.TB, user domain.User) *browser {
	t.Helper()
	b, secret, now := w.visitor(t), make([]byte, 32), time.Now()
	_, _ = rand.Read(secret)
	hash := sha256.Sum256(secret)
	err := w.db.Sessions().Start(t.Context(), domain.Session{Hash: hash[:], UserID: user.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse(w.url)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: base64.RawURLEncoding.EncodeToString(secret)}})
	return b
}

// htmx is the same browser asking for fragments.
func (b *browser) htmx() *browser { return b.with("HX-Request", "true") }

// with is the same browser sending another header.
func (b *browser) with(name, value string) *browser {
	other := *b
	other.header = b.header.Clone()
	other.header.Set(name, value)
	return &other
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.do("GET", path, nil) }

// post sends a form; values are names and values in turn.
func (b *browser) post(path string, values ...string) answer {
	b.t.Helper()
	return b.do("POST", path, values)
}

func (b *browser) do(method, path string, values []string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Add(values[i], values[i+1])
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header = b.header.Clone()
	if method != "GET" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response, string(body)}
}

// is checks the status, and that all texts stand in the body.
func (a answer) is(t testing.TB, status int, texts ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%.600s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s %s: no %q in\n%.3000s", a.Request.Method, a.Request.URL, text, a.body)
		}
	}
	return a
}

// leads checks that the browser is sent to path.
func (a answer) leads(t testing.TB, path string) {
	t.Helper()
	if a.is(t, http.StatusSeeOther).Header.Get("Location") != path {
		t.Fatalf("%s %s leads to %s, want %s", a.Request.Method, a.Request.URL, a.Header.Get("Location"), path)
	}
}
