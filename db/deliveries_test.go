package db_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// sender is an instance that records.
type sender struct {
	t    testing.TB
	d    *db.DB
	self *db.Instance
	to   *db.Recorder
	at   time.Time
}

func newSender(t testing.TB, d *db.DB) *sender {
	t.Helper()
	self, err := d.Outbox().Register(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	to := d.Outbox().NewRecorder()
	t.Cleanup(func() { self.Close(context.Background()); to.Close(context.Background()) })
	return &sender{t, d, self, to, monday}
}

func (s *sender) claim(run int64) []db.Letter {
	s.t.Helper()
	letters, err := s.d.Outbox().Fetch(s.t.Context(), s.self.ID, run, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return letters
}

// result is what the outcome means: an accepted letter was accepted, a suppressed one not tried.
func (s *sender) result(run int64, letter db.Letter, outcome domain.Outcome) db.Result {
	s.at = s.at.Add(time.Microsecond)
	r := db.Result{Instance: s.self.ID, RunID: run, Seq: letter.Seq, ClientID: letter.ClientID, Email: letter.Email,
		N: letter.Tries + 1, At: s.at, Outcome: outcome}
	switch outcome {
	case domain.OutcomeAccepted:
		r.Status, r.Code, r.Answer = domain.Accepted, 250, "2.0.0 Ok"
	case domain.OutcomeFailed, domain.OutcomeQueued:
		r.Status, r.Code, r.Answer = domain.Failed, 550, "5.7.1 Sender blocked"
	case domain.OutcomeDeferred:
		r.Status, r.Code, r.Answer, r.RetryAt = domain.Deferred, 451, "4.7.1 Later", monday.Add(time.Minute)
	case domain.OutcomeSuppressed:
		r.N--
	}
	return r
}

func (s *sender) record(results ...db.Result) {
	s.t.Helper()
	err := s.to.Record(s.t.Context(), results)
	if err != nil { // what the engine does after a commit whose answer was lost
		err = s.to.Record(s.t.Context(), results)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.d.Outbox().Complete(s.t.Context(), results); err != nil {
		s.t.Fatal(err)
	}
}

// all records the same outcome for the letters.
func (s *sender) all(run int64, letters []db.Letter, outcome domain.Outcome) {
	s.t.Helper()
	results := []db.Result{}
	for _, letter := range letters {
		results = append(results, s.result(run, letter, outcome))
	}
	s.record(results...)
}

// newRun plans a run for n clients of a new owner.
func newRun(t testing.TB, d *db.DB, name string, n int) (domain.Run, []int64) {
	t.Helper()
	owner := newOwner(t, d, name)
	ids := newClients(t, d, owner, n)
	return plan(t, d, newLaunched(t, d, owner, nil).ID, monday), ids
}

// counted makes sure that the run's counts are the wanted ones, add up, and are what the
// deliveries say.
func counted(t testing.TB, d *db.DB, run int64, want domain.Counts) {
	t.Helper()
	row, err := d.Runs().Get(t.Context(), 0, run)
	if err != nil {
		t.Fatal(err)
	}
	if row.Counts != want {
		t.Errorf("run %d: %+v, want %+v", run, row.Counts, want)
	}
	var by domain.Counts
	err = d.Pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'failed'),
		count(*) FILTER (WHERE outcome = 'suppressed'), count(*) FILTER (WHERE outcome = 'expired'), count(*) FILTER (WHERE outcome = 'cancelled')
		FROM deliveries WHERE run_id = $1`, run).
		Scan(&by.Planned, &by.Accepted, &by.Failed, &by.Suppressed, &by.Expired, &by.Cancelled)
	if err != nil || by != row.Counts {
		t.Errorf("run %d: deliveries say %+v, the run %+v (%v)", run, by, row.Counts, err)
	}
	if row.Open() < 0 {
		t.Errorf("run %d: %d open", run, row.Open())
	}
}

func TestClaim(t *testing.T) {
	d := dbtest.New(t)
	run, ids := newRun(t, d, "ann", 205)
	suppress(t, d, ids[1])
	exec(t, d, "UPDATE clients SET comment = 'Dear' WHERE id = $1", ids[0])
	exec(t, d, "DELETE FROM clients WHERE id = $1", ids[2])
	one, two := newSender(t, d), newSender(t, d)
	first := one.claim(run.ID)
	if len(first) != 100 {
		t.Fatalf("%d letters", len(first))
	}
	want := db.Letter{FirstSeq: 1, Seq: 1, ClientID: ids[0], Email: "c001@x.example", Name: "C 1", Comment: "Dear"}
	if first[0] != want {
		t.Errorf("%+v, want %+v", first[0], want)
	}
	if !first[1].Suppressed || !first[2].Suppressed || first[3].Suppressed {
		t.Error("unsubscribed and erased clients get no letters")
	}
	second, third := two.claim(run.ID), one.claim(run.ID)
	if len(second) != 100 || second[0].Seq != 101 || len(third) != 5 || third[0].FirstSeq != 201 {
		t.Errorf("%d letters from %d, %d from %d", len(second), second[0].Seq, len(third), third[0].FirstSeq)
	}
	if more := two.claim(run.ID); len(more) != 0 {
		t.Errorf("%d letters that are held", len(more))
	}
	if open, err := d.Outbox().OpenRuns(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%v %+v", err, open)
	}
	// What is given back comes again without the letters that are done.
	one.all(run.ID, third[:2], domain.OutcomeAccepted)
	if err := d.Outbox().Release(t.Context(), two.self.ID, run.ID, []int32{1, 201}); err != nil {
		t.Fatal(err)
	}
	if more := two.claim(run.ID); len(more) != 0 {
		t.Error("an instance gave back what another one holds")
	}
	if err := d.Outbox().Release(t.Context(), one.self.ID, run.ID, []int32{201}); err != nil {
		t.Fatal(err)
	}
	if open, err := d.Outbox().OpenRuns(t.Context()); err != nil || len(open) != 1 || open[0].ID != run.ID || open[0].OwnerID != run.OwnerID || open[0].OwnerSince.IsZero() {
		t.Errorf("%v %+v", err, open)
	}
	if again := two.claim(run.ID); len(again) != 3 || again[0].Seq != 203 {
		t.Errorf("%+v", again)
	}
}

func TestClaimGate(t *testing.T) {
	d := dbtest.New(t)
	tests := map[string]string{
		"paused":   "UPDATE runs SET status = 'paused' WHERE id = $1",
		"stopping": "UPDATE runs SET status = 'stopping' WHERE id = $1",
		"done":     "UPDATE runs SET status = 'done' WHERE id = $1",
		"ended":    "UPDATE runs SET window_end = now() WHERE id = $1",
	}
	s := newSender(t, d)
	for name, shut := range tests {
		t.Run(name, func(t *testing.T) {
			run, _ := newRun(t, d, name, 1)
			if held, err := d.Outbox().HeldRuns(t.Context(), []int64{run.ID}); err != nil || held[0].Halted {
				t.Errorf("%+v %v", held, err)
			}
			exec(t, d, shut, run.ID)
			if letters := s.claim(run.ID); len(letters) != 0 {
				t.Errorf("claimed %+v", letters)
			}
			if open, err := d.Outbox().OpenRuns(t.Context()); err != nil || len(open) != 0 {
				t.Errorf("%v %+v", err, open)
			}
			held, err := d.Outbox().HeldRuns(t.Context(), []int64{run.ID, 1 << 40})
			if err != nil || len(held) != 2 || !held[0].Halted || !held[1].Halted || (held[0].WindowEnd != nil) != (name == "ended") {
				t.Errorf("%+v %v", held, err)
			}
		})
	}
	run, _ := newRun(t, d, "dead instance", 1)
	if err := d.Outbox().Deregister(t.Context(), s.self); err != nil {
		t.Fatal(err)
	}
	if letters := s.claim(run.ID); len(letters) != 0 {
		t.Error("a buried instance claimed")
	}
}

func TestClaimsAreDisjoint(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 1950)
	var mu sync.Mutex
	seen := map[int]int{}
	var senders sync.WaitGroup
	for range 4 {
		s := newSender(t, d)
		senders.Go(func() {
			for {
				letters, err := d.Outbox().Fetch(t.Context(), s.self.ID, run.ID, 1)
				if err != nil {
					t.Error(err)
				}
				if len(letters) == 0 {
					return
				}
				mu.Lock()
				for _, letter := range letters {
					seen[letter.Seq]++
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	if len(seen) != 1950 {
		t.Errorf("%d letters were claimed", len(seen))
	}
	for seq, times := range seen {
		if times != 1 {
			t.Errorf("letter %d was claimed %d times", seq, times)
		}
	}
}

func TestRecord(t *testing.T) {
	d := dbtest.New(t)
	run, ids := newRun(t, d, "ann", 6)
	s := newSender(t, d)
	letters := s.claim(run.ID)
	results := []db.Result{
		s.result(run.ID, letters[0], domain.OutcomeAccepted),
		s.result(run.ID, letters[1], domain.OutcomeFailed),
		s.result(run.ID, letters[2], domain.OutcomeDeferred),
		s.result(run.ID, letters[3], domain.OutcomeSuppressed),
		s.result(run.ID, letters[4], domain.OutcomeQueued),
	}
	results[1].Answer = "5.1.1 No such user"
	want := domain.Counts{Planned: 6, Accepted: 1, Failed: 1, Suppressed: 1}
	for range 2 { // again changes nothing
		s.record(results...)
		counted(t, d, run.ID, want)
		if got := numbers(t, d, "SELECT seq FROM attempts ORDER BY seq"); !slices.Equal(got, []int64{1, 2, 3, 5}) {
			t.Errorf("attempts %v", got)
		}
		if got := numbers(t, d, "SELECT tries FROM deliveries ORDER BY seq"); !slices.Equal(got, []int64{1, 1, 1, 0, 1, 0}) {
			t.Errorf("tries %v", got)
		}
		if open := number(t, d, "SELECT open FROM blocks WHERE NOT done AND holder = $1", s.self.ID); open != 2 {
			t.Errorf("%d open in the block", open)
		}
	}
	if bounced := numbers(t, d, "SELECT id FROM clients WHERE suppressed_reason = 'bounced'"); !slices.Equal(bounced, ids[1:2]) {
		t.Errorf("bounced %v", bounced)
	}
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Deferred != 1 || !row.NextTryAt.Equal(monday.Add(time.Minute)) || row.Open() != 3 {
		t.Errorf("%v %+v", err, row)
	}
	s.record(s.result(run.ID, letters[4], domain.OutcomeAccepted), s.result(run.ID, letters[5], domain.OutcomeAccepted))
	if left := numbers(t, d, "SELECT first_seq FROM blocks WHERE NOT done OR holder IS NOT NULL"); len(left) != 0 {
		t.Errorf("blocks %v are not done", left)
	}
	want.Accepted = 3
	counted(t, d, run.ID, want)
}

func TestRetries(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 150)
	s := newSender(t, d)
	first, second := s.claim(run.ID), s.claim(run.ID)
	s.all(run.ID, first[:98], domain.OutcomeAccepted)
	s.all(run.ID, first[98:], domain.OutcomeDeferred)
	s.all(run.ID, second[:1], domain.OutcomeDeferred)
	reopen := func(now time.Time) {
		t.Helper()
		if err := d.Outbox().ReopenRetries(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	reopen(monday.Add(time.Minute - time.Second))
	if letters := s.claim(run.ID); len(letters) != 0 {
		t.Error("a retry came too early")
	}
	reopen(monday.Add(time.Minute))
	again := s.claim(run.ID)
	if len(again) != 2 || again[0].Seq != 99 || again[0].Tries != 1 {
		t.Fatalf("%+v", again)
	}
	// The second block is still being sent, so its retry waits for it.
	if waiting := numbers(t, d, "SELECT seq FROM retries"); !slices.Equal(waiting, []int64{101}) {
		t.Errorf("waiting %v", waiting)
	}
	s.all(run.ID, again, domain.OutcomeAccepted)
	s.all(run.ID, second[1:], domain.OutcomeAccepted)
	counted(t, d, run.ID, domain.Counts{Planned: 150, Accepted: 149})
	if endable, _ := d.Outbox().EndableRuns(t.Context(), monday); len(endable) != 0 {
		t.Error("a run with a retry may end")
	}
	reopen(monday.Add(time.Hour))
	s.all(run.ID, s.claim(run.ID), domain.OutcomeFailed)
	counted(t, d, run.ID, domain.Counts{Planned: 150, Accepted: 149, Failed: 1})
	if endable, _ := d.Outbox().EndableRuns(t.Context(), monday); !slices.Equal(endable, []int64{run.ID}) {
		t.Errorf("endable %v", endable)
	}
	if n := number(t, d, "SELECT max(n) FROM attempts WHERE seq = 101"); n != 2 {
		t.Errorf("the second attempt has number %d", n)
	}
}

func TestRetriesOfAPausedRun(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 1)
	s := newSender(t, d)
	s.all(run.ID, s.claim(run.ID), domain.OutcomeDeferred)
	if err := d.Outbox().PauseRun(t.Context(), run.ID, "550 no", monday, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Outbox().ReopenRetries(t.Context(), monday.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if waiting := number(t, d, "SELECT count(*) FROM retries"); waiting != 1 {
		t.Error("a paused run has its retries queued")
	}
}

// The results of an instance that others took for dead: what happened stays on record, but
// only an acceptance still counts.
func TestLateResults(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 5)
	dead, heir := newSender(t, d), newSender(t, d)
	letters := dead.claim(run.ID)
	dead.all(run.ID, letters[:1], domain.OutcomeAccepted)
	if freed, err := d.Outbox().Evict(t.Context(), []int64{dead.self.ID}); err != nil || freed != 1 {
		t.Fatal(freed, err)
	}
	late := []db.Result{
		dead.result(run.ID, letters[1], domain.OutcomeAccepted),
		dead.result(run.ID, letters[2], domain.OutcomeFailed),
		dead.result(run.ID, letters[3], domain.OutcomeDeferred),
		dead.result(run.ID, letters[4], domain.OutcomeSuppressed),
	}
	dead.record(late[:2]...) // before anybody has claimed the block again
	counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 2})
	taken := heir.claim(run.ID)
	if len(taken) != 3 || taken[0].Seq != 3 {
		t.Fatalf("%+v", taken)
	}
	dead.record(late[2:]...)
	dead.record(dead.result(run.ID, letters[4], domain.OutcomeAccepted))
	counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 3})
	heir.all(run.ID, taken, domain.OutcomeFailed)
	counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 3, Failed: 2})
	if waiting := number(t, d, "SELECT count(*) FROM retries"); waiting != 0 {
		t.Error("a late deferral is retried")
	}
	if tried := numbers(t, d, "SELECT seq FROM attempts ORDER BY seq, at"); !slices.Equal(tried, []int64{1, 2, 3, 3, 4, 4, 5, 5}) {
		t.Errorf("attempts %v", tried)
	}
	if left := number(t, d, "SELECT count(*) FROM blocks WHERE NOT done OR holder IS NOT NULL OR open <> 0"); left != 0 {
		t.Errorf("%d blocks are not done", left)
	}
}

// What an instance recorded before it died counts, although it had no time to settle it.
func TestBuryReconciles(t *testing.T) {
	d := dbtest.New(t)
	run, ids := newRun(t, d, "ann", 7)
	dead, heir := newSender(t, d), newSender(t, d)
	letters := dead.claim(run.ID)
	dead.all(run.ID, letters[:1], domain.OutcomeAccepted)
	unknown := dead.result(run.ID, letters[4], domain.OutcomeDeferred)
	unknown.Status, unknown.Code = domain.Unknown, 0
	bounced := dead.result(run.ID, letters[2], domain.OutcomeFailed)
	bounced.Answer = "5.1.1 No such user"
	err := dead.to.Record(t.Context(), []db.Result{
		dead.result(run.ID, letters[1], domain.OutcomeAccepted),
		bounced,
		dead.result(run.ID, letters[3], domain.OutcomeDeferred),
		unknown,
		dead.result(run.ID, letters[5], domain.OutcomeFailed),
	})
	if err != nil {
		t.Fatal(err)
	}
	counted(t, d, run.ID, domain.Counts{Planned: 7, Accepted: 1})
	if freed, err := d.Outbox().Evict(t.Context(), []int64{dead.self.ID}); err != nil || freed != 1 {
		t.Fatal(freed, err)
	}
	counted(t, d, run.ID, domain.Counts{Planned: 7, Accepted: 2, Failed: 1})
	if gone := numbers(t, d, "SELECT id FROM clients WHERE suppressed_reason = 'bounced'"); !slices.Equal(gone, ids[2:3]) {
		t.Errorf("bounced %v", gone)
	}
	if waiting := numbers(t, d, "SELECT seq FROM retries ORDER BY seq"); !slices.Equal(waiting, []int64{4, 5, 6}) {
		t.Errorf("retries %v", waiting)
	}
	if tries := numbers(t, d, "SELECT tries FROM deliveries ORDER BY seq"); !slices.Equal(tries, []int64{1, 1, 1, 1, 1, 1, 0}) {
		t.Errorf("tries %v", tries)
	}
	if left := heir.claim(run.ID); len(left) != 1 || left[0].Seq != 7 {
		t.Errorf("%+v", left)
	}
}

// All letters of a freed block turn out to be accepted before the next holder comes.
func TestClaimNothingLeft(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 1)
	dead, heir := newSender(t, d), newSender(t, d)
	letters := dead.claim(run.ID)
	if _, err := d.Outbox().Evict(t.Context(), []int64{dead.self.ID}); err != nil {
		t.Fatal(err)
	}
	exec(t, d, "UPDATE deliveries SET outcome = 'accepted'")
	if taken := heir.claim(run.ID); len(taken) != 0 {
		t.Errorf("%+v", taken)
	}
	dead.all(run.ID, letters, domain.OutcomeAccepted)
	if endable, err := d.Outbox().EndableRuns(t.Context(), monday); err != nil || !slices.Equal(endable, []int64{run.ID}) {
		t.Errorf("%v %v", endable, err)
	}
}

func TestUnknownTries(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 1)
	s := newSender(t, d)
	letters := s.claim(run.ID)
	r := s.result(run.ID, letters[0], domain.OutcomeDeferred)
	r.Status = domain.Unknown
	s.record(r)
	if n, err := d.Outbox().UnknownTries(t.Context(), run.ID, 1); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
}

// Everything that can happen to deliveries, at random: the counts always add up, and in the
// end nothing is open.
func TestConservation(t *testing.T) {
	d := dbtest.New(t)
	run, ids := newRun(t, d, "ann", 730)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	outcomes := []domain.Outcome{domain.OutcomeAccepted, domain.OutcomeAccepted, domain.OutcomeFailed,
		domain.OutcomeDeferred, domain.OutcomeDeferred, domain.OutcomeSuppressed, domain.OutcomeQueued}
	s := newSender(t, d)
	for round := 0; ; round++ {
		letters := s.claim(run.ID)
		if len(letters) == 0 {
			if endable, err := d.Outbox().EndableRuns(t.Context(), monday); err != nil {
				t.Fatal(err)
			} else if len(endable) > 0 {
				break
			} else if round > 1000 {
				t.Fatal("the run never ends")
			}
			if err := d.Outbox().ReopenRetries(t.Context(), monday.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		random.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
		for part := range slices.Chunk(letters, 1+random.IntN(60)) {
			results, failed := []db.Result{}, []int32{}
			for _, letter := range part {
				outcome := outcomes[random.IntN(len(outcomes))]
				if round > 40 {
					outcome = domain.OutcomeAccepted
				}
				if outcome == domain.OutcomeFailed {
					failed = append(failed, int32(letter.Seq))
				}
				results = append(results, s.result(run.ID, letter, outcome))
			}
			s.record(results...)
			switch random.IntN(12) {
			case 3:
				if err := d.Outbox().DeferDomain(t.Context(), run.ID, "550 no", monday, failed); err != nil {
					t.Fatal(err)
				}
			case 0:
				if err := d.Outbox().PauseRun(t.Context(), run.ID, "550 no", monday, failed); err != nil {
					t.Fatal(err)
				}
				if err := d.Outbox().ResumeRuns(t.Context(), monday.AddDate(0, 0, 1)); err != nil {
					t.Fatal(err)
				}
			case 1:
				if _, err := d.Outbox().Evict(t.Context(), []int64{s.self.ID}); err != nil {
					t.Fatal(err)
				}
				s = newSender(t, d)
			case 2:
				suppress(t, d, ids[random.IntN(len(ids))])
			}
		}
		if err := d.Outbox().Release(t.Context(), s.self.ID, run.ID, []int32{int32(letters[0].FirstSeq)}); err != nil {
			t.Fatal(err)
		}
		row, err := d.Runs().Get(t.Context(), 0, run.ID)
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, run.ID, row.Counts)
		if wrong := numbers(t, d, `SELECT first_seq FROM blocks WHERE open <> (SELECT count(*) FROM deliveries
			WHERE run_id = blocks.run_id AND seq BETWEEN first_seq AND first_seq + 99 AND outcome = 'queued')`); len(wrong) > 0 {
			t.Fatalf("blocks %v count wrong", wrong)
		}
	}
	if err := d.Outbox().CloseRun(t.Context(), run.ID, monday); err != nil {
		t.Fatal(err)
	}
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Status != domain.RunDone || row.Open() != 0 || row.Planned != 730 {
		t.Errorf("%v %+v", err, row.Run)
	}
	counted(t, d, run.ID, row.Counts)
}

func TestReleaseLost(t *testing.T) {
	d := dbtest.New(t)
	run, _ := newRun(t, d, "ann", 350)
	s, other := newSender(t, d), newSender(t, d)
	known := s.claim(run.ID)[0].FirstSeq
	s.claim(run.ID) // whose answer never came
	others := other.claim(run.ID)
	for _, want := range []int64{1, 0} {
		if freed, err := d.Outbox().ReleaseLost(t.Context(), s.self.ID, []int64{run.ID}, []int32{int32(known)}); err != nil || freed != want {
			t.Errorf("freed %d, want %d: %v", freed, want, err)
		}
	}
	if held := numbers(t, d, "SELECT first_seq FROM blocks WHERE holder IS NOT NULL ORDER BY 1"); !slices.Equal(held, []int64{int64(known), int64(others[0].FirstSeq)}) {
		t.Errorf("held are %v", held)
	}
	if freed, err := d.Outbox().ReleaseLost(t.Context(), s.self.ID, nil, nil); err != nil || freed != 1 {
		t.Errorf("freed %d with nothing in hand: %v", freed, err)
	}
}
