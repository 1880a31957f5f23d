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
	"skychimp/domain"
)

func TestRunsPages(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 1)
	m := dbtest.NewLaunched(t, d, ann, nil)
	dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, db.PageSize)) // the earlier ones were missed
	for page, want := range map[int]int{0: db.PageSize, 1: db.PageSize, 2: 1, 9: 1} {
		rows, total, err := d.Runs().List(t.Context(), ann, m.ID, page)
		if err != nil || len(rows) != want || total != db.PageSize+1 {
			t.Errorf("page %d: %v, %d rows of %d", page, err, len(rows), total)
		}
	}
	rows, _, _ := d.Runs().List(t.Context(), ann, m.ID, 1)
	if rows[0].Status != domain.RunRunning || rows[0].Planned != 1 || rows[0].MailingName != "News" {
		t.Errorf("%+v", rows[0])
	}
}

func TestSendingRun(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	got, err := outbox.New(d.Postgres()).Runs().Get(t.Context(), run.ID)
	if err != nil || got.OwnerName != "ann" || got.OwnerEmail != "ann@owners.example" || got.OwnerLanguage != "en" || got.Subject != run.Subject || got.Brand == nil || !got.Brand.Plain() {
		t.Errorf("%v %+v", err, got)
	}
	if _, err := outbox.New(d.Postgres()).Runs().Get(t.Context(), 1<<40); domain.KindOf(err) != domain.NotFound {
		t.Error(err)
	}
}

func TestPauseRun(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 150)
	s := dbtest.NewSender(t, d)
	emails, second := s.Fetch(run.ID), s.Fetch(run.ID)
	s.All(run.ID, emails[:10], domain.OutcomeAccepted)
	s.All(run.ID, emails[10:], domain.OutcomeFailed)
	s.All(run.ID, second[:1], domain.OutcomeFailed)
	revert := []int32{9, 10, 99, 100, 101, 102} // of them 9 and 10 were accepted, 102 is queued
	if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "550 5.7.1 Sender blocked", dbtest.Monday, revert); err != nil {
		t.Fatal(err)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 150, Accepted: 10, Failed: 88})
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Status != domain.RunPaused || row.Reason != "550 5.7.1 Sender blocked" || row.Pauses != 1 ||
		row.ResumeAt.Before(dbtest.Monday.Add(50*time.Second)) || row.ResumeAt.After(dbtest.Monday.Add(70*time.Second)) {
		t.Errorf("%v %+v", err, row.Run)
	}
	// A second sender that finds the same takes back what failed for it, and changes nothing else.
	if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "other", dbtest.Monday.Add(time.Hour), []int32{11}); err != nil {
		t.Fatal(err)
	}
	if again, _ := d.Runs().Get(t.Context(), 0, run.ID); again.Reason != row.Reason || again.Pauses != 1 || again.Failed != 87 {
		t.Errorf("%+v", again.Run)
	}
	if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), s.Self.ID, run.ID, []int32{1, 101}); err != nil {
		t.Fatal(err)
	}
	if err := outbox.New(d.Postgres()).Runs().Resume(t.Context(), row.ResumeAt.Add(-time.Second)); err != nil || len(s.Fetch(run.ID)) > 0 {
		t.Errorf("resumed too early: %v", err)
	}
	if err := outbox.New(d.Postgres()).Runs().Resume(t.Context(), row.ResumeAt); err != nil {
		t.Fatal(err)
	}
	if row, _ = d.Runs().Get(t.Context(), 0, run.ID); row.Status != domain.RunRunning || row.Reason != "" || !row.ResumeAt.IsZero() {
		t.Errorf("%+v", row.Run)
	}
	again := s.Fetch(run.ID)
	if len(again) != 3 || again[0].Seq != 11 || again[1].Seq != 99 || again[2].Seq != 100 {
		t.Errorf("%+v", again)
	}
	if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "again", dbtest.Monday, nil); err != nil {
		t.Fatal(err)
	}
	if row, _ = d.Runs().Get(t.Context(), 0, run.ID); row.Pauses != 2 || row.ResumeAt.Before(dbtest.Monday.Add(4*time.Minute)) {
		t.Errorf("the second pause is not longer: %+v", row.Run)
	}
}

