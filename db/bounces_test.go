package db_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// bounceOf reports one recipient.
func bounceOf(email, action string, code int, text string) domain.Report {
	return domain.Report{Kind: domain.ReportDelivery, Recipients: []domain.ReportedRecipient{
		{Final: email, Action: action, Answer: domain.NewAnswer(domain.StageRcpt, code, text)}}}
}

func dead(email string) domain.Report { return bounceOf(email, "failed", 550, "5.1.1 no such user") }
func full(email string) domain.Report { return bounceOf(email, "failed", 552, "5.2.2 mailbox full") }

var complaint = domain.Report{Kind: domain.ReportComplaint}

func receive(t testing.TB, d *db.DB, run int64, seq int, report domain.Report) {
	t.Helper()
	if err := d.Bounces().Receive(t.Context(), run, seq, report, fmt.Appendf(nil, "%d %d %+v", run, seq, report)); err != nil {
		t.Fatal(err)
	}
}

// reasons are why clients with the address get nothing, in the order of their numbers.
func reasons(t testing.TB, d *db.DB, email string) (all []string) {
	t.Helper()
	rows, err := d.Postgres().Pool.Query(t.Context(), "SELECT suppressed_reason FROM clients WHERE lower(email) = lower($1) ORDER BY id", email)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// marks are how many deliveries of a run have come back, and were called spam.
func marks(t testing.TB, d *db.DB, run int64) [2]int64 {
	t.Helper()
	row, err := d.Runs().Get(t.Context(), 0, run)
	if err != nil {
		t.Fatal(err)
	}
	return [2]int64{row.Bounced, row.Complained}
}

func wantReasons(t testing.TB, d *db.DB, email string, want ...string) {
	t.Helper()
	if got := reasons(t, d, email); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", email, got, want)
	}
}

func TestADeadAddressIsSuppressedForEverybody(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 3)
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 3)
	s := dbtest.NewSender(t, d)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	want := domain.Counts{Planned: 3, Accepted: 3}
	heard := dbtest.Listen(t, d, "suppressed")
	receive(t, d, run.ID, 2, dead("C002@x.example"))
	heard()
	wantReasons(t, d, "c002@x.example", "bounced", "bounced")
	wantReasons(t, d, "c001@x.example", "", "")
	dbtest.Counted(t, d, run.ID, want)
	if got := marks(t, d, run.ID); got != [2]int64{1, 0} {
		t.Errorf("%+v", got)
	}
	dbtest.Exec(t, d, "UPDATE clients SET suppressed_at = NULL, suppressed_reason = '' WHERE id = $1", ids[1])
	receive(t, d, run.ID, 2, dead("C002@x.example")) // the mail server did not hear our 250
	wantReasons(t, d, "c002@x.example", "", "bounced")
	list, total, err := d.Bounces().List(t.Context(), run.OwnerID, run.ID, db.PageOf(1))
	if err != nil || total != 1 || len(list) != 1 || list[0].Email != "c002@x.example" || list[0].Kind != domain.ReturnHard || list[0].Code != 550 {
		t.Errorf("%v %+v", err, list)
	}
	if list, _, _ := d.Bounces().List(t.Context(), run.OwnerID+1, run.ID, db.PageOf(1)); len(list) != 0 {
		t.Errorf("another owner reads %+v", list)
	}
	latest, err := d.Bounces().Latest(t.Context(), run.OwnerID+1, "c002@X.example")
	if err != nil || latest == nil || latest.RunID != 0 || latest.Class != domain.ClassDead {
		t.Errorf("%v %+v", err, latest)
	}
	if err := d.Bounces().Receive(t.Context(), run.ID, 4, dead("x@y"), nil); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a delivery that never was: %v", err)
	}
}

func TestThreeSoftBouncesInTwoWeeksSuppress(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 2)
	var runs []domain.Run
	for range 4 {
		runs = append(runs, dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday))
	}
	receive(t, d, runs[0].ID, 1, full("c001@x.example"))
	receive(t, d, runs[0].ID, 1, full("C001@x.example")) // once more of the same delivery
	receive(t, d, runs[1].ID, 1, full("c001@x.example"))
	receive(t, d, runs[2].ID, 1, bounceOf("c001@x.example", "failed", 550, "5.7.1 blocked as spam")) // says nothing of the address
	receive(t, d, runs[2].ID, 1, bounceOf("c001@x.example", "delayed", 450, "4.2.2 mailbox full"))
	wantReasons(t, d, "c001@x.example", "")
	dbtest.Exec(t, d, "UPDATE bounces SET at = now() - interval '15 days' WHERE run_id = $1", runs[0].ID)
	receive(t, d, runs[3].ID, 1, full("c001@x.example"))
	wantReasons(t, d, "c001@x.example", "") // the first was too long ago
	receive(t, d, dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday).ID, 1, full("c001@x.example"))
	wantReasons(t, d, "c001@x.example", "bounced")
	if got := marks(t, d, runs[2].ID); got[0] != 1 {
		t.Errorf("%+v", got)
	}
	receive(t, d, runs[1].ID, 1, dead("c001@x.example")) // worse news of a delivery that was soft
	if latest, _ := d.Bounces().Latest(t.Context(), ann, "c001@x.example"); latest == nil || latest.Kind != domain.ReturnHard || latest.RunID != runs[1].ID {
		t.Errorf("%+v", latest)
	}
}

