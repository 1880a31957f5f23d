package faulttest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/programtest"
)

// BenchmarkReaders measures what readers cost while the program sends at full speed, all on the same cores, the clients and
// the mail server too: a mailing is sent without them, then another while CLICKS links and OPENS pictures a second are asked
// for, each another client's first. Then the program is stopped: each visit that was answered has to be written down. One
// line says emails/s with and without, what was asked for and answered, how long the slowest percent took, and the CPU
// that program, Postgres and those who asked have used in that time.
func BenchmarkReaders(b *testing.B) {
	clients := fromEnv(b, "CLIENTS", 100_000)[0]
	clicks, opens := fromEnv(b, "CLICKS", 3000)[0], fromEnv(b, "OPENS", 7000)[0]
	address, postmaster := benchPostgres(b)
	env := &environment{TB: b, url: address}
	var err error
	if env.db, err = db.Open(env.url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(env.db.Close)
	if _, err := env.db.Schema().Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	owner := env.owner(clients)
	read := env.readRun(owner)
	first, second := env.mailing(owner), env.mailing(owner)
	env.exec(`UPDATE messages SET body = $1`, benchBody)
	env.exec(`VACUUM ANALYZE clients, deliveries, attempts`)
	p := programtest.Serve(b, "serve", "DATABASE_URL="+address, "SECRET="+secret, "SMTP_URL=smtp://"+benchSink(b)+"?tls=none&conns=50")
	for b.Loop() {
		quiet := env.sentFully(owner, first)
		program, database, own := treeCPU(b, p.Process.Pid), treeCPU(b, postmaster), treeCPU(b, os.Getpid())
		ask := &asking{address: strings.TrimPrefix(p.URL, "http://"), run: read, seqs: clients}
		ask.begin(b, clicks, opens)
		busy := env.sentFully(owner, second)
		asked, took := ask.end(), time.Since(ask.begun).Seconds()
		program, database, own = treeCPU(b, p.Process.Pid)-program, treeCPU(b, postmaster)-database, treeCPU(b, os.Getpid())-own
		if code := p.Stop(); code != 0 {
			b.Errorf("exit %d\n%s", code, p.Printed())
		}
		written := int64(env.count(`SELECT coalesce(sum(count + programs), 0) FROM visits`))
		fmt.Printf("BENCH readers emails/s=%.0f with=%.0f ratio=%.2f asked/s=%d answered/s=%.0f p99=%v answered=%d written=%d cpu/s: program=%.2f postgres=%.2f askers=%.2f\n",
			quiet, busy, busy/quiet, clicks+opens, float64(asked)/took, ask.slowest(), asked, written, program/took, database/took, own/took)
		if asked != written {
			b.Errorf("%d were answered, %d written down", asked, written)
		}
	}
}

// readRun is a run of an hour ago that all clients of the owner got, with one link.
func (env *environment) readRun(owner int64) (id int64) {
	env.Helper()
	err := env.db.Postgres().Pool.QueryRow(env.Context(), `INSERT INTO runs (mailing_id, owner_id, scheduled_at, subject, body, revision, status, track_clicks, track_opens, created_at, closed_at)
		VALUES ($1, $2, now() - interval '1 hour', '', '', 1, 'done', true, true, now() - interval '1 hour', now() - interval '30 minutes') RETURNING id`, env.mailing(owner), owner).Scan(&id)
	if err != nil {
		env.Fatal(err)
	}
	env.exec(`INSERT INTO run_links (run_id, n, url) VALUES ($1, 1, 'https://shop.example/one'), ($1, 2, 'https://shop.example/two')`, id)
	env.exec(`INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries) SELECT $1, row_number() OVER (ORDER BY id), id, email, 'accepted', 1
		FROM clients WHERE owner_id = $2`, id, owner)
	env.exec(`INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer) SELECT run_id, seq, client_id, email, 1, now() - interval '40 minutes', 'accepted', 250, 'Ok'
		FROM deliveries WHERE run_id = $1`, id)
	return id
}

// sentFully launches a mailing and gives the emails a second from its first answer to its last.
func (env *environment) sentFully(owner, mailing int64) float64 {
	env.Helper()
	now := time.Now()
	if _, err := env.db.Mailings().Update(env.Context(), owner, mailing, func(m *domain.Mailing) error { return m.Launch(now) }); err != nil {
		env.Fatal(err)
	}
	done := func() bool {
		return env.ask(`SELECT EXISTS (SELECT FROM runs WHERE mailing_id = $1 AND status = 'done' AND planned > 0)`, mailing)
	}
	for tick := time.NewTicker(50 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-env.Context().Done():
			env.Fatal("the run is not closed")
		}
	}
	var speed float64
	err := env.db.Postgres().Pool.QueryRow(env.Context(), `SELECT count(*) / extract(epoch FROM max(at) - min(at)) FROM attempts
		WHERE run_id = (SELECT max(id) FROM runs WHERE mailing_id = $1 AND planned > 0)`, mailing).Scan(&speed)
	if err != nil {
		env.Fatal(err)
	}
	return speed
}

