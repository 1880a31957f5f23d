package handlers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"skychimp/static"
)

// secret is everybody's password, as a form sends it.
var secret = url.QueryEscape(password)

// things insert what :id names: $1 is its id, $2 its owner's.
var things = map[string]string{
	"client": `INSERT INTO clients (id, owner_id, email, suppressed_at, suppressed_reason)
		VALUES ($1, $2, $1::bigint::text || '@x.example', now(), 'bounced')`,
	"import": `INSERT INTO imports (id, owner_id, file_name, content, status) VALUES ($1, $2, 'list.csv', '', 'done')`,
	"message version": `WITH made AS (INSERT INTO messages (id, owner_id, subject, body) VALUES ($1, $2, 'Hello', 'Hello') RETURNING id, owner_id)
		INSERT INTO message_versions SELECT id, 1, owner_id, 'Ann', 'Hello', '', 'Hello', '', now() FROM made`,
	"message":          `INSERT INTO messages (id, owner_id, subject, body) VALUES ($1, $2, 'Hello', 'Hello')`,
	"mailing":          insertMailing("'created', NULL"),
	"launched mailing": insertMailing("'running', now()"),
	"run": `WITH mailing AS (
			INSERT INTO mailings (id, owner_id, name, audience, start_local, timezone, periodicity)
			VALUES ($1, $2, 'News', 'all', '2031-01-06 09:00', 'UTC', 'daily') RETURNING id
		) INSERT INTO runs (id, mailing_id, owner_id, scheduled_at, status, subject, body) SELECT $1, id, $2, now(), 'running', 'Hello', 'Hello' FROM mailing`,
	"topic": `INSERT INTO topics (id, owner_id, name) SELECT $1, $2, 't' || $1::bigint::text`,
	"field": `INSERT INTO fields (id, owner_id, key, label, type) SELECT $1, $2, 'k' || $1::bigint::text, 'Field', 'text'`,
	"bulk":  `INSERT INTO bulk_acts (id, owner_id, act, total, changed, status, newest) VALUES ($1, $2, 'suppress', 1, 1, 'done', 0)`,
	"segment": `INSERT INTO segments (id, owner_id, name, match, conditions)
		SELECT $1, $2, 'Segment ' || $1::bigint::text, 'all', '[{"where": "tag", "op": "is", "value": "vip"}]'`,
	"series":          insertSeries("'created', NULL, NULL"),
	"launched series": insertSeries("'running', now(), NULL"),
	"paused series":   insertSeries("'running', now(), now()"),
	"form":            `INSERT INTO forms (id, owner_id, token, name, agreement) SELECT $1, $2, 'form' || $1::bigint::text, 'News', 'I agree'`,
	"sender": `WITH domain AS (
			INSERT INTO sender_domains (id, owner_id, domain, rsa_selector, rsa_public, rsa_key, ed25519_selector, ed25519_public, ed25519_key)
			VALUES ($1, $2, 's' || $1::bigint::text || '.example', 'r', 'R', '', 'e', 'E', '') RETURNING id
		) INSERT INTO senders (id, owner_id, domain_id, name, email) SELECT $1, $2, id, 'Shop', 'news@s' || $1::bigint::text || '.example' FROM domain`,
	"post": `INSERT INTO posts (id, author_id, slug, title, body) VALUES ($1, $2, 'post-' || $1::bigint::text, 'Post', 'Text')`,
	"user": `INSERT INTO users (id, email, name, password_hash, role) SELECT $1, $1::bigint::text || '@x.example', 'Name', '', 'user' WHERE $2 > 0`,
	"email": `INSERT INTO inbox_emails (id, sender, recipient, raw)
		SELECT $1, 'a@x.example', 'b@x.example', convert_to(E'Subject: Hello\r\n\r\nHello', 'UTF8') WHERE $2 > 0`,
}