func TestWordsThatNobodyKnowsSuppressNobody(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 2)
	for range 4 {
		run := dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday)
		receive(t, d, run.ID, 1, bounceOf("c001@x.example", "failed", 550, "5.0.0 not today"))
		receive(t, d, run.ID, 2, bounceOf("c002@x.example", "failed", 450, "4.4.1 connection timed out"))
	}
	wantReasons(t, d, "c001@x.example", "")
	wantReasons(t, d, "c002@x.example", "bounced")
}

func TestSoftBouncesAtTheSameTimeAreAllCounted(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 1)
	var runs []domain.Run
	for range 3 {
		runs = append(runs, dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday))
	}
	var all sync.WaitGroup
	for _, run := range runs {
		all.Go(func() { receive(t, d, run.ID, 1, full("c001@x.example")) })
	}
	all.Wait()
	wantReasons(t, d, "c001@x.example", "bounced")
}

func TestRepliesAndDelaysAreKeptAndMarkNothing(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	for range 2 {
		receive(t, d, run.ID, 1, domain.Report{Kind: domain.ReportReply})
		receive(t, d, run.ID, 1, domain.Report{Kind: domain.ReportOther})
		receive(t, d, run.ID, 1, bounceOf("c001@x.example", "delayed", 451, "4.4.1 no answer"))
		receive(t, d, run.ID, 1, bounceOf("c001@x.example", "relayed", 250, ""))
	}
	if got := marks(t, d, run.ID); got != [2]int64{} {
		t.Errorf("%+v", got)
	}
	wantReasons(t, d, "c001@x.example", "")
	list, _, _ := d.Bounces().List(t.Context(), 0, run.ID, db.PageOf(1))
	if len(list) != 4 {
		t.Errorf("%+v", list)
	}
	for i := range 20 { // a loop of automatic replies fills no disk
		receive(t, d, run.ID, 1, domain.Report{Kind: domain.ReportReply, Tokens: []string{fmt.Sprint(i)}})
	}
	if list, _, _ := d.Bounces().List(t.Context(), 0, run.ID, db.PageOf(1)); len(list) != 10 {
		t.Errorf("%d are kept", len(list))
	}
	dbtest.Exec(t, d, "UPDATE returns SET at = now() - interval '31 days' WHERE kind <> 'delayed'")
	if err := d.Bounces().Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, _, _ := d.Bounces().List(t.Context(), 0, run.ID, db.PageOf(1)); len(list) != 1 || list[0].Kind != domain.ReturnDelayed {
		t.Errorf("%+v", list)
	}
}

