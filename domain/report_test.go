package domain

import "testing"

func TestTooManyComplaints(t *testing.T) {
	for _, c := range []struct {
		complaints, accepted int64
		want                 bool
	}{
		{0, 0, false}, {2, 10, false}, {3, 10, true}, {3, 0, true}, {3, 999, true}, {3, 1000, false}, {300, 100_000, false}, {301, 100_000, true},
	} {
		if got := TooManyComplaints(c.complaints, c.accepted); got != c.want {
			t.Errorf("%d complaints of %d emails: %v, want %v", c.complaints, c.accepted, got, c.want)
		}
	}
}

func TestTheWorstWordAboutARecipientCounts(t *testing.T) {
	dead, full := Answer{StageRcpt, 550, "5.1.1 no such user"}, Answer{StageRcpt, 552, "5.2.2 mailbox full"}
	spam, gaveUp := Answer{StageRcpt, 554, "5.7.1 looks like spam"}, Answer{StageRcpt, 450, "4.1.1 no such user"}
	to := func(final, action string, a Answer) ReportedRecipient {
		return ReportedRecipient{Original: "ivan@example.net", Final: final, Action: action, Answer: a}
	}
	for _, c := range []struct {
		name string
		all  []ReportedRecipient
		want ReturnKind
	}{
		{"none", nil, ReturnOther},
		{"dead", []ReportedRecipient{to("Ivan@example.net", "failed", dead)}, ReturnHard},
		{"dead, no final address", []ReportedRecipient{to("", "failed", dead)}, ReturnHard},
		{"dead behind a forwarding", []ReportedRecipient{to("olga@example.org", "failed", dead)}, ReturnSoft},
		{"dead, for now", []ReportedRecipient{to("ivan@example.net", "failed", gaveUp)}, ReturnSoft},
		{"dead, still tried", []ReportedRecipient{to("ivan@example.net", "delayed", dead)}, ReturnDelayed},
		{"full", []ReportedRecipient{to("ivan@example.net", "failed", full)}, ReturnSoft},
		{"spam", []ReportedRecipient{to("ivan@example.net", "failed", spam)}, ReturnBlocked},
		{"delivered", []ReportedRecipient{to("ivan@example.net", "delivered", Answer{})}, ReturnOther},
		{"several", []ReportedRecipient{to("a@example.org", "relayed", Answer{}), to("b@example.org", "failed", spam),
			to("ivan@example.net", "failed", dead), to("c@example.org", "failed", full)}, ReturnHard},
	} {
		report := Report{Kind: ReportDelivery, Recipients: c.all}
		if got, _ := report.Return("ivan@example.net"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
