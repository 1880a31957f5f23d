package faultproxy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
)

// echo is a server that says everything back.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	return listener.Addr().String()
}

type caller struct {
	*testing.T
	net.Conn
}

func call(t *testing.T, p *faultproxy.Proxy) caller {
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return caller{t, conn}
}

func (c caller) say(word string) error {
	if _, err := io.WriteString(c.Conn, word); err != nil {
		return err
	}
	back := make([]byte, len(word))
	_, err := io.ReadFull(c.Conn, back)
	if err == nil && string(back) != word {
		c.T.Errorf("%q came back as %q", word, back)
	}
	return err
}

func TestFaults(t *testing.T) {
	p := faultproxy.Start(t, "tcp", echo(t))
	c := call(t, p)
	if err := c.say("hello"); err != nil {
		t.Fatal(err)
	}

	p.Slow(20 * time.Millisecond)
	begun := time.Now()
	if err := c.say("slowly"); err != nil || time.Since(begun) < 40*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	p.Slow(0)

	resume := p.Stall()
	said := make(chan error)
	go func() { said <- c.say("patience") }()
	select {
	case err := <-said:
		t.Errorf("passed a stalled proxy: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	resume()
	if err := <-said; err != nil {
		t.Error(err)
	}

	p.Cut()
	if c.say("anybody") == nil {
		t.Error("the connection was not cut")
	}
	p.Refuse(true)
	if call(t, p).say("anybody") == nil {
		t.Error("a new connection was not refused")
	}
	p.Refuse(false)
	p.To("tcp", echo(t))
	if err := call(t, p).say("again"); err != nil {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	p := faultproxy.Postgres(t, dbtest.URL(t))
	var mu sync.Mutex
	var seen []string
	p.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(when, " ", s.SQL, " ", len(s.Transaction)))
		if s.SQL == "commit" && s.Within("SELECT 13") && when == faultproxy.Answered {
			return faultproxy.Drop
		}
		return faultproxy.Pass
	})
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
		seen = nil
		config, err := pgx.ParseConfig(p.URL())
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var long string
		if err := conn.QueryRow(t.Context(), "SELECT repeat('x', $1::int)", 300_000).Scan(&long); err != nil || len(long) != 300_000 {
			t.Fatal(len(long), err)
		}
		err = pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "SELECT 13")
			return err
		})
		if err == nil {
			t.Errorf("mode %v: the answer to commit arrived", mode)
		}
		got := strings.Join(seen, "\n")
		for _, want := range []string{"before begin 0\npassed begin 0\nanswered begin 0", "before SELECT 13 1\npassed SELECT 13 1", "before commit 2\npassed commit 2\nanswered commit 2"} {
			if !strings.Contains(got, want) {
				t.Errorf("mode %v: no %q in\n%s", mode, want, got)
			}
		}
		if !slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "answered SELECT repeat('x'") }) {
			t.Errorf("mode %v: the first statement was not told:\n%s", mode, got)
		}
	}
}
