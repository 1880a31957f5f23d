package handlers

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// wire stands between the site and its database; it can be cut and clogged.
type wire struct {
	net.Listener
	socket string
	mu     sync.Mutex
	state  string // "open", "cut", "clogged"
	ends   []net.Conn
}

func newWire(t *testing.T) (*wire, *db.DB) {
	t.Helper()
	to, err := pgx.ParseConfig(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: listener, socket: fmt.Sprintf("%s/.s.PGSQL.%d", to.Host, to.Port), state: "open"}
	go w.serve()
	database, err := db.Open(fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", to.User, to.Password, listener.Addr(), to.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.set("cut")
		database.Close()
		listener.Close()
	})
	return w, database
}

func (w *wire) serve() {
	for {
		from, err := w.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", w.socket)
		w.mu.Lock()
		if w.ends = append(w.ends, from); err == nil {
			w.ends = append(w.ends, to)
		}
		if w.state == "cut" || err != nil {
			w.hangUp()
		}
		w.mu.Unlock()
		go w.carry(from, to)
		go w.carry(to, from)
	}
}

// carry copies until the wire is clogged.
func (w *wire) carry(from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		clogged := w.state == "clogged"
		w.mu.Unlock()
		if clogged {
			_, _ = io.Copy(io.Discard, from)
		}
		if err != nil || clogged {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (w *wire) set(state string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	if state != "clogged" {
		w.hangUp()
	}
}

func (w *wire) hangUp() {
	for _, end := range w.ends {
		end.Close()
	}
	w.ends = nil
}

// A database that is away answers 503 within a second, and the site recovers by itself.
func TestDatabaseAway(t *testing.T) {
	wire, database := newWire(t)
	w := envOn(t, database)
	visitor, b := w.visitor(t), w.as(t, w.user(t, "anna", domain.RoleUser))
	for _, state := range []string{"cut", "clogged"} {
		t.Run(state, func(t *testing.T) {
			b.get("/account").is(t, 200)
			wire.set(state)
			soonest := time.Hour // on a busy machine the process itself may wait for its turn
			everyWay(t, b, func(t *testing.T, lang string, b *browser) {
				begun := time.Now()
				got := b.get("/account").refused(t, lang, 503, "errors.503_what", "errors.503_do")
				soonest = min(soonest, time.Since(begun))
				if got.Header.Get("Retry-After") == "" {
					t.Error("503 without Retry-After")
				}
			})
			if soonest > time.Second {
				t.Errorf("503 after %s", soonest)
			}
			// Nobody is told to sign in, and what was typed is kept.
			typed := b.post("/messages", "_method", "PUT", "subject", "Hi").is(t, 503, `name="_method" value="PUT"`, `name="subject" value="Hi"`)
			if strings.Contains(typed.body, `href="/login"`) {
				t.Error("the page offers to sign in")
			}
			visitor.get("/readyz").is(t, 503)
			visitor.get("/healthz").is(t, 200)
			wire.set("open")
			for deadline := time.Now().Add(time.Minute); visitor.get("/readyz").StatusCode != 200 && time.Now().Before(deadline); {
				time.Sleep(20 * time.Millisecond) // connections are tried with pauses
			}
			visitor.get("/readyz").is(t, 200)
			b.get("/account").is(t, 200)
		})
	}
}