func insertSeries(state string) string {
	return `WITH message AS (INSERT INTO messages (id, owner_id, subject, body) VALUES ($1, $2, 'Hello', 'Hello') RETURNING id),
		mailing AS (INSERT INTO mailings (id, owner_id, kind, name, audience, start_local, timezone, periodicity, status, launched_at, paused_at)
			VALUES ($1, $2, 'series', 'Welcome', 'picked', '2031-01-06 09:00', 'UTC', 'once', ` + state + `) RETURNING id),
		series AS (INSERT INTO series (id, owner_id, entry) SELECT id, $2, 'manual' FROM mailing RETURNING id),
		client AS (INSERT INTO clients (id, owner_id, email) VALUES ($1, $2, 's' || $1::bigint::text || '@x.example') RETURNING id),
		inside AS (INSERT INTO series_clients (series_id, client_id, how) SELECT series.id, client.id, 'manual' FROM series, client)
		INSERT INTO series_steps (id, series_id, position, message_id, wait_days) SELECT $1, $1, 1, message.id, 0 FROM message`
}

func insertMailing(state string) string {
	return `WITH message AS (INSERT INTO messages (id, owner_id, subject, body) VALUES ($1, $2, 'Hello', 'Hello') RETURNING id)
		INSERT INTO mailings (id, owner_id, message_id, name, audience, start_local, timezone, periodicity, status, launched_at)
		SELECT $1, $2, id, 'News', 'all', '2031-01-06 09:00', 'UTC', 'daily', ` + state + ` FROM message`
}

// fixture is the site with a thing for every question, and a person for every one that may change
// them, so that none depends on another.
type fixture struct {
	*env
	last     int64 // id of a person or thing; long, so that it can be found in a page
	client   *http.Client
	css      string
	other    int64             // the owner of foreign things
	audience map[string]person // by role: who only looks, or is refused
	seen     bool              // an address of a client, by whoever may
}

type person struct {
	id     int64
	cookie string
}

type reply struct {
	*http.Response
	body  string // without the number of the thing
	wrote bool   // a transaction that writes took place
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s := &fixture{env: newEnv(t), last: 7_000_000, audience: map[string]person{}, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	t.Cleanup(s.client.CloseIdleConnections)
	files, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	if s.css, err = files.URL("css/app.css"); err != nil {
		t.Fatal(err)
	}
	s.other = s.person(t, "user").id
	s.exec(t, `WITH client AS (INSERT INTO clients (id, owner_id, email, full_name) VALUES (6000000, $1, $2, 'Kept')),
		mailing AS (INSERT INTO mailings (id, owner_id, name, audience, start_local, timezone, periodicity) VALUES (6000000, $1, 'News', 'all', '2031-01-06 09:00', 'UTC', 'once')),
		run AS (INSERT INTO runs (id, mailing_id, owner_id, scheduled_at, status, subject, body, closed_at) VALUES (6000000, 6000000, $1, now(), 'done', 'Hello', 'Hello', now())),
		delivery AS (INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries) VALUES (6000000, 1, 6000000, $2, 'accepted', 1))
		INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer) VALUES (6000000, 1, 6000000, $2, 1, now(), 'accepted', 250, 'Ok')`, s.other, keptAddress)
	s.exec(t, `INSERT INTO posts (slug, title, body, published_at) VALUES ('hello', 'Hello', 'Text', now())`)
	s.exec(t, `INSERT INTO river_queue (name, metadata, updated_at) VALUES ('default', '{}', now())`)
	s.exec(t, `INSERT INTO river_job (id, kind, args, max_attempts, state, finalized_at) VALUES (7000000, 'plan', '{}', 1, 'completed', now())`)
	return s
}

func (s *fixture) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := s.db.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err, sql)
	}
}

// person makes a user with a session and its cookie. Who is blocked keeps the session,
// to see that it is worth nothing. It is noted that it was used, or that would be noted a minute later.
func (s *fixture) person(t *testing.T, role string) person {
	t.Helper()
	s.last++
	bare := fmt.Sprintf("%032d", s.last)
	hash := sha256.Sum256([]byte(bare))
	s.exec(t, `WITH person AS (
			INSERT INTO users (id, email, name, password_hash, role, verified_at, blocked_at, blocked_reason)
			VALUES ($1, $1::bigint::text || '@people.example', 'Name', $2, $3, now(), CASE WHEN $4 THEN now() END, 'spam') RETURNING id
		) INSERT INTO sessions (hash, user_id, expires_at, seen_at) SELECT $5, id, now() + interval '1 hour', now() + interval '1 hour' FROM person`,
		s.last, passwordHash(), strings.NewReplacer("visitor", "user", "blocked", "user").Replace(role), role == "blocked", hash[:])
	return person{s.last, base64.RawURLEncoding.EncodeToString([]byte(bare))}
}

