package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// A frozen program loses its work to another one and must notice when it wakes up.
func TestFaultFrozen(t *testing.T) {
	t.Parallel()
	times, frozen := faultTimes(t, 1, 20), time.Duration(0)
	if os.Getenv("FAULTS") != "" {
		frozen = time.Minute
	}
	f := newFault(t, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: 2 * time.Millisecond})})
	f.behindProxy()
	owner := f.owner(1500)
	fenced := 0
	for n := range times {
		f.begin(f.mailing(owner))
		late := f.start()
		late.ready(f)
		f.letters(200)
		if n%2 == 0 {
			f.freezeInTransaction(late)
		} else {
			late.signal(f, syscall.SIGSTOP)
		}
		stopped := time.Now()
		other := f.launch()
		f.until("the other one has done all", f.closed) // it needs to take blocks over for that
		time.Sleep(time.Until(stopped.Add(frozen)))
		late.signal(f, syscall.SIGCONT)
		f.until("the late one notices", func() bool { return late.over() || strings.Contains(late.printed(), "starting anew") })
		if !late.over() {
			fenced++
		}
		// It still works: the next run is its own.
		other.kill(syscall.SIGTERM)
		f.begin(f.mailing(owner))
		f.until("the late one sends the next run", f.closed)
		f.kill(syscall.SIGTERM)
	}
	f.report("SIGSTOP, taken over, CONT", times, bounds{doubled: times * f.conns}, fmt.Sprintf("fenced=%d/%d", fenced, times))
}

// freezeInTransaction stops the program between a statement and the commit, with its locks held.
func (f *fault) freezeInTransaction(p *program) {
	f.Helper()
	var once atomic.Bool
	stopped := make(chan struct{})
	f.proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
		if when == faultproxy.Answered && s.Name() == statement.Complete && once.CompareAndSwap(false, true) {
			p.signal(f, syscall.SIGSTOP)
			close(stopped)
		}
		return faultproxy.Pass
	})
	f.until("the program is in a transaction", func() bool {
		select {
		case <-stopped:
			return true
		default:
			return false
		}
	})
	f.proxy.Watch(nil)
}

func (p *program) signal(f *fault, signal syscall.Signal) {
	f.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		f.Fatal(err)
	}
}

// Several programs share the runs of one calendar; one of them dies in the middle.
func TestFaultOneOfSeveralDies(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{2, 3} {
		t.Run(fmt.Sprint(instances), func(t *testing.T) {
			t.Parallel()
			times := faultTimes(t, 2, 20)
			f := newFault(t, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: 2 * time.Millisecond})})
			owner := f.owner(500)
			for range instances {
				f.launch().ready(f)
			}
			for n := range times {
				before := f.server.Dots()
				f.due(time.Now(), f.mailing(owner), f.mailing(owner))
				f.until("the first letter", func() bool { return f.server.Dots() > before })
				f.letters(1 + rand.IntN(300))
				dying := n % instances
				f.programs[dying].kill(syscall.SIGKILL)
				f.resumed()
				f.until("the others have done all", f.closed)
				p := f.launch()
				p.ready(f)
				f.programs = append(append(f.programs[:dying:dying], p), f.programs[dying+1:len(f.programs)-1]...)
			}
			runs := f.count(`SELECT count(*) FROM runs WHERE occurrence_no = 0`)
			if runs != 2*times {
				t.Errorf("%d runs of %d occurrences", runs, 2*times)
			}
			f.report(fmt.Sprintf("%d instances, one dying", instances), times, bounds{doubled: times * f.conns}, fmt.Sprintf("runs=%d/%d", runs, 2*times))
		})
	}
}

// A thousand mailings of a hundred owners come due in the same second.
func TestFaultThousandAtOnce(t *testing.T) {
	t.Parallel()
	const owners, each, clients = 100, 10, 3
	slowest, times := time.Duration(0), faultTimes(t, 1, 3)
	f := newFault(t, smtptest.Script{})
	var ids []int64
	for range owners {
		ids = append(ids, f.owner(clients))
	}
	f.launch().ready(f)
	for range times {
		var mailings []int64
		for _, owner := range ids {
			for range each {
				mailings = append(mailings, f.mailing(owner))
			}
		}
		at, before := time.Now().Add(time.Second), f.server.Dots()
		f.due(at, mailings...)
		f.until("everything is sent", func() bool { return f.server.Dots() >= before+owners*each*clients && f.closed() })
		first := map[string]time.Time{} // by the owner's number, which stands in the address
		for _, l := range f.server.Letters()[before:] {
			name, _, _ := strings.Cut(l.To, "@")
			_, owner, _ := strings.Cut(name, ".")
			if first[owner].IsZero() {
				first[owner] = l.Dot
			}
		}
		if len(first) != owners {
			t.Errorf("%d owners' letters came, want %d", len(first), owners)
		}
		for _, dot := range first {
			slowest = max(slowest, dot.Sub(at))
		}
	}
	f.slowest = slowest
	if runs := f.count(`SELECT count(*) FROM runs`); runs != times*owners*each {
		t.Errorf("%d runs, want %d", runs, times*owners*each)
	}
	f.report("1,000 mailings of 100 owners at once", times, bounds{})
}

// act is what somebody does in the middle of a run. It gives the moment after its commit.
type act struct {
	name    string
	do      func(f *fault, run domain.Run) error
	outcome domain.Outcome // of what was open
}

