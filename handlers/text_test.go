package handlers

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skychimp/domain"
)

// noText can't be kept by Postgres: NUL, and bytes that are no UTF-8.
const noText = "a\x00b\xff\xed\xa0\x80"

// parameters are the names of all that handlers read of a request.
func parameters(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	reads := regexp.MustCompile(`(?:Query|QueryInt|QueryBool|FormValue|FormFile|PeekMulti|Has|Peek)\("(\w+)"`)
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range reads.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d parameters", len(names))
	}
	return slices.Sorted(maps.Keys(names))
}

// sends sends a form, urlencoded and in parts, with the query and headers, and looks for a 5xx.
func (s *fixture) sends(t *testing.T, d decision, query string, form url.Values) {
	t.Helper()
	role := strings.Fields(d.who.roles)[0]
	if strings.Contains(d.who.roles, "user") {
		role = "user"
	}
	for _, inParts := range []bool{false, true} {
		me := s.actor(t, cell{d, role, "own", false})
		id := s.place(t, cell{d, role, "own", false}, me.id)
		method, path, _ := strings.Cut(d.route, " ")
		if address, ok := addresses[d.route]; ok {
			path = address
		}
		if method == "GET" && inParts {
			continue
		}
		fill := strings.NewReplacer("{me}", strconv.FormatInt(me.id, 10), "{id}", id)
		var body bytes.Buffer
		kind := "application/x-www-form-urlencoded"
		if inParts {
			parts := multipart.NewWriter(&body)
			for name, values := range form {
				_ = parts.WriteField(name, fill.Replace(values[0]))
			}
			for _, name := range []string{"file", "image"} {
				file, _ := parts.CreateFormFile(name, "x\x00\xff.csv")
				_, _ = io.WriteString(file, "email;name\na\x00@x.example;\xff\xfe\n")
			}
			_ = parts.Close()
			kind = parts.FormDataContentType()
		} else {
			filled := url.Values{}
			for name, values := range form {
				filled.Set(name, fill.Replace(values[0]))
			}
			body.WriteString(filled.Encode())
		}
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+strings.Replace(path, ":id", id, 1)+query, &body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"User-Agent": {"\xff\xfe"}, "Content-Type": {kind}, "Cookie": {"session=" + me.cookie + "; language=\xff; flash=\xff%00"},
			"Accept-Language": {"\xff"}, "X-Forwarded-For": {"\xff"}, "Referer": {"\xff"}, "Hx-Current-Url": {"\xff%00"}}
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode >= 500 {
			t.Errorf("%s %q %q in parts %v: status %d", d.route, query, form, inParts, response.StatusCode)
		}
	}
}

// Whatever is asked, and in whatever field: what Postgres can't keep never gets so far.
func TestWhatIsNoText(t *testing.T) {
	s, names := newFixture(t), parameters(t)
	for _, d := range decisions {
		whole, err := url.ParseQuery(d.form)
		if err != nil || strings.HasPrefix(d.form, "{") {
			whole = url.Values{}
		}
		bad := maps.Clone(whole)
		query := url.Values{noText: {noText}}
		for _, name := range names {
			query.Set(name, noText)
			if _, there := bad[name]; !there {
				bad.Set(name, noText)
			}
		}
		s.sends(t, d, "?"+query.Encode(), whole)
		s.sends(t, d, "?"+noText[3:4]+"=%00", bad)
		for name := range whole {
			one := maps.Clone(whole)
			one.Set(name, noText)
			s.sends(t, d, "", one)
		}
		if method, path, _ := strings.Cut(d.route, " "); strings.Contains(path, ":") || strings.Contains(path, "*") {
			for _, bytes := range []string{"%00", "%ff", "%2500", "\xff", "%zz", "%"} {
				broken := regexp.MustCompile(`:\w+|\*`).ReplaceAllString(path, bytes)
				s.raw(t, method, broken)
			}
		}
	}
	var kept int
	if err := s.db.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM users`).Scan(&kept); err != nil || kept == 0 {
		t.Errorf("%d users, %v", kept, err)
	}
}

// River's page is a program of its own: whatever it is asked it doesn't fail, and what it changes is in the log.
func TestJobsPage(t *testing.T) {
	w := newEnv(t)
	admin := w.as(t, w.user(t, "root", domain.RoleAdmin))
	exec := func(sql string) {
		t.Helper()
		if _, err := w.db.Postgres().Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO river_queue (name, metadata, updated_at) VALUES ('plan', '{}', now())`)
	exec(`INSERT INTO river_job (id, kind, args, max_attempts, state, finalized_at) VALUES (7, 'plan', '{}', 1, 'completed', now()), (8, 'plan', '{}', 1, 'completed', now())`)
	for _, name := range []string{"limit", "ids", "kinds", "priorities", "queues", "state", "tags", "after", "facet", "match", "exclude"} {
		for _, value := range []string{"0", "-1", "1001", "99999999999999999999", "x", "", "%00", "%ff", "'", "1.5"} {
			for _, path := range []string{"jobs", "queues", "autocomplete", "states", "jobs/7"} {
				if got := admin.get("/admin/jobs/api/" + path + "?" + name + "=" + value); got.StatusCode >= 500 {
					t.Errorf("%s?%s=%s: %d %.200s", path, name, value, got.StatusCode, got.body)
				}
			}
		}
	}
	ask := func(method, path, body string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, w.url+"/admin/jobs/api/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := admin.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	for _, body := range []string{`{"ids":["\u0000"]}`, `{"ids":["99999999999999999999"]}`, `{"ids":null}`, `{"ids":[{}]}`, `[]`, `nonsense`, ``, `{"ids":["-1"]}`} {
		for _, path := range []string{"POST jobs/cancel", "POST jobs/delete", "POST jobs/retry", "PATCH queues/plan", "PUT queues/none/pause"} {
			method, path, _ := strings.Cut(path, " ")
			if status := ask(method, path, body); status >= 500 {
				t.Errorf("%s %s %s: %d", method, path, body, status)
			}
		}
	}
	exec(`DELETE FROM audit`)
	for _, one := range []string{"PUT queues/plan/pause", "PUT queues/plan/resume", "POST jobs/retry", "POST jobs/cancel", "POST jobs/delete"} {
		method, path, _ := strings.Cut(one, " ")
		if status := ask(method, path, `{"ids":["7","8"]}`); status != 200 {
			t.Errorf("%s: %d", one, status)
		}
	}
	page := admin.get("/admin/audit").is(t, 200, "Queue paused", "Queue resumed", "Jobs retried", "Jobs cancelled", "Jobs deleted", "7, 8", "plan")
	if n := strings.Count(page.body, ">7, 8<"); n != 3 {
		t.Errorf("%d lines name the jobs", n)
	}
}

// raw asks for an address that net/http would not write.
func (s *fixture) raw(t *testing.T, method, path string) {
	t.Helper()
	admin := s.person(t, "admin")
	status, _ := s.env.wire(t, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nCookie: session=%s\r\nContent-Length: 0\r\n\r\n",
		method, path, strings.TrimPrefix(s.url, "http://"), admin.cookie))
	if status == 0 || status >= 500 {
		t.Errorf("%s %q: %d", method, path, status)
	}
}
