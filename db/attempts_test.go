package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func TestAttempts(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 4)
	other, _ := dbtest.NewRun(t, d, "bob", 2)
	s := dbtest.NewSender(t, d)
	emails := s.Fetch(run.ID)
	s.All(run.ID, emails[:1], domain.OutcomeAccepted)
	s.All(run.ID, emails[1:2], domain.OutcomeFailed)
	s.All(run.ID, emails[2:3], domain.OutcomeDeferred)
	s.All(run.ID, emails[3:], domain.OutcomeSuppressed)
	if err := outbox.New(d.Postgres()).Batches().ReopenRetries(t.Context(), dbtest.Monday.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	next := dbtest.Plan(t, d, run.MailingID, dbtest.Monday.AddDate(0, 0, 1))
	s.All(next.ID, s.Fetch(next.ID)[:1], domain.OutcomeAccepted)
	s.All(other.ID, s.Fetch(other.ID)[:1], domain.OutcomeAccepted)

	ann, mailing := run.OwnerID, run.MailingID
	line := func(run domain.Run, seq, n int, status domain.AttemptStatus) string {
		return fmt.Sprintf("%d.%d.%d %s", run.ID, seq, n, status)
	}
	of1, of2, of3, of31 := line(run, 1, 1, "accepted"), line(run, 2, 1, "failed"), line(run, 3, 1, "deferred"), line(run, 3, 2, "accepted")
	new1, bob1 := line(next, 1, 1, "accepted"), line(other, 1, 1, "accepted")
	tests := []struct {
		name   string
		filter db.AttemptFilter
		want   []string
	}{
		{"own", db.AttemptFilter{OwnerID: ann}, []string{new1, of31, of3, of2, of1}},
		{"everybody's", db.AttemptFilter{}, []string{new1, bob1, of31, of3, of2, of1}},
		{"a mailing", db.AttemptFilter{OwnerID: ann, MailingID: mailing}, []string{new1, of31, of3, of2, of1}},
		{"a foreign mailing", db.AttemptFilter{OwnerID: ann, MailingID: other.MailingID}, []string{}},
		{"a run", db.AttemptFilter{OwnerID: ann, RunID: run.ID}, []string{of31, of3, of2, of1}},
		{"a foreign run", db.AttemptFilter{OwnerID: other.OwnerID, RunID: run.ID}, []string{}},
		{"accepted", db.AttemptFilter{OwnerID: ann, Status: domain.Accepted}, []string{new1, of31, of1}},
		{"failed", db.AttemptFilter{OwnerID: ann, Status: domain.Failed}, []string{of2}},
		{"deferred", db.AttemptFilter{Status: domain.Deferred}, []string{of3}},
		{"unknown", db.AttemptFilter{Status: domain.Unknown}, []string{}},
		{"a client", db.AttemptFilter{OwnerID: ann, ClientID: ids[2]}, []string{of31, of3}},
		{"a client's of a mailing", db.AttemptFilter{OwnerID: ann, ClientID: ids[0], MailingID: mailing}, []string{new1, of1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, more, err := d.Attempts().List(t.Context(), tt.filter)
			got := []string{}
			for _, row := range rows {
				got = append(got, line(domain.Run{ID: row.RunID}, row.Seq, row.N, row.Status))
			}
			if err != nil || more || !slices.Equal(got, tt.want) {
				t.Errorf("%v, more %v: %q, want %q", err, more, got, tt.want)
			}
		})
	}
	rows, _, _ := d.Attempts().List(t.Context(), db.AttemptFilter{OwnerID: ann, Status: domain.Failed})
	if row := rows[0]; row.MailingID != mailing || row.MailingName != "News" || row.Code != 550 || row.Answer != "5.7.1 Sender blocked" ||
		row.Email != "c002@x.example" || row.ClientID != ids[1] || row.At.IsZero() {
		t.Errorf("%+v", row)
	}
}

func TestAttemptsPages(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", db.PageSize+5)
	s := dbtest.NewSender(t, d)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	next := dbtest.Plan(t, d, run.MailingID, dbtest.Monday.AddDate(0, 0, 1))
	s.All(next.ID, s.Fetch(next.ID), domain.OutcomeAccepted)
	seen := map[string]bool{}
	sizes := []int{}
	for page, more := 1, true; more; page++ {
		var rows []db.AttemptRow
		var err error
		rows, more, err = d.Attempts().List(t.Context(), db.AttemptFilter{OwnerID: run.OwnerID, Page: db.PageOf(page)})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			seen[fmt.Sprint(row.RunID, row.Seq)] = true
		}
		sizes = append(sizes, len(rows))
	}
	if want := []int{db.PageSize, db.PageSize, 10}; !slices.Equal(sizes, want) || len(seen) != 2*(db.PageSize+5) {
		t.Errorf("pages of %v with %d attempts", sizes, len(seen))
	}
	if rows, more, err := d.Attempts().List(t.Context(), db.AttemptFilter{Page: db.PageOf(99)}); err != nil || more || len(rows) != 0 {
		t.Errorf("beyond the end: %v %v %d", err, more, len(rows))
	}
}

func TestDeliveries(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", db.PageSize+3)
	s := dbtest.NewSender(t, d)
	emails := s.Fetch(run.ID)
	s.All(run.ID, emails[:1], domain.OutcomeDeferred)
	if err := outbox.New(d.Postgres()).Batches().Release(t.Context(), s.Self.ID, run.ID, []int32{1}); err != nil {
		t.Fatal(err)
	}
	emails = append(emails[:1], s.Fetch(run.ID)...)
	s.All(run.ID, emails[1:3], domain.OutcomeFailed)
	rows, more, err := d.Runs().Deliveries(t.Context(), run.ID, "", db.PageOf(1))
	if err != nil || !more || len(rows) != db.PageSize {
		t.Fatal(err, more, len(rows))
	}
	if rows[0].Answer != "4.7.1 Later" || rows[0].Code != 451 || rows[0].Outcome != domain.OutcomeDeferred || rows[0].Tries != 1 || rows[0].ClientID != ids[0] {
		t.Errorf("%+v", rows[0])
	}
	if rows[3].Answer != "" || rows[3].Outcome != domain.OutcomeQueued || rows[3].Seq != 4 {
		t.Errorf("%+v", rows[3])
	}
	if rows, more, err = d.Runs().Deliveries(t.Context(), run.ID, "", db.PageOf(2)); err != nil || more || len(rows) != 3 || rows[0].Seq != db.PageSize+1 {
		t.Errorf("page 2: %v %v %d", err, more, len(rows))
	}
	if rows, more, err = d.Runs().Deliveries(t.Context(), run.ID, domain.OutcomeFailed, db.PageOf(1)); err != nil || more || len(rows) != 2 || rows[1].Seq != 3 {
		t.Errorf("failed: %v %v %+v", err, more, rows)
	}
}
