package outbox_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func TestFetch(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 205)
	dbtest.Suppress(t, d, ids[1])
	dbtest.Exec(t, d, "UPDATE clients SET comment = 'Dear' WHERE id = $1", ids[0])
	dbtest.Exec(t, d, "DELETE FROM clients WHERE id = $1", ids[2])
	one, two := dbtest.NewSender(t, d), dbtest.NewSender(t, d)
	first := one.Fetch(run.ID)
	if len(first) != 100 {
		t.Fatalf("%d emails", len(first))
	}
	want := outbox.Delivery{FirstSeq: 1, Seq: 1, ClientID: ids[0], Email: "c001@x.example", Name: "C 1", Comment: "Dear"}
	if !reflect.DeepEqual(first[0], want) {
		t.Errorf("%+v, want %+v", first[0], want)
	}
	if !first[1].Suppressed || !first[2].Suppressed || first[3].Suppressed {
		t.Error("unsubscribed and erased clients get no emails")
	}
	second, third := two.Fetch(run.ID), one.Fetch(run.ID)
	if len(second) != 100 || second[0].Seq != 101 || len(third) != 5 || third[0].FirstSeq != 201 {
		t.Errorf("%d emails from %d, %d from %d", len(second), second[0].Seq, len(third), third[0].FirstSeq)
	}
	if more := two.Fetch(run.ID); len(more) != 0 {
		t.Errorf("%d emails that are held", len(more))
	}
	if open, err := outbox.New(d.Postgres()).Runs().Open(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%v %+v", err, open)
	}
	// What is given back comes again without the emails that are done.
	one.All(run.ID, third[:2], domain.OutcomeAccepted)
	if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), two.Self.ID, run.ID, []int32{1, 201}); err != nil {
		t.Fatal(err)
	}
	if more := two.Fetch(run.ID); len(more) != 0 {
		t.Error("an instance gave back what another one holds")
	}
	if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), one.Self.ID, run.ID, []int32{201}); err != nil {
		t.Fatal(err)
	}
	if open, err := outbox.New(d.Postgres()).Runs().Open(t.Context()); err != nil || len(open) != 1 || open[0].ID != run.ID || open[0].OwnerID != run.OwnerID || open[0].OwnerSince.IsZero() {
		t.Errorf("%v %+v", err, open)
	}
	if again := two.Fetch(run.ID); len(again) != 3 || again[0].Seq != 203 {
		t.Errorf("%+v", again)
	}
}

func TestFetchGate(t *testing.T) {
	d := dbtest.New(t)
	tests := map[string]string{
		"paused":   "UPDATE runs SET status = 'paused' WHERE id = $1",
		"stopping": "UPDATE runs SET status = 'stopping' WHERE id = $1",
		"done":     "UPDATE runs SET status = 'done' WHERE id = $1",
		"ended":    "UPDATE runs SET window_end = now() WHERE id = $1",
	}
	s := dbtest.NewSender(t, d)
	for name, shut := range tests {
		t.Run(name, func(t *testing.T) {
			run, _ := dbtest.NewRun(t, d, name, 1)
			if held, err := outbox.New(d.Postgres()).Runs().Held(t.Context(), []int64{run.ID}); err != nil || held[0].Halted {
				t.Errorf("%+v %v", held, err)
			}
			dbtest.Exec(t, d, shut, run.ID)
			if emails := s.Fetch(run.ID); len(emails) != 0 {
				t.Errorf("fetched %+v", emails)
			}
			if open, err := outbox.New(d.Postgres()).Runs().Open(t.Context()); err != nil || len(open) != 0 {
				t.Errorf("%v %+v", err, open)
			}
			held, err := outbox.New(d.Postgres()).Runs().Held(t.Context(), []int64{run.ID, 1 << 40})
			if err != nil || len(held) != 2 || !held[0].Halted || !held[1].Halted || (held[0].WindowEnd != nil) != (name == "ended") {
				t.Errorf("%+v %v", held, err)
			}
		})
	}
	run, _ := dbtest.NewRun(t, d, "dead instance", 1)
	if err := outbox.New(d.Postgres()).Instances().Deregister(t.Context(), s.Self); err != nil {
		t.Fatal(err)
	}
	if emails := s.Fetch(run.ID); len(emails) != 0 {
		t.Error("a evicted instance fetched")
	}
}