func TestFaultActsInMidRun(t *testing.T) {
	t.Parallel()
	manager := domain.User{Role: domain.RoleManager}
	change := func(do func(*domain.Mailing) error) func(*fault, domain.Run) error {
		return func(f *fault, run domain.Run) error {
			_, err := f.db.Mailings().Update(f.Context(), 0, run.MailingID, do)
			return err
		}
	}
	for _, a := range []act{
		{"stop", change(func(m *domain.Mailing) error { return m.Stop(time.Now()) }), domain.OutcomeCancelled},
		{"disable", change(func(m *domain.Mailing) error { return m.Disable(manager, "spam", time.Now()) }), domain.OutcomeCancelled},
		{"block", func(f *fault, run domain.Run) error {
			_, err := f.db.Users().Block(f.Context(), manager, run.OwnerID, "spam", time.Now())
			return err
		}, domain.OutcomeCancelled},
		{"delete", func(f *fault, run domain.Run) error {
			return f.db.Mailings().Delete(f.Context(), run.OwnerID, run.MailingID, time.Now())
		}, domain.OutcomeCancelled},
		{"end moved to now", change(func(m *domain.Mailing) error {
			m.EndAt = time.Now()
			m.EndLocal = m.EndAt.UTC()
			return nil
		}), domain.OutcomeExpired},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.run(t, func(f *fault, run domain.Run) time.Time {
				f.letters(30 + rand.IntN(60))
				heard := f.listen("runs")
				if err := a.do(f, run); err != nil {
					f.Fatal(err)
				}
				done := time.Now()
				heard()
				return time.Now().Add(time.Since(done)) // as late again as it was heard of here
			})
		})
	}
	t.Run("end comes", func(t *testing.T) {
		t.Parallel()
		act{name: "end comes", outcome: domain.OutcomeExpired}.run(t, func(f *fault, run domain.Run) time.Time {
			end := time.Now().Add(300 * time.Millisecond)
			f.exec(`UPDATE mailings SET end_at = $2, end_local = $2::timestamptz AT TIME ZONE 'UTC' WHERE id = $1`, run.MailingID, end)
			f.exec(`UPDATE runs SET window_end = $2 WHERE id = $1`, run.ID, end)
			time.Sleep(time.Until(end))
			return time.Now() // as late as a busy machine wakes
		})
	})
}

// listen begins to hear of what is announced; the function waits for the first announcement.
func (f *fault) listen(channel string) func() {
	f.Helper()
	pooled, err := f.db.Pool.Acquire(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	conn := pooled.Hijack()
	if _, err := conn.Exec(f.Context(), "LISTEN "+channel); err != nil {
		f.Fatal(err)
	}
	return func() {
		f.Helper()
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		defer cancel()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			f.Fatal(err)
		}
		_ = conn.Close(f.Context())
	}
}

// run acts in one run after the other, and counts what went out afterwards.
func (a act) run(t *testing.T, do func(*fault, domain.Run) time.Time) {
	times := faultTimes(t, 3, 20)
	// As long as a server somewhere on the net takes for an answer: on a busy machine a notification
	// needs more time than one on this machine does.
	f := newFault(t, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: 40 * time.Millisecond})})
	f.launch().ready(f)
	most := 0
	for range times {
		owner := f.owner(1000) // a blocked one has no further run
		before := f.server.Dots()
		id := f.begin(f.mailing(owner))
		row, err := f.db.Runs().Get(t.Context(), 0, id)
		if err != nil {
			t.Fatal(err)
		}
		f.until("the run has begun", func() bool { return f.server.Dots() > before })
		at := do(f, row.Run)
		f.until("the run is closed", f.closed)
		late := f.late(at, func(smtptest.Letter) bool { return true })
		most = max(most, late)
		if row, err = f.db.Runs().Get(t.Context(), 0, id); err != nil || row.Cancelled+row.Expired == 0 {
			t.Errorf("nothing was left to end: %+v, %v", row.Counts, err)
		}
	}
	if most > f.conns {
		t.Errorf("%d letters of a run went out after the commit, more than one per connection", most)
	}
	f.report("in mid-run: "+a.name, times, bounds{excused: func(_ string, o domain.Outcome) bool { return o == a.outcome }},
		fmt.Sprintf("late=%d/%d", most, f.conns))
}

func TestFaultUnsubscribedInMidRun(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 5, 20)
	f := newFault(t, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: time.Millisecond})})
	run := f.begin(f.fill(500 + 200*times))
	f.start()
	late, gone := 0, map[string]bool{}
	for range times {
		f.letters(50)
		// Somebody of the block that is going out, who may be next.
		var client int64
		var email string
		err := f.db.Pool.QueryRow(t.Context(), `SELECT client_id, email FROM deliveries
			WHERE run_id = $1 AND outcome = 'queued' ORDER BY seq OFFSET $2 LIMIT 1`, run, rand.IntN(60)).Scan(&client, &email)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.db.Clients().Unsubscribe(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		gone[email] = true
		f.letters(100)
		late += f.late(at, func(l smtptest.Letter) bool { return l.To == email })
	}
	f.report("in mid-run: unsubscribe", times, bounds{excused: func(to string, o domain.Outcome) bool {
		return gone[to] && o == domain.OutcomeSuppressed
	}}, fmt.Sprintf("late=%d", late))
	if late > times { // one letter of one client is under way on one connection at most
		t.Errorf("%d letters to people who had unsubscribed", late)
	}
}
