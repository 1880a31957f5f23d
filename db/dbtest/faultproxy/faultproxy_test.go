package faultproxy_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
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

	muted := call(t, p)
	if err := muted.say("hello"); err != nil {
		t.Fatal(err)
	}
	p.Mute()
	_ = muted.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if err := muted.say("anybody"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a dead connection said %v", err)
	}
	c = call(t, p)
	if err := c.say("hello"); err != nil {
		t.Fatal(err)
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
	const thirteen statement.Name = "thirteen"
	p := faultproxy.Postgres(t, dbtest.URL(t))
	var mu sync.Mutex
	var seen []string
	passed := make(chan struct{}, 1) // the commit, which may be told after its answer
	p.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(when, " ", cmp.Or(string(s.Name()), s.SQL), " ", len(s.Transaction)))
		if s.SQL != "commit" || !s.Within(thirteen) {
			return faultproxy.Pass
		}
		if when == faultproxy.Passed {
			passed <- struct{}{}
		}
		return when == faultproxy.Answered // to be dropped
	})
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
		mu.Lock()
		seen = nil
		mu.Unlock()
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
			_, err := tx.Exec(t.Context(), thirteen.SQL("SELECT 13"))
			return err
		})
		if err == nil {
			t.Errorf("mode %v: the answer to commit arrived", mode)
		}
		<-passed
		mu.Lock()
		seen := slices.Clone(seen)
		mu.Unlock()
		got := strings.Join(seen, "\n")
		for _, statement := range []string{"begin 0", "thirteen 1", "commit 2"} {
			before := slices.Index(seen, "before "+statement)
			if before < 0 || slices.Index(seen, "passed "+statement) < before || slices.Index(seen, "answered "+statement) < before {
				t.Errorf("mode %v: %s was not told in order:\n%s", mode, statement, got)
			}
		}
		if !slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "answered SELECT repeat('x'") }) {
			t.Errorf("mode %v: the first statement was not told:\n%s", mode, got)
		}
	}
}
