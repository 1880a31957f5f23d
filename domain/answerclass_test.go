package domain

import "testing"

// What mail servers have said to our kind, and whom it blames.
func TestClass(t *testing.T) {
	for _, c := range []struct {
		want  Class
		texts []string
	}{
		{ClassDead, []string{
			"550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in relay recipient table",
			"550 5.1.1 <spam.policy@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
			"550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos. https://support.example.com/mail/?p=NoSuchUser",
			"550 The email account that you tried to reach does not exist.",
			"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@example.org not found by SMTP address lookup",
			"550 5.1.2 <ann@example.org>: Host unknown",
			"553 5.1.3 bad address", "550 5.1.6 moved", "550 5.2.1 The email account that you tried to reach is disabled.",
			"550 5.7.1 No such user!",
			"550 5.1.0 user unknown",
			"550 Message was not accepted -- invalid mailbox. Local mailbox ann@example.org is unavailable: user not found",
			"552 1 Requested mail action aborted, mailbox not found",
			"554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [-5] - mta1.example.com",
			"550 sorry, no mailbox here by that name. (#5.1.1)",
			"550 no such user", "550 unknown user <ann@example.org>", "550 User ann unknown", "550 Account ann@example.org does not exist",
			"550 Unknown recipient", "550 Invalid recipient", "550 invalid e-mail address", "550 Unrouteable address", "551 user not local",
			"550 is not a known user here", "550 Recipient no longer exists", "550 нет такого пользователя", "550 Ящик не найден",
		}},
		{ClassMailbox, []string{
			"552 5.2.2 The email account that you tried to reach is over quota", "550 5.2.2 mailbox full", "552 Mailbox is full",
			"552 Mailbox size limit exceeded", "553 5.6.7 the address needs SMTPUTF8", "550 user is over quota",
		}},
		{ClassSender, []string{
			"550 You have exceeded the maximum of 100 mails per hour",
			"550 5.4.5 Daily user sending quota exceeded",
			"553 host listed in DNSBL, mail for user unknown blocked",
			"550 Verification failed for <me@example.com> No Such User Here Sender verify failed",
			"550 SPF: me@example.com is not allowed to send mail", "550 5.7.26 This mail has been blocked because the sender is unauthenticated",
			"550 DKIM signature does not verify", "550 DMARC check failed", "550 client host listed at cbl.example.org",
			"550 Administrative prohibition", "550 Reverse DNS lookup failed", "550 no PTR record", "550 your host is on our black list",
			"550 IP reputation too low", "550 invalid HELO", "550 Access denied", "550 5.4.1 Recipient address rejected: Access denied",
			"553 envelope sender domain must exist", "553 5.1.8 bad domain", "550 5.1.7 no such user", "550 5.1.0 sender rejected",
			"550 5.1.1 <me@example.com>: Sender address rejected: User unknown in local recipient table",
			"550 5.1.1 user unknown, blocked by policy", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
			"550 5.7.1 Unable to relay", "554 5.7.1 <ann@example.org>: Relay access denied", "550 relay not permitted",
			"553 sorry, that domain isn't in my list of allowed rcpthosts", "554 5.7.1 refused",
			"550 Requested action not taken: mailbox unavailable. Reject due to policy restrictions.",
		}},
		{ClassUnknown, []string{
			"550", "550 no", "550 refused", "550 5.3.2 system not accepting messages", "550 Requested action not taken: mailbox unavailable",
			"550 5.1.0 Address rejected.", "554 5.5.1 no valid recipients", "550 corporate mail only", "550 no such domain",
		}},
	} {
		for _, text := range c.texts {
			a := refusal(text)
			if got := a.Class(); got != c.want {
				t.Errorf("%s: got %s, want %s", a, got, c.want)
			}
			if got := a.HardBounce(); got != (c.want == ClassDead) {
				t.Errorf("%s: hard bounce %v", a, got)
			}
		}
	}
}

func refusal(text string) Answer {
	code := 100*int(text[0]-'0') + 10*int(text[1]-'0') + int(text[2]-'0')
	return NewAnswer(StageRcpt, code, text[3:])
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"550 no", "550 no", true},
		{"550 no", "554 no", false},
		{"550 no", "550 never", false},
		{"550 <ann@example.org> refused, id 7f3a", "550 <bob@example.org>: Refused; id 81bc", true},
		{"550 refused, see https://example.org/a?x", "550 refused, see https://example.org/b?y", true},
		{"550 5.3.2 try elsewhere", "550 5.3.2 go away", true},
		{"550 5.3.2 no", "550 5.3.0 no", false},
		{"550 5.3.2 no", "554 5.3.2 no", false},
		{"550 5.7.1 no", "554 5.7.26 sender rejected", true},
		{"550 your IP 192.0.2.1 is blocked", "553 SPF check failed", true},
		{"550 5.1.1 no such user", "550 5.1.1 no such user", false}, // nobody's row
		{"552 5.2.2 mailbox full", "552 5.2.2 mailbox full", false},
	} {
		a, b := refusal(c.a).Alike(), refusal(c.b).Alike()
		if got := a != "" && a == b; got != c.want {
			t.Errorf("%q and %q alike: %v (%q, %q)", c.a, c.b, got, a, b)
		}
	}
}