// actor is who puts the question.
func (s *fixture) actor(t *testing.T, c cell) person {
	t.Helper()
	if c.admitted() && !strings.HasPrefix(c.route, "GET ") {
		return s.person(t, c.role)
	}
	if _, there := s.audience[c.role]; !there {
		s.audience[c.role] = s.person(t, c.role)
	}
	return s.audience[c.role]
}

// ask puts one question to the site.
func (s *fixture) ask(t *testing.T, c cell) reply {
	t.Helper()
	me := s.actor(t, c)
	id := s.place(t, c, me.id)
	method, path, _ := strings.Cut(c.route, " ")
	if address, ok := addresses[c.route]; ok {
		path = address
	} else if path == "/static/:hash/*" {
		path = s.css
	}
	form := strings.NewReplacer("{me}", strconv.FormatInt(me.id, 10), "{id}", id).Replace(c.form)
	kind := "application/x-www-form-urlencoded"
	switch {
	case strings.HasPrefix(form, "{"):
		kind = "application/json"
	case !c.fragment && method != http.MethodGet && method != http.MethodPost: // as a form sends it
		form, method = form+"&_method="+method, http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+strings.Replace(path, ":id", id, 1), strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", "bot") // whose views nobody counts, and writes down later
	if method != http.MethodGet {
		request.Header.Set("Content-Type", kind)
	}
	if c.role != "visitor" {
		request.AddCookie(&http.Cookie{Name: "session", Value: me.cookie})
	}
	if c.fragment {
		request.Header.Set("HX-Request", "true")
	}
	before := s.transactions(t)
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response, strings.ReplaceAll(string(body), id, "ID"), s.transactions(t) != before}
}

// place makes the thing that the question is about, and gives its id.
func (s *fixture) place(t *testing.T, c cell, me int64) string {
	t.Helper()
	owner := me
	if c.object == "foreign" {
		owner = s.other
	}
	s.last++
	switch {
	case c.thing == "user" && c.object == "own":
		return strconv.FormatInt(me, 10)
	case c.thing != "" && c.object != "missing":
		s.exec(t, things[c.thing], s.last, owner)
	}
	return strconv.FormatInt(s.last, 10)
}

// transactions is a number that every transaction that writes makes larger, committed or not.
func (s *fixture) transactions(t *testing.T) (n string) {
	t.Helper()
	if err := s.db.Postgres().Pool.QueryRow(t.Context(), `SELECT pg_snapshot_xmax(pg_current_snapshot())::text`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// keptAddress is a client's of somebody else: only managers and admins may see it.
const keptAddress = "kept@private.example"

// check looks at where an answer leads and whether it says that htmx gets another.
func (s *fixture) check(t *testing.T, c cell, got reply) {
	t.Helper()
	if strings.Contains(got.body, keptAddress) {
		if s.seen = true; c.role != "manager" && c.role != "admin" {
			t.Errorf("%v: shows the address of a client", c.name())
		}
	}
	to := got.Header.Get("Location") + got.Header.Get("HX-Redirect")
	if c.fragment != (got.Header.Get("Location") == "") && to != "" {
		t.Errorf("%v: leads to %s in the wrong header", c.name(), to)
	}
	asksToSignIn := strings.HasPrefix(to, "/login?next=")
	if want := !c.admitted() && (c.role == "visitor" || c.role == "blocked"); asksToSignIn != want {
		t.Errorf("%v: leads to %q", c.name(), to)
	}
	varies := strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "HX-Request")
	if html := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html"); html && got.body != "" && !varies {
		t.Errorf("%v: no Vary: HX-Request", c.name())
	}
}

func (c cell) name() string {
	return strings.Join(strings.Fields(c.role+": "+c.object+" "+c.route+map[bool]string{true: " by htmx"}[c.fragment]), " ")
}
