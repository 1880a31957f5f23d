package db_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func suspects(t *testing.T, d *db.DB, self int64) (unlocked, silent []int64) {
	t.Helper()
	unlocked, silent, err := d.Outbox().StaleInstances(t.Context(), self)
	if err != nil {
		t.Fatal(err)
	}
	return unlocked, silent
}

func TestInstances(t *testing.T) {
	d := dbtest.New(t)
	one, two := newSender(t, d).self, newSender(t, d).self
	if one.ID == two.ID {
		t.Fatal("two instances have one number")
	}
	if unlocked, silent := suspects(t, d, one.ID); len(unlocked) != 0 || len(silent) != 0 {
		t.Errorf("suspects %v %v", unlocked, silent)
	}
	// A process that dies loses its lock at once.
	two.Close(t.Context())
	eventually(t, "the lock of a dead instance", func() bool {
		unlocked, _ := suspects(t, d, one.ID)
		return slices.Equal(unlocked, []int64{two.ID})
	})
	if unlocked, _ := suspects(t, d, two.ID); len(unlocked) != 0 {
		t.Error("an instance suspects itself")
	}
	// One that only lost its connection takes its entry up again.
	again, err := d.Outbox().Register(t.Context(), two.ID)
	if err != nil || again.ID != two.ID {
		t.Fatal(err)
	}
	defer again.Close(t.Context())
	if unlocked, _ := suspects(t, d, one.ID); len(unlocked) != 0 {
		t.Errorf("suspects %v", unlocked)
	}
	// A frozen one still has its lock.
	exec(t, d, "UPDATE instances SET seen_at = now() - interval '11 seconds' WHERE id = $1", two.ID)
	if unlocked, silent := suspects(t, d, one.ID); len(unlocked) != 0 || !slices.Equal(silent, []int64{two.ID}) {
		t.Errorf("suspects %v %v", unlocked, silent)
	}
	if err := d.Outbox().Heartbeat(t.Context(), again, false); err != nil {
		t.Fatal(err)
	}
	if _, silent := suspects(t, d, one.ID); len(silent) != 0 {
		t.Errorf("silent %v", silent)
	}
}

func TestFenced(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 150)
	s := newSender(t, d)
	s.claim(run.ID)
	s.claim(run.ID)
	exec(t, d, `INSERT INTO river_job (kind, args, state, max_attempts, attempted_by, attempt, attempted_at)
		VALUES ('plan', '{}', 'running', 5, ARRAY[$1], 1, now()), ('plan', '{}', 'running', 5, ARRAY['other'], 1, now())`, domain.QueueClient(s.self.ID))
	exec(t, d, `INSERT INTO river_leader (elected_at, expires_at, leader_id) VALUES (now(), now() + interval '1 hour', $1)`, domain.QueueClient(s.self.ID))
	if freed, err := d.Outbox().Evict(t.Context(), []int64{s.self.ID}); err != nil || freed != 2 {
		t.Errorf("freed %d: %v", freed, err)
	}
	if held := number(t, d, "SELECT count(*) FROM blocks WHERE holder IS NOT NULL"); held != 0 {
		t.Errorf("%d blocks are still held", held)
	}
	if again := number(t, d, "SELECT count(*) FROM river_job WHERE state = 'available' AND attempt = 1"); again != 1 {
		t.Errorf("%d jobs are worked again", again)
	}
	if leads := number(t, d, "SELECT count(*) FROM river_leader"); leads != 0 {
		t.Error("a dead instance leads the queue")
	}
	if err := d.Outbox().Heartbeat(t.Context(), s.self, false); !errors.Is(err, db.ErrFenced) {
		t.Errorf("beat: %v", err)
	}
	s.self.Close(t.Context())
	if _, err := d.Outbox().Register(t.Context(), s.self.ID); !errors.Is(err, db.ErrFenced) {
		t.Errorf("enlist: %v", err)
	}
	if letters := s.claim(run.ID); len(letters) != 0 {
		t.Error("a fenced instance claimed")
	}
}

func TestHear(t *testing.T) {
	d := dbtest.New(t)
	s := newSender(t, d)
	exec(t, d, "NOTIFY suppressed, '7'")
	exec(t, d, "NOTIFY other, 'x'")
	exec(t, d, "NOTIFY runs")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, want := range []string{"suppressed 7", "runs "} {
		channel, payload, err := s.self.Hear(ctx)
		if got := channel + " " + payload; err != nil || got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// Whatever an instance claims while it is being buried, nothing stays with the dead.
func TestClaimDuringBurial(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 2000)
	for range 15 {
		s := newSender(t, d)
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() {
				if _, err := d.Outbox().Fetch(t.Context(), s.self.ID, run.ID, 1); err != nil {
					t.Error(err)
				}
			})
		}
		both.Go(func() {
			if err := d.Outbox().Deregister(t.Context(), s.self); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if held := number(t, d, "SELECT count(*) FROM blocks WHERE holder IS NOT NULL"); held != 0 {
			t.Fatalf("%d blocks are held by a buried instance", held)
		}
	}
}