func TestFetchsAreDisjoint(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1950)
	var mu sync.Mutex
	seen := map[int]int{}
	var senders sync.WaitGroup
	for range 4 {
		s := dbtest.NewSender(t, d)
		senders.Go(func() {
			for {
				emails, err := outbox.New(d.Postgres()).Batches().Fetch(t.Context(), s.Self.ID, run.ID, 1)
				if err != nil {
					t.Error(err)
				}
				if len(emails) == 0 {
					return
				}
				mu.Lock()
				for _, email := range emails {
					seen[email.Seq]++
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	if len(seen) != 1950 {
		t.Errorf("%d emails were fetched", len(seen))
	}
	for seq, times := range seen {
		if times != 1 {
			t.Errorf("email %d was fetched %d times", seq, times)
		}
	}
}

func TestRecord(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 6)
	s := dbtest.NewSender(t, d)
	emails := s.Fetch(run.ID)
	results := []outbox.Result{
		s.Result(run.ID, emails[0], domain.OutcomeAccepted),
		s.Result(run.ID, emails[1], domain.OutcomeFailed),
		s.Result(run.ID, emails[2], domain.OutcomeDeferred),
		s.Result(run.ID, emails[3], domain.OutcomeSuppressed),
		s.Result(run.ID, emails[4], domain.OutcomeQueued),
	}
	results[1].Answer, results[1].Suppress = "5.1.1 No such user", true
	want := domain.Counts{Planned: 6, Accepted: 1, Failed: 1, Suppressed: 1}
	for range 2 { // again changes nothing
		s.Record(results...)
		dbtest.Counted(t, d, run.ID, want)
		if got := dbtest.Numbers(t, d, "SELECT seq FROM attempts ORDER BY seq"); !slices.Equal(got, []int64{1, 2, 3, 5}) {
			t.Errorf("attempts %v", got)
		}
		if got := dbtest.Numbers(t, d, "SELECT tries FROM deliveries ORDER BY seq"); !slices.Equal(got, []int64{1, 1, 1, 0, 1, 0}) {
			t.Errorf("tries %v", got)
		}
		if open := dbtest.Number(t, d, "SELECT open FROM batches WHERE NOT done AND instance_id = $1", s.Self.ID); open != 2 {
			t.Errorf("%d open in the batch", open)
		}
	}
	if bounced := dbtest.Numbers(t, d, "SELECT id FROM clients WHERE suppressed_reason = 'bounced'"); !slices.Equal(bounced, ids[1:2]) {
		t.Errorf("bounced %v", bounced)
	}
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Deferred != 1 || !row.NextTryAt.Equal(dbtest.Monday.Add(time.Minute)) || row.Open() != 3 {
		t.Errorf("%v %+v", err, row)
	}
	s.Record(s.Result(run.ID, emails[4], domain.OutcomeAccepted), s.Result(run.ID, emails[5], domain.OutcomeAccepted))
	if left := dbtest.Numbers(t, d, "SELECT first_seq FROM batches WHERE NOT done OR instance_id IS NOT NULL"); len(left) != 0 {
		t.Errorf("batches %v are not done", left)
	}
	want.Accepted = 3
	dbtest.Counted(t, d, run.ID, want)
}

func TestRetries(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 150)
	s := dbtest.NewSender(t, d)
	first, second := s.Fetch(run.ID), s.Fetch(run.ID)
	s.All(run.ID, first[:98], domain.OutcomeAccepted)
	s.All(run.ID, first[98:], domain.OutcomeDeferred)
	s.All(run.ID, second[:1], domain.OutcomeDeferred)
	reopen := func(now time.Time) {
		t.Helper()
		if err := outbox.New(d.Postgres()).Batches().ReopenRetries(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	reopen(dbtest.Monday.Add(time.Minute - time.Second))
	if emails := s.Fetch(run.ID); len(emails) != 0 {
		t.Error("a retry came too early")
	}
	reopen(dbtest.Monday.Add(time.Minute))
	again := s.Fetch(run.ID)
	if len(again) != 2 || again[0].Seq != 99 || again[0].Tries != 1 {
		t.Fatalf("%+v", again)
	}
	// The second batch is still being sent, so its retry waits for it.
	if waiting := dbtest.Numbers(t, d, "SELECT seq FROM retries"); !slices.Equal(waiting, []int64{101}) {
		t.Errorf("waiting %v", waiting)
	}
	s.All(run.ID, again, domain.OutcomeAccepted)
	s.All(run.ID, second[1:], domain.OutcomeAccepted)
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 150, Accepted: 149})
	if endable, _ := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); len(endable) != 0 {
		t.Error("a run with a retry may end")
	}
	reopen(dbtest.Monday.Add(time.Hour))
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeFailed)
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 150, Accepted: 149, Failed: 1})
	if endable, _ := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); !slices.Equal(endable, []int64{run.ID}) {
		t.Errorf("endable %v", endable)
	}
	if n := dbtest.Number(t, d, "SELECT max(n) FROM attempts WHERE seq = 101"); n != 2 {
		t.Errorf("the second attempt has number %d", n)
	}
}