func TestAComplaintSuppressesForItsOwnerAndManyHoldTheRuns(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 5)
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 5)
	ann, s := run.OwnerID, dbtest.NewSender(t, d)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	other := dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday)
	receive(t, d, run.ID, 1, dead("c001@x.example"))
	receive(t, d, run.ID, 1, complaint) // bounced before: it is the person who counts
	wantReasons(t, d, "c001@x.example", "complained", "bounced")
	if err := d.Clients().Delete(t.Context(), ann, ids[1]); err != nil {
		t.Fatal(err)
	}
	receive(t, d, run.ID, 2, complaint)
	dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "c002@x.example"})
	wantReasons(t, d, "c002@x.example", "", "unsubscribed") // bob's, and ann's who was told to stop
	receive(t, d, run.ID, 2, complaint)
	if user, _ := d.Users().Get(t.Context(), ann); user.Held() {
		t.Fatal("held after two complaints")
	}
	heard := dbtest.Listen(t, d, "runs")
	receive(t, d, run.ID, 3, complaint)
	heard()
	user, err := d.Users().Get(t.Context(), ann)
	if err != nil || !user.Held() {
		t.Fatalf("%v: %+v", err, user)
	}
	if rate, err := d.Bounces().ComplaintRate(t.Context(), user); err != nil || rate != (db.ComplaintRate{Complaints: 3, Accepted: 5}) {
		t.Errorf("%v %+v", err, rate)
	}
	status := func(id int64, want domain.RunStatus, reason string) {
		t.Helper()
		if row, err := d.Runs().Get(t.Context(), ann, id); err != nil || row.Status != want || row.Reason != reason || !row.ResumeAt.IsZero() {
			t.Errorf("%v: %s %q, want %s %q", err, row.Status, row.Reason, want, reason)
		}
	}
	status(other.ID, domain.RunPaused, domain.ReasonComplaints)
	later := dbtest.Plan(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday)
	status(later.ID, domain.RunPaused, domain.ReasonComplaints)
	if err := outbox.New(d.Postgres()).Runs().Resume(t.Context(), dbtest.Monday.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	status(later.ID, domain.RunPaused, domain.ReasonComplaints) // by a manager alone

	boss := newUser(t, d, "boss", domain.RoleManager)
	if _, err := d.Users().Release(t.Context(), user, ann, time.Now()); domain.KindOf(err) != domain.Forbidden {
		t.Errorf("the owner releases: %v", err)
	}
	if user, err = d.Users().Release(t.Context(), boss, ann, dbtest.Monday.Add(time.Hour)); err != nil || user.Held() {
		t.Fatalf("%v %+v", err, user)
	}
	status(other.ID, domain.RunRunning, "")
	status(later.ID, domain.RunRunning, "")
	receive(t, d, run.ID, 4, complaint) // of a run that the manager has looked at
	if user, _ = d.Users().Get(t.Context(), ann); user.Held() {
		t.Error("held again for what was seen")
	}
	if again, err := d.Users().Release(t.Context(), boss, ann, time.Now()); err != nil || !again.ReleasedAt.Equal(dbtest.Monday.Add(time.Hour)) {
		t.Errorf("released twice: %v, %v", err, again.ReleasedAt)
	}
	dbtest.Counted(t, d, run.ID, domain.Counts{Planned: 5, Accepted: 5})
	if err := d.Users().Delete(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if left := dbtest.Numbers(t, d, "SELECT run_id FROM bounces UNION ALL SELECT run_id FROM returns"); len(left) != 0 {
		t.Errorf("of an owner who is gone there are %v", left)
	}
}

func BenchmarkReceive(b *testing.B) {
	d := dbtest.New(b)
	ann := dbtest.NewOwner(b, d, "ann")
	dbtest.NewClients(b, d, ann, 1000)
	run := dbtest.Plan(b, d, dbtest.NewLaunched(b, d, ann, nil).ID, dbtest.Monday)
	b.ResetTimer()
	for i := range b.N {
		receive(b, d, run.ID, i%1000+1, dead(fmt.Sprintf("c%03d@x.example", i%1000+1)))
	}
}

// What comes back counts against the day on which the email went out, once, and holds up how many a new account
// may send.
func TestReturnsCountForTheWarmUp(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 100)
	s := dbtest.NewSender(t, d)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	now := time.Now()
	dbtest.Exec(t, d, `UPDATE users SET created_at = $1 WHERE id = $2`, now.Add(-30*time.Hour), run.OwnerID)
	dbtest.Exec(t, d, `UPDATE attempts SET at = $1`, now.Add(-20*time.Hour)) // on its first day
	dbtest.Exec(t, d, `UPDATE attempts SET at = $1 WHERE seq = 100`, now)
	wantDays := func(want domain.OwnerDay, quota int) {
		t.Helper()
		warmUp, err := outbox.New(d.Postgres()).Batches().WarmUp(t.Context(), run.OwnerID, now.Add(-30*time.Hour), now)
		if err != nil || !slices.Equal(warmUp.Days, []domain.OwnerDay{want}) {
			t.Errorf("days %+v, %v; want %+v", warmUp.Days, err, want)
		}
		if got, bounded := (domain.OwnerLimits{FirstDay: 90, Growth: 2}).DailyQuota(warmUp); !bounded || got != quota {
			t.Errorf("%+v lets %d go, want %d", want, got, quota)
		}
	}
	for seq := range 4 {
		receive(t, d, run.ID, seq+1, dead(fmt.Sprintf("c%03d@x.example", seq+1)))
		receive(t, d, run.ID, seq+1, dead(fmt.Sprintf("c%03d@x.example", seq+1))) // said twice
	}
	receive(t, d, run.ID, 100, complaint) // of today
	receive(t, d, run.ID, 5, bounceOf("c005@x.example", "delayed", 450, "4.2.2 mailbox full"))
	wantDays(domain.OwnerDay{Sent: 99, Bounced: 4}, 198) // fewer than 5 %
	receive(t, d, run.ID, 5, full("c005@x.example"))
	receive(t, d, run.ID, 5, dead("c005@x.example")) // worse news of the same
	wantDays(domain.OwnerDay{Sent: 99, Bounced: 5}, 90)
	receive(t, d, run.ID, 6, complaint)
	receive(t, d, run.ID, 6, complaint)
	wantDays(domain.OwnerDay{Sent: 99, Bounced: 5, Complained: 1}, 90)
	dbtest.Exec(t, d, `UPDATE owner_days SET bounced = 0 WHERE day = 0`)
	wantDays(domain.OwnerDay{Sent: 99, Complained: 1}, 90) // one in a thousand is too many
}
