package series_test

import (
	"fmt"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// newSeries keeps a series of an owner with messages of these subjects, each a day after the one before.
func newSeries(t testing.TB, d *db.DB, owner int64, entry, value string, subjects ...string) rules.Series {
	t.Helper()
	in := rules.Input{Name: "Welcome", Entry: entry, EntryValue: value}
	for i, subject := range subjects {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: dbtest.NewMessage(t, d, owner, subject, "Text").ID, Wait: fmt.Sprint(min(i, 1))})
	}
	s, err := series.In(d).Create(t.Context(), owner, in, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func launch(t testing.TB, d *db.DB, s rules.Series, all bool) {
	t.Helper()
	if _, err := series.In(d).Launch(t.Context(), s.OwnerID, s.ID, all, 0); err != nil {
		t.Fatal(err)
	}
}

// in says which clients are in a series.
func in(t testing.TB, d *db.DB, s rules.Series) []int64 {
	t.Helper()
	dbtest.WaitingCounted(t, d)
	if err := series.In(d).MergeWaiting(t.Context()); err != nil {
		t.Fatal(err)
	}
	dbtest.WaitingCounted(t, d)
	return dbtest.Numbers(t, d, "SELECT client_id FROM series_clients WHERE series_id = $1 AND left_at IS NULL ORDER BY client_id", s.ID)
}

func TestSeriesAreKept(t *testing.T) {
	d := dbtest.New(t)
	owner, other := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "ben")
	s := newSeries(t, d, owner, "tag", "new", "One", "Two")
	got, err := series.In(d).Get(t.Context(), owner, s.ID)
	if err != nil || got.Mailing.Name != "Welcome" || got.Entry != rules.Tag || len(got.Steps) != 2 || got.Steps[1].WaitDays != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	_, err = series.In(d).Get(t.Context(), other, s.ID)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	list, err := series.In(d).List(t.Context(), owner)
	if err != nil || len(list) != 1 || list[0].Waiting != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	_, err = d.Mailings().Update(t.Context(), owner, s.ID, dbtest.Launch)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
	if err := d.Mailings().Delete(t.Context(), owner, s.ID, time.Now()); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a series was deleted as a mailing: %v", err)
	}
	if err := d.Messages().Delete(t.Context(), owner, s.Steps[0].MessageID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("the message of a step was deleted: %v", err)
	}
	if err := series.In(d).Delete(t.Context(), owner, s.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := d.Messages().Delete(t.Context(), owner, s.Steps[0].MessageID); err != nil {
		t.Error(err)
	}
	foreign := rules.Input{Name: "X", Entry: "manual", Steps: []rules.StepInput{{MessageID: dbtest.NewMessage(t, d, other, "Theirs", "").ID}}}
	if _, err := series.In(d).Create(t.Context(), owner, foreign, time.Now()); domain.KindOf(err) != domain.Invalid {
		t.Errorf("somebody else's message: %v", err)
	}
}

func TestWhoComesIn(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	before := dbtest.NewClients(t, d, owner, 3)
	added, tagged := newSeries(t, d, owner, "added", "", "One"), newSeries(t, d, owner, "tag", "VIP", "One")
	early := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "early@x.example"})
	heard := dbtest.Listen(t, d, "series")
	launch(t, d, added, false)
	launch(t, d, tagged, false)
	heard()
	late := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "late@x.example", Tags: "vip"})
	heard()
	dbtest.Same(t, "added", in(t, d, added), []int64{late.ID})
	dbtest.Same(t, "tagged", in(t, d, tagged), []int64{late.ID})
	// A tag that is given, and not one that was there, brings in; once.
	for range 2 {
		dbtest.Exec(t, d, "UPDATE clients SET tags = '{vip}' WHERE id = ANY($1)", []int64{before[0], early.ID})
		dbtest.Exec(t, d, "UPDATE clients SET tags = '{}' WHERE id = ANY($1)", []int64{before[0]})
	}
	dbtest.Same(t, "tagged later", in(t, d, tagged), []int64{before[0], early.ID, late.ID})
	added2, err := series.In(d).Add(t.Context(), owner, added.ID, []int64{before[0], before[1], late.ID})
	if err != nil || added2 != (series.Added{Added: 2, Already: 1}) {
		t.Errorf("%+v, %v", added2, err)
	}
	if err := series.In(d).Remove(t.Context(), owner, added.ID, before[0]); err != nil {
		t.Fatal(err)
	}
	if again, err := series.In(d).Add(t.Context(), owner, added.ID, []int64{before[0]}); err != nil || again.Added != 0 {
		t.Errorf("who was removed came in again: %+v, %v", again, err)
	}
	dbtest.Same(t, "by hand", in(t, d, added), []int64{before[1], late.ID})
}

