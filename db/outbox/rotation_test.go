package outbox_test

import (
	"testing"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// A mailing of two messages sends one after the other, with the number and the date of the run, and ends with the last,
// which its owner is told.
func TestPlanRotation(t *testing.T) {
	d := dbtest.New(t)
	box := outbox.New(d.Postgres())
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 3)
	first := dbtest.NewMessage(t, d, ann, "Issue {{issue}}", "Of {{date}}")
	second := dbtest.NewMessage(t, d, ann, "And {{issue}}", "The end")
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) {
		f.MessageID, f.MessageIDs, f.RotationStops = first.ID, []int64{first.ID, second.ID}, true
	})
	if err := d.Messages().Delete(t.Context(), ann, second.ID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("a message that is to come can be deleted: %v", err)
	}
	s := dbtest.NewSender(t, d)
	for i, want := range []struct{ subject, body string }{{"Issue 1", "Of January 6, 2031"}, {"And 2", "The end"}} {
		run := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, i))
		if run.Subject != want.subject || run.Body != want.body || run.Issue != i+1 {
			t.Errorf("run %d: %q, %q, issue %d", i+1, run.Subject, run.Body, run.Issue)
		}
		s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
		if err := box.Runs().Close(t.Context(), run.ID, dbtest.Monday.AddDate(0, 0, i)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := d.Mailings().Get(t.Context(), ann, m.ID)
	if err != nil || m.Status != domain.Finished {
		t.Errorf("%v, the mailing is %s", err, m.Status)
	}
	if told := dbtest.Number(t, d, `SELECT count(*) FROM river_job WHERE args ->> 'email' = 'rotation'`); told != 1 {
		t.Errorf("the owner was told %d times", told)
	}
}
