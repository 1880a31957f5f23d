package postgres_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// riverVersion is the one whose private tables Evict, Ready and the tests were read against. Raise it
// only after this test passes otherwise and River's changelog was read for them.
const riverVersion = "v0.51.1"

func TestRiverVersion(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(mod), "\n"), "\tgithub.com/riverqueue/river "+riverVersion) {
		t.Errorf("go.mod has another River than %s, whose private tables we use", riverVersion)
	}
}

func TestRiverTables(t *testing.T) {
	d := dbtest.New(t)
	for table, want := range map[string]string{
		"river_job":    "args jsonb, attempt int2, attempted_by _text, errors _jsonb, finalized_at timestamptz, kind text, metadata jsonb, queue text, scheduled_at timestamptz, state river_job_state",
		"river_leader": "elected_at timestamptz, expires_at timestamptz, leader_id text",
		"river_queue":  "metadata jsonb, name text, updated_at timestamptz",
	} {
		names := []string{}
		for column := range strings.SplitSeq(want, ", ") {
			names = append(names, strings.Fields(column)[0])
		}
		var got string
		err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(column_name || ' ' || udt_name, ', ' ORDER BY column_name COLLATE "C"), '')
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND column_name = ANY($2)`, table, names).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s has %s, want %s (%v)", table, got, want, err)
		}
	}
	var states []string
	if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT enum_range(NULL::river_job_state)::text[]`).Scan(&states); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"available", "running", "completed", "cancelled"} {
		if !slices.Contains(states, state) {
			t.Errorf("no state %q in %v", state, states)
		}
	}
}

// held runs until the test ends.
type held struct {
	river.WorkerDefaults[domain.BalanceJob]
	running chan []string
}

func (h held) Work(ctx context.Context, job *river.Job[domain.BalanceJob]) error {
	h.running <- job.AttemptedBy
	<-ctx.Done()
	return ctx.Err()
}

// What Evict writes is what River itself writes: who works a job, who leads, and how a leader resigns.
func TestRiverProtocol(t *testing.T) {
	d := dbtest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.Postgres().Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN "public.river_leadership"`); err != nil {
		t.Fatal(err)
	}
	worker := held{running: make(chan []string, 1)}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	name := domain.QueueClient(7)
	client, err := d.Postgres().NewQueue(&river.Config{ID: name, Workers: workers, Logger: slog.New(slog.DiscardHandler),
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Insert(ctx, domain.BalanceJob{}, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case by := <-worker.running:
		if len(by) == 0 || by[len(by)-1] != name {
			t.Errorf("the job is worked by %v, want %s last", by, name)
		}
	case <-ctx.Done():
		t.Fatal("no job runs")
	}
	for leads := ""; leads != name; time.Sleep(10 * time.Millisecond) {
		if err := d.Postgres().Pool.QueryRow(ctx, `SELECT coalesce((SELECT leader_id FROM river_leader), '')`).Scan(&leads); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.StopAndCancel(ctx); err != nil {
		t.Fatal(err)
	}
	n, err := conn.WaitForNotification(ctx)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]any{}
	if err := json.Unmarshal([]byte(n.Payload), &said); err != nil || said["leader_id"] != name || said["action"] != "resigned" {
		t.Errorf("a leader that resigns says %s (%v)", n.Payload, err)
	}
}