func TestRetriesOfAPausedRun(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	s := dbtest.NewSender(t, d)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeDeferred)
	if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "550 no", dbtest.Monday, nil); err != nil {
		t.Fatal(err)
	}
	if err := outbox.New(d.Postgres()).Batches().ReopenRetries(t.Context(), dbtest.Monday.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if waiting := dbtest.Number(t, d, "SELECT count(*) FROM retries"); waiting != 1 {
		t.Error("a paused run has its retries queued")
	}
}

// The results of an instance that others took for dead: what happened stays on record, but
// only an acceptance still counts.
func TestLateResults(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 5)
	dead, heir := dbtest.NewSender(t, d), dbtest.NewSender(t, d)
	emails := dead.Fetch(run.ID)
	dead.All(run.ID, emails[:1], domain.OutcomeAccepted)
	if freed, err := outbox.New(d.Postgres()).Instances().Evict(t.Context(), []int64{dead.Self.ID}); err != nil || freed != 1 {
		t.Fatal(freed, err)
	}
	late := []outbox.Result{
		dead.Result(run.ID, emails[1], domain.OutcomeAccepted),
		dead.Result(run.ID, emails[2], domain.OutcomeFailed),
		dead.Result(run.ID, emails[3], domain.OutcomeDeferred),
		dead.Result(run.ID, emails[4], domain.OutcomeSuppressed),
	}
	dead.Record(late[:2]...) // before anybody has fetched the batch again
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 2})
	taken := heir.Fetch(run.ID)
	if len(taken) != 3 || taken[0].Seq != 3 {
		t.Fatalf("%+v", taken)
	}
	dead.Record(late[2:]...)
	dead.Record(dead.Result(run.ID, emails[4], domain.OutcomeAccepted))
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 3})
	heir.All(run.ID, taken, domain.OutcomeFailed)
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 3, Failed: 2})
	if waiting := dbtest.Number(t, d, "SELECT count(*) FROM retries"); waiting != 0 {
		t.Error("a late deferral is retried")
	}
	if tried := dbtest.Numbers(t, d, "SELECT seq FROM attempts ORDER BY seq, at"); !slices.Equal(tried, []int64{1, 2, 3, 3, 4, 4, 5, 5}) {
		t.Errorf("attempts %v", tried)
	}
	if left := dbtest.Number(t, d, "SELECT count(*) FROM batches WHERE NOT done OR instance_id IS NOT NULL OR open <> 0"); left != 0 {
		t.Errorf("%d batches are not done", left)
	}
}