func TestGoalEndsSeries(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, "added", "", "One")
	_, err := series.In(d).Update(t.Context(), owner, s.ID, func(s *rules.Series, own rules.Own) (rules.Edit, error) {
		form := s.Input(own.Fields)
		form.GoalTag = "bought"
		return s.Change(form, own, time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	launch(t, d, s, false)
	ids := dbtest.NewClients(t, d, owner, 3)
	dbtest.Exec(t, d, "UPDATE clients SET tags = '{Bought}' WHERE id = $1", ids[1])
	dbtest.Same(t, "under way", in(t, d, s), []int64{ids[0], ids[2]})
	dbtest.Same(t, "reason", dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE left_reason = 'goal' AND due_at IS NULL"), 1)
}

func TestLaunchWithThoseWhoQualify(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, owner, 4)
	dbtest.Exec(t, d, "UPDATE clients SET tags = '{vip}' WHERE id = ANY($1)", ids[:2])
	dbtest.Suppress(t, d, ids[1])
	s := newSeries(t, d, owner, "tag", "vip", "One")
	if p, err := series.In(d).Prospect(t.Context(), s, time.Now()); err != nil || p.Qualify != 1 || len(p.Expected) != 1 || p.Expected[0].Emails != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	launch(t, d, s, true)
	dbtest.Same(t, "to let in", dbtest.Number(t, d, "SELECT join_to FROM series WHERE id = $1", s.ID), ids[3])
	_, err := series.In(d).Launch(t.Context(), owner, s.ID, false, 0)
	dbtest.Refused(t, err, domain.Conflict, "mailings.launched_already")
}

func TestManyComeInAtOnceAndOutAgain(t *testing.T) {
	d := dbtest.New(t)
	owner, other := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "ben")
	ids := dbtest.NewClients(t, d, owner, 4)
	s := newSeries(t, d, owner, "manual", "", "One")
	dbtest.Suppress(t, d, ids[3])
	bulk := func(owner int64) domain.BulkAct {
		t.Helper()
		act, err := domain.NewBulkAct(owner, domain.BulkForm{Do: "series", Series: s.ID, IDs: ids})
		if err == nil {
			err = d.Bulk().Prepare(t.Context(), &act, db.ClientFilter{})
		}
		if err == nil {
			err = d.Bulk().Start(t.Context(), &act)
		}
		if err != nil {
			t.Fatal(err)
		}
		return act
	}
	bulk(other)
	dbtest.Same(t, "somebody else's", in(t, d, s), []int64{})
	act := bulk(owner)
	dbtest.Same(t, "in", in(t, d, s), ids[:3])
	dbtest.Exec(t, d, "UPDATE series_clients SET passed = '{1}' WHERE client_id = $1", ids[0])
	if err := d.Bulk().Undo(t.Context(), owner, act.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	dbtest.Same(t, "out again", in(t, d, s), []int64{})
	dbtest.Same(t, "known to have come in", dbtest.Numbers(t, d, "SELECT client_id FROM series_clients"), ids[:1])
}
