package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/domain/budgettest"
)

const token = "aeaskq7cmd5fowq3cy"

// returned is the head of the email that came back.
const returned = `Return-Path: <b+` + token + `@bounces.example.com>
From: Anna <news@example.com>
To: ivan@example.net
Subject: News
Message-ID: <` + token + `@example.com>
`

// delivery is a report of RFC 3464 with these groups of recipients.
func delivery(from, human, groups string) string {
	return `From: ` + from + `
To: b+` + token + `@bounces.example.com
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"

This is a MIME-encapsulated message.

--=_1
Content-Type: text/plain; charset=us-ascii

` + human + `

--=_1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Sender: rfc822; b+` + token + `@bounces.example.com
Original-Envelope-Id: ` + token + `

` + groups + `

--=_1
Content-Type: text/rfc822-headers

` + returned + `
--=_1--
`
}

var reports = []struct {
	name    string
	raw     string
	kind    domain.ReturnKind // for ivan@example.net
	class   domain.Class
	answer  string // a part of it
	noToken bool
}{
	{name: "postfix, a dead address", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.1 <ivan@example.net>: Recipient address rejected",
		raw: delivery("MAILER-DAEMON@mx.example.org (Mail Delivery System)", "I'm sorry to have to inform you that your message could not be delivered.",
			`Final-Recipient: rfc822; ivan@example.net
Original-Recipient: rfc822;ivan@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.net
Diagnostic-Code: smtp; 550 5.1.1 <ivan@example.net>: Recipient address
    rejected: User unknown in virtual mailbox table`)},
	{name: "postfix, local words", kind: domain.ReturnHard, class: domain.ClassDead, answer: "5.1.1 unknown user",
		raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: X-Postfix; unknown user: "ivan"`)},
	{name: "a full mailbox", kind: domain.ReturnSoft, class: domain.ClassFull, answer: "552 5.2.2",
		raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: RFC822; Ivan@Example.NET
Action: Failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox is over quota`)},
	{name: "given up after days", kind: domain.ReturnSoft, class: "network", answer: "450 4.4.1 connect to mail.example.net",
		raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mail.example.net[192.0.2.9]:25: Connection timed out`)},
	{name: "the sender is refused", kind: domain.ReturnBlocked, class: domain.ClassContent, answer: "550 5.7.1 Message rejected as spam",
		raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550 5.7.1 Message rejected as spam by Content Filtering`)},
	{name: "the diagnosis corrects the status", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.1 no mailbox",
		raw: delivery("postmaster@example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 #5.1.1 no mailbox here`)},
	{name: "the status completes the diagnosis", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.1 unwanted",
		raw: delivery("postmaster@example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1 (bad destination mailbox address)
Diagnostic-Code: smtp; 550 unwanted`)},
	{name: "delayed", kind: domain.ReturnDelayed,
		raw: delivery("MAILER-DAEMON@mx.example.org", "It will be retried until it is 5 days old.", `Final-Recipient: rfc822; ivan@example.net
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mail.example.net: Connection refused
Will-Retry-Until: Sat, 5 Dec 2026 10:00:00 +0000 (UTC)`)},
	{name: "relayed", kind: domain.ReturnOther, raw: delivery("MAILER-DAEMON@mx.example.org", "ok", `Final-Recipient: rfc822; ivan@example.net
Action: relayed
Status: 2.0.0`)},
	{name: "delivered and expanded", kind: domain.ReturnOther, raw: delivery("MAILER-DAEMON@mx.example.org", "ok", `Final-Recipient: rfc822; ivan@example.net
Action: delivered (to mailbox)
Status: 2.1.5

Final-Recipient: rfc822; team@example.net
Action: expanded
Status: 2.1.5`)},
	{name: "no action", kind: domain.ReturnHard, class: domain.ClassDead, raw: delivery("postmaster@example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Status: 5.1.1`)},
	{name: "several recipients, one of them meant", kind: domain.ReturnHard, class: domain.ClassDead, raw: delivery("postmaster@example.org", "sorry", `Final-Recipient: rfc822; olga@example.net
Action: delivered
Status: 2.0.0

Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; petr@example.net
Action: failed
Status: 5.2.2`)},
	{name: "forwarded to a dead address", kind: domain.ReturnSoft, class: domain.ClassDead, raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; old@example.org
Original-Recipient: rfc822;ivan@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown`)},
	{name: "a domain beyond ASCII", kind: domain.ReturnSoft, class: domain.ClassDead, answer: "5.1.1", raw: delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; ivan@xn--e1afmkfd.xn--p1ai
Action: failed
Status: 5.1.1`)},
	{name: "exchange", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
		raw: `From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>
To: <b+` + token + `@bounces.example.com>
Subject: Undeliverable: News
Auto-Submitted: auto-replied
X-MS-Exchange-Message-Is-Ndr:
Content-Type: multipart/report; report-type=delivery-status;
	boundary="a5"
MIME-Version: 1.0

--a5
Content-Type: multipart/alternative; differences=Content-Type; boundary="b6"

--b6
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to ivan@example.net couldn't be delivered.=0A=0Aivan wasn't found at example.net.

--b6
Content-Type: text/html

<html><body>Your message couldn't be delivered</body></html>

--b6--

--a5
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mx.example.org
Arrival-Date: Mon, 30 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822;ivan@example.net
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ivan@example.net not found by SMTP address lookup
X-Display-Name: ivan@example.net

--a5
Content-Type: message/rfc822

` + returned + `
Hello

--a5--
`},
	{name: "exim with a report", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.1 no such user here",
		raw: strings.Replace(delivery("Mail Delivery System <Mailer-Daemon@mx.example.org>", "A message that you sent could not be delivered", `Action: failed
Final-Recipient: rfc822;ivan@example.net
Status: 5.0.0
Remote-MTA: dns; mail.example.net
Diagnostic-Code: smtp; 550-5.1.1 no such user here`), "Auto-Submitted:", "X-Failed-Recipients: ivan@example.net\nAuto-Submitted:", 1)},
	{name: "exim in words", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 no such user here",
		raw: `X-Failed-Recipients: ivan@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: b+` + token + `@bounces.example.com
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ivan@example.net
    host mail.example.net [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<ivan@example.net>:
    550 no such user here

------ This is a copy of the message, including all the headers. ------

` + returned + "\n250 people read us\n"},
	{name: "exim, still trying", kind: domain.ReturnDelayed,
		raw: `X-Failed-Recipients: ivan@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
Subject: Warning: message 1abCde-000001-2F delayed 24 hours
Message-ID: <E1@mx.example.org>
In-Reply-To: <` + token + `@example.com>

A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue. The address to which it has not yet been delivered is:

  ivan@example.net
    host mail.example.net [192.0.2.7]: 451 4.7.1 try again later
`},
	{name: "qmail", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.1.1 Sorry, no mailbox here by that name",
		raw: `From: MAILER-DAEMON@mx.example.org
To: b+` + token + `@bounces.example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ivan@example.net>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

` + returned + `
Hello
`},
	{name: "qmail, remote", kind: domain.ReturnBlocked, class: domain.ClassReputation, answer: "554 5.7.1 blocked by spamhaus",
		raw: `From: MAILER-DAEMON@mx.example.org
To: b+` + token + `@bounces.example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.

<ivan@example.net>:
192.0.2.7 does not like recipient.
Remote host said: 554 5.7.1 blocked by spamhaus
Giving up on 192.0.2.7.
`},
	{name: "yandex", kind: domain.ReturnHard, class: domain.ClassDead, answer: "550 5.7.1 No such user!",
		raw: strings.Replace(delivery("mailer-daemon@yandex.ru", "Сообщение не доставлено.\nЯщик не существует.", `Final-Recipient: rfc822; ivan@example.net
Original-Recipient: rfc822;ivan@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.7.1 No such user!`), "us-ascii", "utf-8", 1)},
	{name: "mail.ru", kind: domain.ReturnSoft, class: domain.ClassFull, answer: "552 ",
		raw: `From: mailer-daemon@corp.mail.ru
To: b+` + token + `@bounces.example.com
Subject: =?utf-8?B?0J/QuNGB0YzQvNC+INC90LUg0LTQvtGB0YLQsNCy0LvQtdC90L4=?=
Content-Type: text/plain; charset=windows-1251
Content-Transfer-Encoding: 8bit
X-Failed-Recipients: ivan@example.net

**********************

  ivan@example.net
    552 Mailbox full

------ This is a copy of the message's headers ------
` + returned},
	{name: "a report without an end", kind: domain.ReturnHard, class: domain.ClassDead, raw: `From: MAILER-DAEMON@mx.example.org
To: b+` + token + `@bounces.example.com
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx

Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1`},
	{name: "a report without a boundary", kind: domain.ReturnHard, class: domain.ClassDead, raw: `From: MAILER-DAEMON@mx.example.org
To: b+` + token + `@bounces.example.com
Content-Type: multipart/report; report-type=delivery-status

Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1
`},
	{name: "a report inside a gateway's wrapping", kind: domain.ReturnHard, class: domain.ClassDead, raw: `From: scanner@example.com
To: fbl@bounces.example.com
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: text/plain

This email was scanned.

--outer
Content-Type: message/rfc822

` + delivery("MAILER-DAEMON@mx.example.org", "sorry", `Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1`) + `
--outer--
`},
	{name: "a complaint", kind: domain.ReturnComplaint, raw: `From: <abuse@example.net>
To: <fbl@example.com>
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="f"

--f
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from IP 192.0.2.1.

--f
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <b+` + strings.ToUpper(token) + `@bounces.example.com>

--f
Content-Type: message/rfc822
Content-Disposition: inline

From: Anna <news@example.com>
To: <redacted>
Message-ID: <redacted>

Hello
--f--
`},
	{name: "feedback that it is no spam", kind: domain.ReturnOther, raw: `From: <abuse@example.net>
To: <fbl@example.com>
Content-Type: multipart/report; report-type=feedback-report; boundary="f"

--f
Content-Type: message/feedback-report

Feedback-Type: not-spam
Version: 1

--f
Content-Type: message/rfc822

` + returned + `
--f--
`},
	{name: "a vacation answer", kind: domain.ReturnReply, raw: `From: ivan@example.net
To: b+` + token + `@bounces.example.com
Subject: Out of Office: 550 5.1.1 unknown user
Auto-Submitted: auto-replied (vacation)

I am away until 550. user unknown.
`},
	{name: "an answer that nothing marks but its Russian subject", kind: domain.ReturnReply, raw: `From: ivan@example.net
To: b+` + token + `@bounces.example.com
Subject: =?koi8-r?B?4dfUz8/U18XU?=: News

`},
	{name: "a vacation answer of a mail system", kind: domain.ReturnReply, raw: `From: postmaster@example.net
To: b+` + token + `@bounces.example.com
X-Autoreply: yes
Subject: We have got it

<ivan@example.net>: 550 unknown user
`},
	{name: "a person who answers", kind: domain.ReturnOther, raw: `From: ivan@example.net
To: b+` + token + `@bounces.example.com
Subject: Re: News

Please no more. Is 550 5.1.1 your number?
`},
	{name: "nothing", kind: domain.ReturnOther, raw: "", noToken: true},
	{name: "no email", kind: domain.ReturnOther, raw: "\x00\xff\r\n:::\r\n--", noToken: true},
}