// noHold is example.org, which says no.
func noHold(until time.Time) outbox.DomainHold {
	return outbox.DomainHold{Domain: "example.org", Answer: domain.NewAnswer(domain.StageRcpt, 550, "no"), Until: until}
}

func TestHoldBack(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 100)
	s := dbtest.NewSender(t, d)
	emails := s.Fetch(run.ID)
	s.All(run.ID, emails[:1], domain.OutcomeAccepted)
	s.All(run.ID, emails[1:], domain.OutcomeFailed)
	if err := outbox.New(d.Postgres()).Runs().DeferDomain(t.Context(), run.ID, noHold(dbtest.Monday.Add(time.Minute)), []int32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 100, Accepted: 1, Failed: 97})
	row, err := d.Runs().Get(t.Context(), 0, run.ID)
	if err != nil || row.Status != domain.RunRunning || row.Reason != "example.org: 550 no" || row.Pauses != 1 || row.Deferred != 2 {
		t.Errorf("%v %+v", err, row)
	}
	if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); err != nil || len(endable) > 0 {
		t.Errorf("%v %v", endable, err)
	}
	if err := outbox.New(d.Postgres()).Batches().ReopenRetries(t.Context(), dbtest.Monday.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if again := s.Fetch(run.ID); len(again) != 2 || again[0].Seq != 2 {
		t.Errorf("%+v", again)
	}
	if err := outbox.New(d.Postgres()).Runs().ResumeDomain(t.Context(), run.ID, "example.org", true); err != nil {
		t.Fatal(err)
	}
	if row, err := d.Runs().Get(t.Context(), 0, run.ID); err != nil || row.Reason != "" || dbtest.Number(t, d, "SELECT count(*) FROM run_holds") != 0 {
		t.Errorf("a hold that is over is still shown: %v %+v", err, row)
	}
	dbtest.Exec(t, d, "UPDATE runs SET closed_at = now(), status = 'done'")
	if err := outbox.New(d.Postgres()).Runs().DeferDomain(t.Context(), run.ID, noHold(dbtest.Monday), []int32{4}); err != nil {
		t.Fatal(err)
	}
	if failed := dbtest.Number(t, d, "SELECT count(*) FROM deliveries WHERE outcome = 'failed'"); failed != 97 {
		t.Errorf("%d failed in the closed run", failed)
	}
}

func TestNoteTrouble(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	stopped, _ := dbtest.NewRun(t, d, "bob", 1)
	dbtest.UpdateMailing(t, d, stopped.MailingID, dbtest.Stop)
	for _, text := range []string{"connection refused", ""} {
		if err := outbox.New(d.Postgres()).Runs().SetStatusNote(t.Context(), []int64{run.ID, stopped.ID}, text); err != nil {
			t.Fatal(err)
		}
		if row, _ := d.Runs().Get(t.Context(), 0, run.ID); row.Reason != text {
			t.Errorf("%q, want %q", row.Reason, text)
		}
	}
	if row, _ := d.Runs().Get(t.Context(), 0, stopped.ID); row.Reason != domain.ReasonStopped {
		t.Errorf("reason %q", row.Reason)
	}
}