// What an instance recorded before it died counts, although it had no time to settle it.
func TestEvictReconciles(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 7)
	dead, heir := dbtest.NewSender(t, d), dbtest.NewSender(t, d)
	emails := dead.Fetch(run.ID)
	dead.All(run.ID, emails[:1], domain.OutcomeAccepted)
	unknown := dead.Result(run.ID, emails[4], domain.OutcomeDeferred)
	unknown.Status, unknown.Code = domain.Unknown, 0
	bounced := dead.Result(run.ID, emails[2], domain.OutcomeFailed)
	bounced.Answer = "5.1.1 No such user"
	err := dead.Attempts.Record(t.Context(), []outbox.Result{
		dead.Result(run.ID, emails[1], domain.OutcomeAccepted),
		bounced,
		dead.Result(run.ID, emails[3], domain.OutcomeDeferred),
		unknown,
		dead.Result(run.ID, emails[5], domain.OutcomeFailed),
	})
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 7, Accepted: 1})
	if freed, err := outbox.New(d.Postgres()).Instances().Evict(t.Context(), []int64{dead.Self.ID}); err != nil || freed != 1 {
		t.Fatal(freed, err)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 7, Accepted: 2, Failed: 1})
	if gone := dbtest.Numbers(t, d, "SELECT id FROM clients WHERE suppressed_reason = 'bounced'"); !slices.Equal(gone, ids[2:3]) {
		t.Errorf("bounced %v", gone)
	}
	if waiting := dbtest.Numbers(t, d, "SELECT seq FROM retries ORDER BY seq"); !slices.Equal(waiting, []int64{4, 5, 6}) {
		t.Errorf("retries %v", waiting)
	}
	if tries := dbtest.Numbers(t, d, "SELECT tries FROM deliveries ORDER BY seq"); !slices.Equal(tries, []int64{1, 1, 1, 1, 1, 1, 0}) {
		t.Errorf("tries %v", tries)
	}
	if left := heir.Fetch(run.ID); len(left) != 1 || left[0].Seq != 7 {
		t.Errorf("%+v", left)
	}
}

// All emails of a freed batch turn out to be accepted before the next instance_id comes.
func TestFetchNothingLeft(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	dead, heir := dbtest.NewSender(t, d), dbtest.NewSender(t, d)
	emails := dead.Fetch(run.ID)
	if _, err := outbox.New(d.Postgres()).Instances().Evict(t.Context(), []int64{dead.Self.ID}); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'accepted'")
	if taken := heir.Fetch(run.ID); len(taken) != 0 {
		t.Errorf("%+v", taken)
	}
	dead.All(run.ID, emails, domain.OutcomeAccepted)
	if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); err != nil || !slices.Equal(endable, []int64{run.ID}) {
		t.Errorf("%v %v", endable, err)
	}
}

func TestUnknownTries(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	s := dbtest.NewSender(t, d)
	emails := s.Fetch(run.ID)
	r := s.Result(run.ID, emails[0], domain.OutcomeDeferred)
	r.Status = domain.Unknown
	s.Record(r)
	if n, err := outbox.New(d.Postgres()).Runs().UnknownTries(t.Context(), run.ID, 1); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
}

