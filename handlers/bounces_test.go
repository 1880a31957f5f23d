package handlers

import (
	"fmt"
	"testing"

	"skychimp/domain"
)

// comesBack has a report come in for the n-th delivery of a run.
func (w *env) comesBack(t *testing.T, run domain.Run, seq int, report domain.Report) {
	t.Helper()
	if err := w.db.Bounces().Receive(t.Context(), run.ID, seq, report, fmt.Appendf(nil, "Subject: report <%d>", seq)); err != nil {
		t.Fatal(err)
	}
}

func bounced(email string, code int, text string) domain.Report {
	return domain.Report{Kind: domain.ReportDelivery, Recipients: []domain.ReportedRecipient{
		{Final: email, Action: domain.ActionFailed, Answer: domain.NewAnswer(domain.StageRcpt, code, text)}}}
}

func TestWhatCameBackIsShown(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	manager := w.as(t, w.user(t, "mia", domain.RoleManager))
	first := w.client(t, user.ID, "c1@example.com")
	w.client(t, user.ID, "c2@example.com")
	run := w.sent(t, w.mailing(t, user.ID), domain.OutcomeAccepted, domain.OutcomeAccepted)
	path := fmt.Sprint("/runs/", run.ID)
	not(t, b.get(path).is(t, 200), "count-bounced", "/bounces")
	b.get(path+"/bounces").is(t, 200, "Nothing has come back")

	w.comesBack(t, run, 1, bounced("c1@example.com", 550, "5.1.1 no such <user>"))
	w.comesBack(t, run, 2, domain.Report{Kind: domain.ReportComplaint})
	b.get(path).is(t, 200, `class="count-accepted">2<`, `class="count-bounced">1<`, `class="count-complained">1<`, path+"/bounces")
	for _, reader := range []*browser{b, manager} {
		reader.get(path+"/bounces").is(t, 200, "c1@example.com", "No such mailbox", "550 5.1.1 no such &lt;user&gt;", "report &lt;1&gt;", "c2@example.com", "Spam")
	}
	other.get(path+"/bounces").is(t, 404)
	b.get(fmt.Sprint("/mailings/", run.MailingID)).is(t, 200, `class="count-bounced">1<`)
	b.get(fmt.Sprint("/clients/", first.ID)).is(t, 200, "there is no such mailbox", path+"/bounces", "/retry")
	b.get(fmt.Sprint("/clients/", first.ID+1)).is(t, 200, "as spam")
	not(t, b.get(fmt.Sprint("/clients/", first.ID+1)), "/retry")
}

func TestAManagerLooksAtComplaints(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	mia := w.user(t, "mia", domain.RoleManager)
	manager := w.as(t, mia)
	for i := range 4 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i))
	}
	run := w.sent(t, w.mailing(t, user.ID), domain.OutcomeAccepted, domain.OutcomeAccepted, domain.OutcomeAccepted)
	not(t, manager.get("/manager/users").is(t, 200), "status=held\"")
	for seq := 1; seq <= 3; seq++ {
		w.comesBack(t, run, seq, domain.Report{Kind: domain.ReportComplaint})
	}
	path := fmt.Sprint("/runs/", run.ID)
	owner.get(path).is(t, 200, "until a manager", `class="count-complained">3<`)
	release := fmt.Sprintf("/manager/users/%d/release", user.ID)
	manager.get("/manager/users").is(t, 200, "/manager/users?status=held", release)
	manager.get("/manager/users?status=held").is(t, 200, release, "ann@people.example")
	not(t, manager.get("/manager/users?status=held"), "mia@people.example")
	owner.post(release).is(t, 403)
	not(t, manager.htmx().post(release).is(t, 200, fmt.Sprintf(`id="user-%d"`, user.ID)), release)
	not(t, owner.get(path).is(t, 200), "until a manager")
	manager.post(release).is(t, 303) // twice as well as once
	w.logged(t, "mia@people.example release ann@people.example: ")
}