func TestCloseRun(t *testing.T) {
	tests := []struct {
		name    string
		end     func(t *testing.T, d *db.DB, run domain.Run)
		left    bool // the last two emails stay open
		now     time.Time
		want    domain.Counts
		outcome domain.Outcome
		reason  string
	}{
		{"all sent", nil, false, dbtest.Monday, domain.Counts{Planned: 6, Accepted: 4, Failed: 1, Suppressed: 1}, "", ""},
		{"stopped", func(t *testing.T, d *db.DB, run domain.Run) { dbtest.UpdateMailing(t, d, run.MailingID, dbtest.Stop) }, true, dbtest.Monday,
			domain.Counts{Planned: 6, Accepted: 2, Failed: 1, Suppressed: 1, Cancelled: 2}, domain.OutcomeCancelled, domain.ReasonStopped},
		{"past its end", nil, true, dbtest.Monday.AddDate(0, 1, 0),
			domain.Counts{Planned: 6, Accepted: 2, Failed: 1, Suppressed: 1, Expired: 2}, domain.OutcomeExpired, domain.ReasonEnded},
		{"stopped, and past its end", func(t *testing.T, d *db.DB, run domain.Run) { dbtest.UpdateMailing(t, d, run.MailingID, dbtest.Stop) }, true, dbtest.Monday.AddDate(0, 1, 0),
			domain.Counts{Planned: 6, Accepted: 2, Failed: 1, Suppressed: 1, Cancelled: 2}, domain.OutcomeCancelled, domain.ReasonStopped},
		{"paused, and past its end", func(t *testing.T, d *db.DB, run domain.Run) {
			if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "550 no", dbtest.Monday, nil); err != nil {
				t.Fatal(err)
			}
		}, true, dbtest.Monday.AddDate(0, 1, 0), domain.Counts{Planned: 6, Accepted: 2, Failed: 1, Suppressed: 1, Expired: 2}, domain.OutcomeExpired, domain.ReasonEnded},
		{"all sent while it was paused", func(t *testing.T, d *db.DB, run domain.Run) {
			if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), run.ID, "550 no", dbtest.Monday, nil); err != nil {
				t.Fatal(err)
			}
		}, false, dbtest.Monday, domain.Counts{Planned: 6, Accepted: 4, Failed: 1, Suppressed: 1}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := dbtest.New(t)
			ann := dbtest.NewOwner(t, d, "ann")
			dbtest.Suppress(t, d, dbtest.NewClients(t, d, ann, 6)[5])
			m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.EndAt = "2031-01-20T00:00" })
			run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
			s := dbtest.NewSender(t, d)
			emails := s.Fetch(run.ID)
			s.All(run.ID, emails[:2], domain.OutcomeAccepted)
			s.All(run.ID, emails[2:3], domain.OutcomeFailed)
			if tt.left {
				s.All(run.ID, emails[3:4], domain.OutcomeDeferred)
			} else {
				s.All(run.ID, emails[3:], domain.OutcomeAccepted)
			}
			if tt.end != nil {
				tt.end(t, d, run)
			}
			if tt.left {
				// Somebody still holds emails of it, so it can't be closed yet.
				if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), tt.now); err != nil || len(endable) != 0 {
					t.Errorf("endable %v %v", endable, err)
				}
				if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, tt.now); err != nil {
					t.Fatal(err)
				}
				if row, _ := d.Runs().Get(t.Context(), 0, run.ID); row.Closed() {
					t.Error("closed while emails of it were being sent")
				}
				if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), s.Self.ID, run.ID, []int32{1}); err != nil {
					t.Fatal(err)
				}
			}
			if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), tt.now); err != nil || !slices.Equal(endable, []int64{run.ID}) {
				t.Errorf("endable %v %v", endable, err)
			}
			for range 2 { // again changes nothing
				if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, tt.now); err != nil {
					t.Fatal(err)
				}
				dbtest.Counted(t, d, run.ID, tt.want)
			}
			row, err := d.Runs().Get(t.Context(), 0, run.ID)
			if err != nil || row.Status != domain.RunDone || !row.ClosedAt.Equal(tt.now) || row.EndOutcome != tt.outcome || row.Reason != tt.reason ||
				!row.ResumeAt.IsZero() || row.Deferred != 0 {
				t.Errorf("%v %+v", err, row)
			}
			for _, table := range []string{"batches", "retries"} {
				if n := dbtest.Number(t, d, "SELECT count(*) FROM "+table); n != 0 {
					t.Errorf("%d rows left in %s", n, table)
				}
			}
			// A result that comes even later stays on record and changes no count.
			s.All(run.ID, emails[4:], domain.OutcomeAccepted)
			dbtest.Counted(t, d, run.ID, tt.want)
		})
	}
}

// A fetch that began before the run was stopped may commit after it was found endable.
func TestCloseRunDuringAFetch(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	s := dbtest.NewSender(t, d)
	tx, err := d.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "UPDATE batches SET instance_id = $1 WHERE run_id = $2", s.Self.ID, run.ID); err != nil {
		t.Fatal(err)
	}
	dbtest.UpdateMailing(t, d, run.MailingID, dbtest.Stop)
	if endable, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); err != nil || len(endable) != 1 {
		t.Fatal(endable, err)
	}
	closed := inBackground(t, d, func() {
		if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
			t.Error(err)
		}
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed.Wait()
	if row, _ := d.Runs().Get(t.Context(), 0, run.ID); row.Closed() {
		t.Error("closed under the hands of a sender")
	}
}

