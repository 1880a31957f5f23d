package outbox_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/db/postgres"
	"skychimp/domain"
)

func suspects(t *testing.T, d *db.DB, self int64) (unlocked, silent []int64) {
	t.Helper()
	agenda, err := outbox.New(d.Postgres()).Agenda(t.Context(), self)
	if err != nil {
		t.Fatal(err)
	}
	return agenda.Unlocked, agenda.Silent
}

func TestInstances(t *testing.T) {
	d := dbtest.New(t)
	one, two := dbtest.NewSender(t, d).Self, dbtest.NewSender(t, d).Self
	if one.ID == two.ID {
		t.Fatal("two instances have one number")
	}
	if unlocked, silent := suspects(t, d, one.ID); len(unlocked) != 0 || len(silent) != 0 {
		t.Errorf("suspects %v %v", unlocked, silent)
	}
	// A process that dies loses its lock at once.
	two.Close(t.Context())
	dbtest.Eventually(t, "the lock of a dead instance", func() bool {
		unlocked, _ := suspects(t, d, one.ID)
		return slices.Equal(unlocked, []int64{two.ID})
	})
	if unlocked, _ := suspects(t, d, two.ID); len(unlocked) != 0 {
		t.Error("an instance suspects itself")
	}
	// One that only lost its connection takes its entry up again.
	again, err := outbox.New(d.Postgres()).Instances().Register(t.Context(), two.ID)
	if err != nil || again.ID != two.ID {
		t.Fatal(err)
	}
	defer again.Close(t.Context())
	if unlocked, _ := suspects(t, d, one.ID); len(unlocked) != 0 {
		t.Errorf("suspects %v", unlocked)
	}
	// A frozen one still has its lock.
	dbtest.Exec(t, d, "UPDATE instances SET seen_at = now() - interval '11 seconds' WHERE id = $1", two.ID)
	if unlocked, silent := suspects(t, d, one.ID); len(unlocked) != 0 || !slices.Equal(silent, []int64{two.ID}) {
		t.Errorf("suspects %v %v", unlocked, silent)
	}
	if err := outbox.New(d.Postgres()).Instances().Heartbeat(t.Context(), again, false); err != nil {
		t.Fatal(err)
	}
	if _, silent := suspects(t, d, one.ID); len(silent) != 0 {
		t.Errorf("silent %v", silent)
	}
}

func TestFenced(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 150)
	s := dbtest.NewSender(t, d)
	s.Fetch(run.ID)
	s.Fetch(run.ID)
	dbtest.Exec(t, d, `INSERT INTO river_job (kind, args, state, max_attempts, attempted_by, attempt, attempted_at)
		VALUES ('plan', '{}', 'running', 5, ARRAY[$1], 1, now()), ('plan', '{}', 'running', 5, ARRAY['other'], 1, now())`, domain.QueueClient(s.Self.ID))
	dbtest.Exec(t, d, `INSERT INTO river_leader (elected_at, expires_at, leader_id) VALUES (now(), now() + interval '1 hour', $1)`, domain.QueueClient(s.Self.ID))
	if freed, err := outbox.New(d.Postgres()).Instances().Evict(t.Context(), []int64{s.Self.ID}); err != nil || freed != 2 {
		t.Errorf("freed %d: %v", freed, err)
	}
	if held := dbtest.Number(t, d, "SELECT count(*) FROM batches WHERE instance_id IS NOT NULL"); held != 0 {
		t.Errorf("%d batches are still held", held)
	}
	if again := dbtest.Number(t, d, "SELECT count(*) FROM river_job WHERE state = 'available' AND attempt = 1"); again != 1 {
		t.Errorf("%d jobs are worked again", again)
	}
	if leads := dbtest.Number(t, d, "SELECT count(*) FROM river_leader"); leads != 0 {
		t.Error("a dead instance leads the queue")
	}
	if err := outbox.New(d.Postgres()).Instances().Heartbeat(t.Context(), s.Self, false); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("beat: %v", err)
	}
	s.Self.Close(t.Context())
	if _, err := outbox.New(d.Postgres()).Instances().Register(t.Context(), s.Self.ID); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("register: %v", err)
	}
	if emails := s.Fetch(run.ID); len(emails) != 0 {
		t.Error("a fenced instance fetched")
	}
}

func TestWaitForNotification(t *testing.T) {
	d := dbtest.New(t)
	s := dbtest.NewSender(t, d)
	told := []postgres.Notification{postgres.ClientSuppressed{ClientID: 7}, postgres.RunsChanged{}, postgres.RunsChanged{OwnerID: 8}}
	dbtest.Exec(t, d, "NOTIFY other, 'x'")
	if err := d.Postgres().InTx(t.Context(), func(tx postgres.Tx) error { return tx.Notify(t.Context(), told...) }); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, d, "NOTIFY runs, 'mailing_id 7'") // of another version
	told = append(told, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, want := range told {
		if got, err := s.Self.WaitForNotification(ctx); err != nil || got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// Whatever an instance fetches while it is being evicted, nothing stays with the dead.
func TestFetchDuringBurial(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 2000)
	for range 15 {
		s := dbtest.NewSender(t, d)
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() {
				if _, err := outbox.New(d.Postgres()).Batches().Fetch(t.Context(), s.Self.ID, run.ID, 1); err != nil {
					t.Error(err)
				}
			})
		}
		both.Go(func() {
			if err := outbox.New(d.Postgres()).Instances().Deregister(t.Context(), s.Self); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if held := dbtest.Number(t, d, "SELECT count(*) FROM batches WHERE instance_id IS NOT NULL"); held != 0 {
			t.Fatalf("%d batches are held by a evicted instance", held)
		}
	}
}

// An agenda says what is due, and when to look again.
func TestAgenda(t *testing.T) {
	d := dbtest.New(t)
	s := dbtest.NewSender(t, d)
	agenda := func() outbox.Agenda {
		t.Helper()
		a, err := outbox.New(d.Postgres()).Agenda(t.Context(), s.Self.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	run, _ := dbtest.NewRun(t, d, "ann", 3)
	if a := agenda(); a.Retries || a.Resume || a.Close || a.Finish || !a.Alone || a.NextAt != nil || a.Now.IsZero() {
		t.Errorf("nothing is due: %+v", a)
	}
	dbtest.Exec(t, d, "UPDATE runs SET window_end = now() + interval '1 hour'")
	if a := agenda(); a.NextAt == nil || a.NextAt.Sub(a.Now).Round(time.Minute) != time.Hour {
		t.Errorf("the end of the run: %v", a.NextAt)
	}
	dbtest.Exec(t, d, "INSERT INTO retries (run_id, seq, due_at) VALUES ($1, 1, now() + interval '1 minute')", run.ID)
	if a := agenda(); a.Retries || a.NextAt == nil || a.NextAt.Sub(a.Now).Round(time.Second) != time.Minute {
		t.Errorf("the retry: %+v", a)
	}
	dbtest.Exec(t, d, "UPDATE retries SET due_at = now()")
	dbtest.Exec(t, d, "UPDATE runs SET status = 'paused', resume_at = now(), window_end = now()")
	dbtest.Exec(t, d, "UPDATE mailings SET end_at = now()")
	other := dbtest.NewSender(t, d)
	if a := agenda(); !a.Retries || !a.Resume || !a.Close || !a.Finish || a.Alone || len(a.Unlocked)+len(a.Silent) != 0 {
		t.Errorf("all is due: %+v", a)
	}
	other.Self.Close(t.Context())
}