// asking are the readers: connections that each ask for their share every hundredth of a second.
type asking struct {
	address string
	run     int64
	seqs    int

	begun    time.Time
	stop     chan struct{}
	all      sync.WaitGroup
	next     atomic.Int64
	answered atomic.Int64
	mu       sync.Mutex
	took     [10_000]int64 // by tenths of a millisecond
}

const readers = 20

func (a *asking) begin(b *testing.B, clicks, opens int) {
	a.begun, a.stop = time.Now(), make(chan struct{})
	clickers := (readers*clicks + clicks + opens - 1) / (clicks + opens)
	for n := range readers {
		each, path := opens/(readers-clickers), func(token []byte) string { return "/o/" + string(token) }
		if n < clickers {
			each, path = clicks/clickers, func(token []byte) string { return "/c/" + string(token) + "/1" }
		}
		a.all.Go(func() {
			if err := a.read(each, path); err != nil {
				b.Error(err)
			}
		})
	}
}

// read asks so many times a second, one after the other on a connection; what it could not ask in time it leaves out.
func (a *asking) read(perSecond int, path func([]byte) string) error {
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	tokens, in := domain.NewVisitTokens([]byte(secret)), bufio.NewReader(conn)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for owed, last := 0.0, time.Now(); ; {
		select {
		case <-a.stop:
			return nil
		case now := <-tick.C:
			owed = min(owed+now.Sub(last).Seconds()*float64(perSecond), float64(perSecond))
			last = now
		}
		for ; owed >= 1; owed-- {
			begun := time.Now()
			seq := int(a.next.Add(1)-1)%a.seqs + 1
			if _, err := io.WriteString(conn, "GET "+path(tokens.Append(nil, a.run, seq))+" HTTP/1.1\r\nHost: "+a.address+
				"\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n\r\n"); err != nil {
				return err
			}
			if err := skipAnswer(in); err != nil {
				return err
			}
			a.answered.Add(1)
			a.mu.Lock()
			a.took[min(int64(len(a.took)-1), int64(time.Since(begun)/(100*time.Microsecond)))]++
			a.mu.Unlock()
		}
	}
}

// skipAnswer reads an answer, which has to be a picture or lead on.
func skipAnswer(in *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := strings.TrimSpace(string(line))
		if code, ok := strings.CutPrefix(text, "HTTP/1.1 "); first && (!ok || code[:3] != strconv.Itoa(http.StatusOK) && code[:3] != strconv.Itoa(http.StatusFound)) {
			return fmt.Errorf("answered: %s", text)
		}
		if n, ok := strings.CutPrefix(strings.ToLower(text), "content-length: "); ok {
			length, _ = strconv.Atoi(n)
		}
		if text == "" {
			_, err := in.Discard(length)
			return err
		}
	}
}

// end stops asking and gives how many were answered.
func (a *asking) end() int64 {
	close(a.stop)
	a.all.Wait()
	return a.answered.Load()
}

// slowest is how long the slowest percent took.
func (a *asking) slowest() time.Duration {
	left := a.answered.Load() / 100
	for n := len(a.took) - 1; n >= 0; n-- {
		if left -= a.took[n]; left < 0 {
			return time.Duration(n+1) * 100 * time.Microsecond
		}
	}
	return 0
}