func TestCloseRunCountMismatch(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 3)
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'accepted' WHERE seq < 3")
	dbtest.Exec(t, d, "UPDATE batches SET done = true")
	err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday)
	if mismatch, ok := errors.AsType[outbox.CountMismatch](err); !ok || mismatch != (outbox.CountMismatch{RunID: run.ID, Planned: 3, Counted: 2}) {
		t.Errorf("%v", err)
	}
	if row, _ := d.Runs().Get(t.Context(), 0, run.ID); row.Status != domain.RunDone {
		t.Errorf("status %s", row.Status)
	}
}

// The page of a mailing may be stopped in the moment in which its run ends.
func TestCloseRunAndStop(t *testing.T) {
	d := dbtest.New(t)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		run, _ := dbtest.NewRun(t, d, name, 120)
		s := dbtest.NewSender(t, d)
		s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
		s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
		var both sync.WaitGroup
		both.Go(func() {
			if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			if _, err := d.Mailings().Update(t.Context(), 0, run.MailingID, dbtest.Stop); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 120, Accepted: 120})
	}
}

func TestMailingFinished(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 1)
	s := dbtest.NewSender(t, d)
	status := func(id int64) domain.MailingStatus {
		t.Helper()
		m, err := d.Mailings().Get(t.Context(), 0, id)
		if err != nil {
			t.Fatal(err)
		}
		return m.Status
	}
	send := func(m domain.Mailing) {
		t.Helper()
		run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
		s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
		if status(m.ID) != domain.Running {
			t.Error("finished before its run has ended")
		}
		if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
			t.Fatal(err)
		}
	}
	once := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Periodicity = "once" })
	send(once)
	if got := status(once.ID); got != domain.Finished {
		t.Errorf("once: %s", got)
	}
	daily := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.EndAt = "2031-01-20T00:00" })
	send(daily)
	if err := outbox.New(d.Postgres()).Runs().FinishMailings(t.Context(), daily.EndAt.Add(-time.Second)); err != nil || status(daily.ID) != domain.Running {
		t.Errorf("daily: %v %s", err, status(daily.ID))
	}
	if err := outbox.New(d.Postgres()).Runs().FinishMailings(t.Context(), daily.EndAt); err != nil || status(daily.ID) != domain.Finished {
		t.Errorf("daily at its end: %v %s", err, status(daily.ID))
	}
	// The process died between the end of the run and that of the mailing.
	once = dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Periodicity = "once" })
	waiting := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Periodicity = "once" })
	dbtest.Exec(t, d, "UPDATE runs SET status = 'done', closed_at = now() WHERE id = $1", dbtest.Plan(t, d, once.ID, dbtest.Monday).ID)
	if err := outbox.New(d.Postgres()).Runs().FinishMailings(t.Context(), dbtest.Monday); err != nil || status(once.ID) != domain.Finished || status(waiting.ID) != domain.Running {
		t.Errorf("%v: %s, and one that has not run yet %s", err, status(once.ID), status(waiting.ID))
	}
	// Of a deleted mailing the run is closed all the same.
	gone := dbtest.NewLaunched(t, d, ann, nil)
	run := dbtest.Plan(t, d, gone.ID, dbtest.Monday)
	if err := d.Mailings().Delete(t.Context(), ann, gone.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 1, Cancelled: 1})
}

func TestLastRun(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.NewClients(t, d, ann, 1)
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.EndAt = "2031-01-10T00:00" })
	last := func(want int64) {
		t.Helper()
		if row, err := d.Runs().Last(t.Context(), ann, m.ID); err != nil || row.ID != want || row.Planned != 1 {
			t.Errorf("%v: run %d, want %d", err, row.ID, want)
		}
	}
	if _, err := d.Runs().Last(t.Context(), ann, m.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("before the first: %v", err)
	}
	first := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	last(first.ID)
	second := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 2))
	last(second.ID)
	dbtest.UpdateMailing(t, d, m.ID, dbtest.Stop)
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), second.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	last(first.ID) // it is still going on
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), first.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	last(second.ID)
	if _, err := d.Runs().Last(t.Context(), bob, m.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a foreign one: %v", err)
	}
	if row, err := d.Runs().Last(t.Context(), 0, m.ID); err != nil || row.ID != second.ID {
		t.Errorf("for a manager: %v", err)
	}
}
