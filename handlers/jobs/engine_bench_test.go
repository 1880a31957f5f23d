package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/embedded"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

func BenchmarkRun(b *testing.B) {
	clients, _ := strconv.Atoi(os.Getenv("CLIENTS"))
	if clients == 0 {
		clients = 10_000
	}
	conns, _ := strconv.Atoi(os.Getenv("CONNS"))
	if conns == 0 {
		conns = 10
	}
	latency, _ := time.ParseDuration(os.Getenv("LATENCY"))
	ctx := b.Context()
	pg, err := embedded.Start(ctx, b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer pg.Stop(context.WithoutCancel(ctx))
	store, err := db.Open(pg.URL())
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	sink := smtptest.Start(b, smtptest.Script{Count: true, Latency: latency})
	server, _ := smtp.ParseURL(sink.URL())
	server.Conns = conns
	e := NewEngine(store, Settings{
		Server: server, From: mail.Address{Address: "noreply@example.org"}, BaseURL: "http://localhost:8080",
		Secret: []byte("secret"), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Translate: func(_, key string, _ ...any) string { return key },
	})
	if _, err := e.Join(ctx); err != nil {
		b.Fatal(err)
	}
	done := make(chan error)
	run, stop := context.WithCancel(ctx)
	go func() { done <- e.Run(run) }()

	mailing := benchMailing(b, store, clients)
	b.ResetTimer()
	for range b.N {
		started := time.Now()
		r, ok, err := store.PlanRun(ctx, mailing, time.Now(), true)
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		planned := time.Now()
		var row db.RunRow
		for row.ClosedAt.IsZero() {
			time.Sleep(20 * time.Millisecond)
			if row, err = store.Run(ctx, 0, r.ID); err != nil {
				b.Fatal(err)
			}
		}
		fmt.Printf("%+v plan %v send %v: %.0f letters/s\n", row.Counts, planned.Sub(started), row.ClosedAt.Sub(planned),
			float64(clients)/row.ClosedAt.Sub(planned).Seconds())
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func benchMailing(b *testing.B, store *db.DB, clients int) int64 {
	ctx := b.Context()
	_, err := store.Pool.Exec(ctx, `INSERT INTO users (id, email, name, password_hash, role, verified_at) VALUES (1000, 'o@example.org', 'Owner', '', 'user', now())`)
	if err != nil {
		b.Fatal(err)
	}
	_, err = store.Pool.Exec(ctx, `INSERT INTO clients (owner_id, email, full_name) SELECT 1000, 'client' || n || '@example.org', 'Client ' || n FROM generate_series(1, $1::int) n`, clients)
	if err != nil {
		b.Fatal(err)
	}
	body := "Hello {{name}},\n\n" + strings.Repeat("We write because there is news that you may like to read. ", 14)
	var message int64
	err = store.Pool.QueryRow(ctx, `INSERT INTO messages (owner_id, subject, body) VALUES (1000, 'News for {{name}}', $1) RETURNING id`, body).Scan(&message)
	if err != nil {
		b.Fatal(err)
	}
	m := domain.Mailing{OwnerID: 1000}
	if err := m.Change(domain.MailingForm{Name: "Bench", MessageID: message, Audience: "all", StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "monthly"}, time.Now()); err != nil {
		b.Fatal(err)
	}
	if err := store.CreateMailing(ctx, &m); err != nil {
		b.Fatal(err)
	}
	return m.ID
}
