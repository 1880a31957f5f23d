package engine

import (
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// When the hours of a mailing are over, nothing more leaves; when they begin again, the rest does, whichever process is
// there then, and also when the owner paused and resumed the mailing meanwhile.
func TestHoursEndInMidRun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 10 * time.Millisecond})})
	w.start(3)
	m, run := w.launched(1500, 0)
	w.exec(`UPDATE mailings SET timezone = 'UTC', window_from = '00:00', window_to = to_char(now() AT TIME ZONE 'UTC', 'HH24:MI') WHERE id = $1`, m.ID)
	if err := w.server.WaitEmails(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE runs SET opens_at = now() - interval '1 hour', closes_at = now() + interval '500 milliseconds' WHERE id = $1`, run.ID)
	var closes time.Time
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT closes_at FROM runs WHERE id = $1`, run.ID).Scan(&closes); err != nil {
		t.Fatal(err)
	}
	w.until("the run waits", func() bool {
		return w.count(`SELECT count(*) FROM runs WHERE status = 'paused' AND reason = 'window' AND resume_at = opens_at AND opens_at > now()`) == 1 &&
			w.count(`SELECT count(*) FROM batches WHERE instance_id IS NOT NULL`) == 0
	})
	for _, email := range w.server.Emails() {
		if email.EndOfData.After(closes.Add(time.Second)) {
			t.Fatalf("an email was sent %v after the hours", email.EndOfData.Sub(closes))
		}
	}
	held := len(w.server.Emails())
	if held == 1500 {
		t.Fatal("all was sent before the hours were over")
	}
	if _, err := w.db.Mailings().Pause(t.Context(), 1000, m.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Mailings().Resume(t.Context(), 1000, m.ID); err != nil {
		t.Fatal(err)
	}
	w.until("it waits again", func() bool {
		return w.count(`SELECT count(*) FROM runs WHERE status = 'paused' AND reason = 'window'`) == 1
	})
	w.stop()
	w.start(3)
	if now := len(w.server.Emails()); now != held {
		t.Errorf("%d emails left outside the hours", now-held)
	}
	w.exec(`UPDATE runs SET opens_at = now(), closes_at = now() + interval '1 hour', resume_at = now() WHERE id = $1`, run.ID)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 1500, Accepted: 1500})
	w.wantOnce(1500)
}

// What does not fit into the hours is not sent when the owner wants it so.
func TestHoursExpire(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 10 * time.Millisecond})})
	w.start(3)
	_, run := w.launched(1500, 0)
	if err := w.server.WaitEmails(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE runs SET opens_at = now() - interval '1 hour', closes_at = now() + interval '300 milliseconds', window_end = now() + interval '300 milliseconds' WHERE id = $1`, run.ID)
	row := w.closed(run.ID)
	if row.Reason != domain.ReasonWindowOver || row.Accepted == 0 || row.Expired == 0 || row.Accepted+row.Expired != 1500 {
		t.Errorf("%s: %+v", row.Reason, row.Counts)
	}
}
