package db_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// now is the database's time, to which these tests plan.
func now(t *testing.T, d *db.DB) time.Time {
	t.Helper()
	at, _, err := outbox.New(d.Postgres()).Clock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// due has its first time in the past, so that a launch sends at once.
func due(every string) func(*domain.MailingForm) {
	return func(f *domain.MailingForm) { f.StartAt, f.Periodicity = "2026-01-01T09:00", every }
}

// What waits for the end of a recall can't be fetched; taken back, it never is, and its number is free again.
func TestTakeBack(t *testing.T) {
	for _, every := range []string{"once", "daily"} {
		t.Run(every, func(t *testing.T) {
			d := dbtest.New(t)
			box := outbox.New(d.Postgres())
			ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
			dbtest.NewClients(t, d, ann, 3)
			m := dbtest.NewMailing(t, d, ann, due(every))
			sender := dbtest.NewSender(t, d)
			if _, err := d.Mailings().Launch(t.Context(), ann, m.ID, time.Minute); err != nil {
				t.Fatal(err)
			}
			run := dbtest.Plan(t, d, m.ID, now(t, d))
			if emails := sender.Fetch(run.ID); len(emails) > 0 || run.Status != domain.RunPaused {
				t.Fatalf("%d emails fetched, the run is %s", len(emails), run.Status)
			}
			if err := box.Runs().Resume(t.Context(), now(t, d)); err != nil {
				t.Fatal(err)
			}
			dbtest.Refused(t, d.Mailings().RunNow(t.Context(), ann, m.ID, time.Minute), domain.Conflict, map[string]string{"once": "mailings.ran_once", "daily": "mailings.just_ran"}[every])
			if _, err := d.Mailings().TakeBack(t.Context(), bob, m.ID); domain.KindOf(err) != domain.NotFound {
				t.Errorf("somebody else: %v", err)
			}
			back, err := d.Mailings().TakeBack(t.Context(), ann, m.ID)
			if err != nil || back.Status != domain.Created || !back.LaunchedAt.IsZero() || !back.NextRunAt.IsZero() {
				t.Fatalf("%v %+v", err, back)
			}
			if err := box.Runs().Resume(t.Context(), now(t, d).Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if emails := sender.Fetch(run.ID); len(emails) > 0 {
				t.Errorf("%d emails fetched after it", len(emails))
			}
			if err := box.Runs().Close(t.Context(), run.ID, now(t, d)); err != nil {
				t.Fatal(err)
			}
			dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 3, Cancelled: 3})
			if _, err := d.Mailings().TakeBack(t.Context(), ann, m.ID); domain.KindOf(err) != domain.Conflict {
				t.Errorf("twice: %v", err)
			}
			// The mailing can be launched anew, with the same occurrence.
			if _, err := d.Mailings().Launch(t.Context(), ann, m.ID, 0); err != nil {
				t.Fatal(err)
			}
			if again := dbtest.Plan(t, d, m.ID, now(t, d)); *again.OccurrenceNo != *run.OccurrenceNo || len(sender.Fetch(again.ID)) != 3 {
				t.Errorf("%+v", again)
			}
		})
	}
}

