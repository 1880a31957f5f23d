package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// A series of five steps, lived through day by day: clients come in by five ways, one reaches the goal, one unsubscribes, and
// steps are added, moved and removed under way. Everybody gets every email that is meant for them once, in order.
func TestFiveSteps(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.start(2)
	kept, owner := series.In(w.db), int64(1000)
	step := func(subject, wait string) rules.StepInput {
		return rules.StepInput{MessageID: dbtest.NewMessage(t, w.db, owner, subject, "Text").ID, Wait: wait}
	}
	before := dbtest.NewClient(t, w.db, owner, domain.ClientForm{Email: "before@example.org", Tags: "new"})
	old := dbtest.NewClient(t, w.db, owner, domain.ClientForm{Email: "old@example.org"})
	many := dbtest.NewClient(t, w.db, owner, domain.ClientForm{Email: "many@example.org"})
	hand := dbtest.NewClient(t, w.db, owner, domain.ClientForm{Email: "hand@example.org"})
	s, err := kept.Create(t.Context(), owner, rules.Input{Name: "Welcome", Entry: "tag", EntryValue: "new", GoalTag: "bought",
		Steps: []rules.StepInput{step("1", "0"), step("2", "1"), step("3", "1"), step("4", "1"), step("5", "1")}}, time.Now())
	if err == nil {
		_, err = kept.Launch(t.Context(), owner, s.ID, true, 0)
	}
	if err == nil {
		_, err = kept.Add(t.Context(), owner, s.ID, []int64{hand.ID})
	}
	if err != nil {
		t.Fatal(err)
	}
	act, err := domain.NewBulkAct(owner, domain.BulkForm{Do: "series", Series: s.ID, IDs: []int64{many.ID}})
	if err == nil {
		err = w.db.Bulk().Prepare(t.Context(), &act, db.ClientFilter{})
	}
	if err == nil {
		err = w.db.Bulk().Start(t.Context(), &act)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE clients SET tags = '{new}' WHERE id = $1`, old.ID)
	fresh := dbtest.NewClient(t, w.db, owner, domain.ClientForm{Email: "fresh@example.org", Tags: "new"})

	told := func(id int64) (subjects string) {
		t.Helper()
		err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(run.subject, ' ' ORDER BY a.at), '') FROM attempts AS a JOIN runs AS run ON run.id = a.run_id
			WHERE a.client_id = $1 AND a.status = 'accepted'`, id).Scan(&subjects)
		if err != nil {
			t.Fatal(err)
		}
		return subjects
	}
	// day plans what is due, waits until it is sent, and moves the clock on.
	day := func(emails int) {
		t.Helper()
		box, total := outbox.New(w.db.Postgres()), w.server.Accepted()+emails
		if _, err := box.Series().Plan(t.Context(), time.Now(), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := box.Plans().Continue(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.until("the emails of the day are sent", func() bool {
			return w.server.Accepted() >= total && w.count(`SELECT count(*) FROM runs WHERE closed_at IS NULL`) == 0
		})
		if sent := w.server.Accepted(); sent != total {
			t.Errorf("%d emails, want %d", sent, total)
		}
		w.exec(`UPDATE mailings SET launched_at = launched_at - interval '25 hours'`)
		w.exec(`UPDATE series_clients SET since = since - interval '25 hours', due_at = due_at - interval '25 hours' WHERE due_at > 'epoch'`)
	}
	edit := func(change func(steps []rules.StepInput) []rules.StepInput) {
		t.Helper()
		s, err = kept.Update(t.Context(), owner, s.ID, func(s *rules.Series, own rules.Own) (rules.Edit, error) {
			in := s.Input(own.Fields)
			in.Steps = change(in.Steps)
			return s.Change(in, own, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	answer := func(position int, passed int64, send bool) {
		t.Helper()
		asked := s.Steps[position-1]
		counts, err := kept.Counts(t.Context(), s)
		if err != nil || counts[asked.ID].Passed != passed {
			t.Fatalf("%+v, %v", counts[asked.ID], err)
		}
		if err := kept.Answer(t.Context(), owner, s.ID, asked.ID, send); err != nil {
			t.Fatal(err)
		}
	}
	day(5)
	day(5)
	w.exec(`UPDATE clients SET tags = tags || '{bought}' WHERE id = $1`, old.ID)
	dbtest.Suppress(t, w.db, many.ID)
	edit(func(steps []rules.StepInput) []rules.StepInput { return slices.Insert(steps, 1, step("extra", "1")) })
	answer(2, 4, true) // who has unsubscribed leaves when the step is due
	day(0)             // its wait counts from the answer
	day(3)
	edit(func(steps []rules.StepInput) []rules.StepInput { return slices.Insert(steps, 1, step("late", "1")) })
	answer(2, 3, false)
	day(3)
	edit(func(steps []rules.StepInput) []rules.StepInput { // the fourth and the fifth change places
		last := len(steps) - 1
		steps[last-1], steps[last] = steps[last], steps[last-1]
		return steps
	})
	day(3)
	edit(func(steps []rules.StepInput) []rules.StepInput { return steps[:len(steps)-1] }) // and the fourth is removed
	day(0)
	for client, want := range map[int64]string{before.ID: "1 2 extra 3 5", hand.ID: "1 2 extra 3 5", fresh.ID: "1 2 extra 3 5", old.ID: "1 2", many.ID: "1 2"} {
		if got := told(client); got != want {
			t.Errorf("client %d got %s, want %s", client, got, want)
		}
	}
	states, err := kept.States(t.Context(), s.ID)
	if want := (series.States{In: 5, Finished: 3, Left: 2}); err != nil || states != want {
		t.Errorf("%s, %v", fmt.Sprintf("%+v", states), err)
	}
}
