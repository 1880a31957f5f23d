package jobs

import (
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// Of each date its owner is told once, with a way to skip it; not of one that was launched within the day, nor of
// others than those who want it.
func TestNotices(t *testing.T) {
	w, work := mailbox(t)
	ann, bob := dbtest.NewOwner(t, w.DB, "ann"), dbtest.NewOwner(t, w.DB, "bob")
	dbtest.NewClients(t, w.DB, ann, 3)
	weekly := func(owner int64) domain.Mailing {
		m := dbtest.NewLaunched(t, w.DB, owner, func(f *domain.MailingForm) {
			f.Name, f.StartAt, f.Timezone, f.Periodicity = "News", "2031-01-06T09:00", "Europe/Berlin", "weekly"
		})
		dbtest.Exec(t, w.DB, `UPDATE mailings SET launched_at = '2031-01-01' WHERE id = $1`, m.ID)
		return m
	}
	news, others := weekly(ann), weekly(bob)
	dbtest.Exec(t, w.DB, `UPDATE users SET no_notices = true WHERE id = $1`, bob)
	asked := func(now string) (jobs []domain.MailJob) {
		t.Helper()
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		dbtest.Exec(t, w.DB, `DELETE FROM river_job`)
		if err := w.DB.Mailings().Notify(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		rows, err := w.DB.Postgres().Pool.Query(t.Context(), `SELECT (args->>'mailing_id')::bigint, coalesce((args->>'occurrence_no')::int, 0), (args->>'user_id')::bigint FROM river_job WHERE args->>'email' = 'notice' ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			job := domain.MailJob{Email: domain.MailNotice}
			if err := rows.Scan(&job.MailingID, &job.OccurrenceNo, &job.UserID); err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, job)
		}
		return jobs
	}
	if got := asked("2031-01-05T07:59:00Z"); len(got) != 0 {
		t.Errorf("more than a day before: %+v", got)
	}
	got := asked("2031-01-05T08:00:00Z")
	if want := (domain.MailJob{Email: domain.MailNotice, UserID: ann, MailingID: news.ID}); len(got) != 1 || got[0] != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	emails := work(got[0])
	if len(emails) != 1 || !strings.Contains(emails[0].Text, "“News” goes out on Monday, 6 January 2031, 09:00 (Europe/Berlin). Recipients: 3.") ||
		!strings.Contains(emails[0].Text, "https://sky.example/mailings/1/dates/0") || emails[0].GetHeader("Auto-Submitted") != "auto-generated" {
		t.Fatalf("%+v", emails[0].Text)
	}
	if got := asked("2031-01-05T08:01:00Z"); len(got) != 0 {
		t.Errorf("again: %+v", got)
	}
	skip := func(no int) {
		t.Helper()
		if _, err := w.DB.Mailings().Update(t.Context(), ann, news.ID, func(m *domain.Mailing) error { return m.Skip(no, time.Now()) }); err != nil {
			t.Fatal(err)
		}
	}
	skip(0)
	if emails := work(got[0]); len(emails) != 0 {
		t.Errorf("a date that was skipped: %s", emails[0].Text)
	}
	skip(1)
	if got := asked("2031-01-19T09:00:00Z"); len(got) != 1 || got[0].OccurrenceNo != 2 || got[0].MailingID == others.ID {
		t.Errorf("after two that are skipped: %+v", got)
	}
	dbtest.Exec(t, w.DB, `UPDATE mailings SET launched_at = '2031-01-05T08:00:01Z', noticed_until = NULL, exceptions = NULL, next_run_at = '2031-01-06T08:00:00Z' WHERE id = $1`, news.ID)
	if got := asked("2031-01-05T12:00:00Z"); len(got) != 0 {
		t.Errorf("launched within the day: %+v", got)
	}
}