// A run out of turn that was taken back before it was planned is never made, and one that was is cancelled; the
// calendar goes on.
func TestTakeBackRun(t *testing.T) {
	d := dbtest.New(t)
	box := outbox.New(d.Postgres())
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 3)
	m := dbtest.NewLaunched(t, d, ann, nil)
	for _, planned := range []bool{false, true} {
		if err := d.Mailings().RunNow(t.Context(), ann, m.ID, time.Minute); err != nil {
			t.Fatal(err)
		}
		jobs := planJobs(t, d)
		job := jobs[len(jobs)-1]
		plan := func() bool {
			_, ok, err := box.Plans().MakeRecallable(t.Context(), m.ID, now(t, d), job.NotBefore)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if planned && !plan() {
			t.Fatal("not planned")
		}
		if back, err := d.Mailings().TakeBack(t.Context(), ann, m.ID); err != nil || back.Status != domain.Running || !back.NextRunAt.Equal(m.NextRunAt) {
			t.Fatalf("%v %+v", err, back)
		}
		if !planned && plan() {
			t.Error("it was made all the same")
		}
	}
	if n := dbtest.Number(t, d, "SELECT count(*) FROM runs WHERE status = 'stopping' AND reason = 'recalled'"); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// Taking back and beginning exclude each other, whatever comes first.
func TestTakeBackRaces(t *testing.T) {
	d := dbtest.New(t)
	box := outbox.New(d.Postgres())
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 3)
	sender := dbtest.NewSender(t, d)
	var wg sync.WaitGroup
	var taken, begun atomic.Int32
	for i := range 12 {
		m := dbtest.NewMailing(t, d, ann, due("once"))
		m, err := d.Mailings().Launch(t.Context(), ann, m.ID, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		run := dbtest.Plan(t, d, m.ID, m.StartLocal.AddDate(0, 0, 1)) // by a clock that is late: the run waits all the same
		var one sync.WaitGroup
		var back error
		one.Go(func() {
			time.Sleep(time.Until(m.Recall.Until.Add(time.Duration(i-9) * 2 * time.Millisecond))) // mostly a moment before
			_, back = d.Mailings().TakeBack(t.Context(), ann, m.ID)
		})
		wg.Go(func() {
			emails := 0
			for now(t, d).Before(m.Recall.Until.Add(time.Second)) && emails == 0 {
				if err := box.Runs().Resume(t.Context(), now(t, d)); err != nil {
					t.Error(err)
				}
				emails = len(sender.Fetch(run.ID))
			}
			one.Wait()
			switch {
			case back == nil && emails == 0:
				taken.Add(1)
			case domain.KindOf(back) == domain.Conflict && emails == 3:
				begun.Add(1)
			default:
				t.Errorf("%v, and %d emails", back, emails)
			}
		})
	}
	wg.Wait()
	t.Logf("%d taken back, %d begun", taken.Load(), begun.Load())
}

// A paused mailing passes its times over and holds the rest of its run, which goes on afterwards.
func TestPauseMailing(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 150)
	m := dbtest.NewLaunched(t, d, ann, nil)
	run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	sender := dbtest.NewSender(t, d)
	sender.All(run.ID, sender.Fetch(run.ID), domain.OutcomeAccepted)
	for range 2 {
		if paused, err := d.Mailings().Pause(t.Context(), ann, m.ID); err != nil || paused.Status != domain.Running || !paused.Paused() {
			t.Fatal(err, paused)
		}
	}
	if emails := sender.Fetch(run.ID); len(emails) > 0 {
		t.Errorf("%d emails of a paused mailing", len(emails))
	}
	box := outbox.New(d.Postgres())
	if _, ok, err := box.Plans().Make(t.Context(), m.ID, dbtest.Monday.AddDate(0, 0, 2), false); ok || err != nil {
		t.Errorf("a paused mailing is planned: %v", err)
	}
	if n := dbtest.Number(t, d, "SELECT count(*) FROM runs WHERE status = 'missed' AND reason = 'paused'"); n != 2 {
		t.Errorf("%d passed over", n)
	}
	for range 2 {
		if m, err := d.Mailings().Resume(t.Context(), ann, m.ID); err != nil || m.Paused() {
			t.Fatal(err, m)
		}
	}
	if emails := sender.Fetch(run.ID); len(emails) != 50 {
		t.Errorf("%d emails go on", len(emails))
	}
	if next := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 3)); *next.OccurrenceNo != 3 {
		t.Errorf("next is %d", *next.OccurrenceNo)
	}
}

// Who resumes lets nothing begin that waits for somebody or something else.
func TestResumeWaits(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 3)
	m := dbtest.NewMailing(t, d, ann, due("once"))
	if _, err := d.Mailings().Launch(t.Context(), ann, m.ID, time.Minute); err != nil {
		t.Fatal(err)
	}
	run := dbtest.Plan(t, d, m.ID, now(t, d))
	is := func(what, reason string, resumes bool) {
		t.Helper()
		row, err := d.Runs().Get(t.Context(), ann, run.ID)
		if err != nil || row.Status != domain.RunPaused || row.Reason != reason || row.ResumeAt.IsZero() == resumes {
			t.Errorf("%s: %v, %s for %q until %v", what, err, row.Status, row.Reason, row.ResumeAt)
		}
	}
	step := dbtest.Must[domain.Mailing](t)
	is("launched", "recall", true)
	step(d.Mailings().Pause(t.Context(), ann, m.ID))
	is("paused", "paused", false)
	dbtest.Exec(t, d, "UPDATE users SET held_at = now() WHERE id = $1", ann)
	step(d.Mailings().Resume(t.Context(), ann, m.ID))
	is("held", "complaints", false)
	step(d.Mailings().Pause(t.Context(), ann, m.ID))
	is("held and paused", "complaints", false)
	release := func(u *domain.User) error { u.HeldAt = time.Time{}; return nil }
	if _, err := d.Users().Update(t.Context(), ann, release); err != nil {
		t.Fatal(err)
	}
	is("released", "paused", false)
	step(d.Mailings().Resume(t.Context(), ann, m.ID))
	is("resumed", "recall", true)
	if _, err := d.Mailings().TakeBack(t.Context(), ann, m.ID); err != nil {
		t.Error(err)
	}
}