func TestReports(t *testing.T) {
	for _, c := range reports {
		for _, raw := range []string{c.raw, strings.ReplaceAll(c.raw, "\n", "\r\n")} {
			report := Parse([]byte(raw))
			kind, answer := report.Return("ivan@example.net")
			if kind != c.kind {
				t.Errorf("%s: is %s, want %s: %+v", c.name, kind, c.kind, report)
				continue
			}
			if kind.Bounced() && answer.Class() != c.class {
				t.Errorf("%s: class %s of %q, want %s", c.name, answer.Class(), answer, c.class)
			}
			if !strings.Contains(answer.String(), c.answer) {
				t.Errorf("%s: answer %q, want %q in it", c.name, answer, c.answer)
			}
			if slices.Contains(report.Tokens, token) == c.noToken {
				t.Errorf("%s: tokens %q", c.name, report.Tokens)
			}
		}
	}
}

func TestTheEnvelopeOfAReportComesBeforeWhatItReturns(t *testing.T) {
	raw := strings.ReplaceAll(delivery("MAILER-DAEMON@mx.example.org", "sorry", "x: y"), "To: b+"+token, "To: b+abcdefghijklmnopqrst")
	if tokens := Parse([]byte(raw)).Tokens; len(tokens) != 2 || tokens[0] != "abcdefghijklmnopqrst" || tokens[1] != token {
		t.Errorf("tokens are %q", tokens)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range reports {
		f.Add([]byte(c.raw))
	}
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--a\nContent-Type: multipart/mixed; boundary=a\n\n", 60)))
	f.Add(bytes.Repeat([]byte("Final-Recipient: rfc822; a@b\nAction: failed\n\n"), 40))
	f.Fuzz(func(t *testing.T, raw []byte) {
		report := Parse(raw)
		if len(report.Recipients) > maxRecipients || len(report.Tokens) > maxTokens {
			t.Errorf("%d recipients and %d tokens", len(report.Recipients), len(report.Tokens))
		}
		for _, one := range report.Recipients {
			if one.Final == "" && one.Original == "" || len(one.Answer.Text) > 500 {
				t.Errorf("recipient %+v", one)
			}
		}
		kind, answer := report.Return("ivan@example.net")
		if kind.Bounced() && answer.Code/100 != 4 && answer.Code/100 != 5 {
			t.Errorf("%s with the answer %q", kind, answer)
		}
	})
}

// FuzzLongReports looks for an email that unfolds, made of one part again and again.
func FuzzLongReports(f *testing.F) {
	const multipart = "Content-Type: multipart/report; boundary=a\n\n--a\nContent-Type: message/delivery-status\n\n"
	for _, part := range []string{"Final-Recipient: rfc822; a@b\nAction: failed\n\n", "--a\nContent-Type: multipart/mixed; boundary=a\n\n", "=?utf-8?b?=\n", "<a@b>\n", "550 5.1.1 ",
		"a: b\n", " a\n", "--a\n\n", "aeaskq7cmd5fowq3cy", "=\n", "\x00", "a@", "<<", "X-Failed-Recipients: a@b, c@d\n", "Content-Type: text/plain; charset=utf-7\n"} {
		f.Add("", part, "", uint32(200_000))
		f.Add(multipart, part, "\n--a--\n", uint32(200_000))
		f.Add("From: mailer-daemon@a.b\nContent-Type: message/rfc822\n\n", part, "", uint32(200_000))
	}
	f.Fuzz(func(t *testing.T, before, part, after string, size uint32) {
		if room := min(int(size), 200_000) - len(before) - len(after); part != "" && room > 0 {
			raw := []byte(before + strings.Repeat(part, room/len(part)) + after)
			budgettest.Within(t, fmt.Sprintf("a report like %.50q and %.30q", before, part), func() { Parse(raw) })
		}
	})
}

func BenchmarkParse(b *testing.B) {
	raw := []byte(reports[0].raw)
	b.ReportAllocs()
	for range b.N {
		Parse(raw)
	}
}