// Everything that can happen to deliveries, at random: the counts always add up, and in the
// end nothing is open.
func TestConservation(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 730)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	outcomes := []domain.Outcome{domain.OutcomeAccepted, domain.OutcomeAccepted, domain.OutcomeFailed,
		domain.OutcomeDeferred, domain.OutcomeDeferred, domain.OutcomeSuppressed, domain.OutcomeQueued}
	s := dbtest.NewSender(t, d)
	for round := 0; ; round++ {
		emails := s.Fetch(run.ID)
		if len(emails) == 0 {
			if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); err != nil {
				t.Fatal(err)
			} else if len(endable) > 0 {
				break
			} else if round > 1000 {
				t.Fatal("the run never ends")
			}
			if err := outbox.New(d.Postgres()).Batches().ReopenRetries(t.Context(), dbtest.Monday.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		random.Shuffle(len(emails), func(i, j int) { emails[i], emails[j] = emails[j], emails[i] })
		for part := range slices.Chunk(emails, 1+random.IntN(60)) {
			results, failed := []outbox.Result{}, []int32{}
			for _, email := range part {
				outcome := outcomes[random.IntN(len(outcomes))]
				if round > 40 {
					outcome = domain.OutcomeAccepted
				}
				if outcome == domain.OutcomeFailed {
					failed = append(failed, int32(email.Seq))
				}
				results = append(results, s.Result(run.ID, email, outcome))
			}
			s.Record(results...)
			switch random.IntN(12) {
			case 3:
				if err := outbox.New(d.Postgres()).Runs().DeferDomain(t.Context(), run.ID, noHold(dbtest.Monday), failed); err != nil {
					t.Fatal(err)
				}
			case 0:
				if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "550 no", dbtest.Monday, failed); err != nil {
					t.Fatal(err)
				}
				if err := outbox.New(d.Postgres()).Runs().Resume(t.Context(), dbtest.Monday.AddDate(0, 0, 1)); err != nil {
					t.Fatal(err)
				}
			case 1:
				if _, err := outbox.New(d.Postgres()).Instances().Evict(t.Context(), []int64{s.Self.ID}); err != nil {
					t.Fatal(err)
				}
				s = dbtest.NewSender(t, d)
			case 2:
				dbtest.Suppress(t, d, ids[random.IntN(len(ids))])
			}
		}
		if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), s.Self.ID, run.ID, []int32{int32(emails[0].FirstSeq)}); err != nil {
			t.Fatal(err)
		}
		row, err := d.Runs().Get(t.Context(), 0, run.ID)
		if err != nil {
			t.Fatal(err)
		}
		dbtest.Counted(t, d, run.ID, row.Counts)
		if wrong := dbtest.Numbers(t, d, `SELECT first_seq FROM batches WHERE open <> (SELECT count(*) FROM deliveries
			WHERE run_id = batches.run_id AND seq BETWEEN first_seq AND first_seq + 99 AND outcome = 'queued')`); len(wrong) > 0 {
			t.Fatalf("batches %v count wrong", wrong)
		}
	}
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Status != domain.RunDone || row.Open() != 0 || row.Planned != 730 {
		t.Errorf("%v %+v", err, row.Run)
	}
	dbtest.Counted(t, d, run.ID, row.Counts)
}

func TestReleaseLost(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 350)
	s, other := dbtest.NewSender(t, d), dbtest.NewSender(t, d)
	known := s.Fetch(run.ID)[0].FirstSeq
	s.Fetch(run.ID) // whose answer never came
	others := other.Fetch(run.ID)
	for _, want := range []int64{1, 0} {
		if freed, err := outbox.New(d.Postgres()).Batches().ReleaseLost(t.Context(), s.Self.ID, []int64{run.ID}, []int32{int32(known)}); err != nil || freed != want {
			t.Errorf("freed %d, want %d: %v", freed, want, err)
		}
	}
	if held := dbtest.Numbers(t, d, "SELECT first_seq FROM batches WHERE instance_id IS NOT NULL ORDER BY 1"); !slices.Equal(held, []int64{int64(known), int64(others[0].FirstSeq)}) {
		t.Errorf("held are %v", held)
	}
	if freed, err := outbox.New(d.Postgres()).Batches().ReleaseLost(t.Context(), s.Self.ID, nil, nil); err != nil || freed != 1 {
		t.Errorf("freed %d with nothing in hand: %v", freed, err)
	}
}
