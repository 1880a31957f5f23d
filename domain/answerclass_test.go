package domain

import "testing"

// What mail servers have said, and what it means. kept are dead addresses by their class whose clients stay all the
// same.
func TestClass(t *testing.T) {
	rows := 0
	for _, c := range []struct {
		want Class
		hard bool
		says []string
	}{
		{ClassDead, true, []string{
			// Gmail
			"550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos. https://support.example.com/mail/?p=NoSuchUser",
			"550 The email account that you tried to reach does not exist.",
			// Outlook, Exchange
			"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@example.org not found by SMTP address lookup",
			"550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
			"550 5.1.1 User unknown",
			// Yahoo, AOL
			"554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [-5] - mta1.example.com",
			"550 5.1.1 <ann@aol.com>: Recipient address rejected: aol.com",
			// Mail.ru
			"550 Message was not accepted -- invalid mailbox. Local mailbox ann@example.org is unavailable: user not found",
			"550 Message was not accepted -- invalid mailbox.  Local mailbox ann@mail.ru is unavailable: user is not found",
			"550 user not found",
			// Yandex
			"550 5.7.1 No such user!",
			"550 5.7.1 No such user! 1700000000-abcdef",
			"550 5.1.1 <ann@yandex.ru> Recipient not found; see https://example.com/r",
			// GMX, WEB.DE, T-Online
			"550 Requested action not taken: mailbox unavailable. No such user here",
			"550 5.1.1 Unknown recipient",
			"550-5.1.1 user unknown",
			// iCloud
			"550 5.1.1 <ann@icloud.com>: user does not exist",
			"550 5.1.6 recipient no longer on server: ann@me.com",
			// Postfix
			"550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in relay recipient table",
			"550 5.1.1 <spam.policy@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
			"550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in local recipient table",
			"550 5.1.0 user unknown",
			"550 5.1.1 <ann@example.org>: Recipient address rejected: undeliverable address: unknown user: \"ann\"",
			// Exim, cPanel
			"550 No Such User Here", "550 Unrouteable address", "550 Unknown user", "550 unknown user <ann@example.org>", "550 User ann unknown",
			"550-No Such User Here", "550 Account ann@example.org does not exist",
			// qmail and others
			"550 sorry, no mailbox here by that name. (#5.1.1)", "550 5.1.1 sorry, no mailbox here by that name",
			"552 1 Requested mail action aborted, mailbox not found",
			"550 no such user", "550 Unknown recipient", "550 Invalid recipient", "550 invalid recipient ann", "550 invalid e-mail address", "551 user not local",
			"550 is not a known user here", "550 Recipient no longer exists", "550 Recipient not found", "550 #5.1.0 Address rejected. No such mailbox",
			"550 5.1.2 <ann@example.org>: Host unknown", "553 5.1.3 bad address", "550 5.1.3 Invalid address", "550 5.1.6 moved", "550 bad destination mailbox address",
			"550 Addressee unknown", "550 mailbox unknown", "550 Not a valid recipient", "550 invalid mailbox ann: user not found", "550 There is no user by that name",
			"550 Nobody by that name", "550 user invalid", "553 no such recipient", "554 Recipient address does not exist", "550 This address does not exist",
			// Russian
			"550 нет такого пользователя", "550 Ящик не найден", "550 Нет такого почтового ящика", "550 Пользователь не существует", "550 Адресат не найден",
			"550 5.7.1 Такого пользователя не существует", "550 Неизвестный получатель", "550 Такого ящика нет", "550 Получатель не найден",
		}},
		{ClassInactive, true, []string{
			"550 5.2.1 The email account that you tried to reach is disabled.",
			"550 5.2.1 The email account that you tried to reach is inactive. For more information, go to https://support.example.com",
			"550 5.2.1 mailbox disabled", "550 5.2.1 Mailbox unavailable", "550 5.1.1 this account has been suspended", "550 5.2.1 <ann@icloud.com>: inactive mailbox",
			"550 5.2.1 Ящик отключен",
		}},
		{ClassInactive, false, []string{
			"554 30 Sorry, your message to ann@example.org cannot be delivered. This mailbox is disabled (554.30).", "550 Mailbox is inactive", "550 account disabled", "550 User account is disabled", "550 The user account has been deactivated", "554 inactive user",
			"550 account is suspended", "550 user suspended", "550 Ящик заблокирован", "550 Учетная запись отключена", "550 mailbox closed", "450 4.2.1 mailbox disabled",
			"550 This account has expired", "550 Аккаунт заморожен",
			"550 Message was not accepted. Local mailbox is unavailable: account is disabled",
		}},
		{ClassFull, false, []string{
			"552 5.2.2 The email account that you tried to reach is over quota", "452 4.2.2 The recipient's inbox is out of storage space",
			"550 5.2.2 mailbox full", "552 Mailbox is full", "552 Mailbox size limit exceeded", "550 user is over quota", "552 5.2.2 Over quota",
			"550 5.2.2 STOREDRV.Deliver; mailbox full", "552 1 Requested mail action aborted: exceeded storage allocation. Mailbox full", "554 Quota exceeded for the mailbox: mailbox full",
			"552 Ящик переполнен", "550 Почтовый ящик пользователя переполнен", "552 Превышена квота почтового ящика", "452 4.2.2 Mailbox full", "550 recipient's mailbox is full",
		}},
		{ClassUnwritable, false, []string{"553 5.6.7 the address needs SMTPUTF8", "550 5.6.7 no UTF-8 addresses"}},
		{ClassSize, false, []string{
			"552 5.3.4 too large", "552 5.3.4 Message size exceeds fixed limit", "552 5.3.4 Your message exceeded Google's message size limits", "552 5.2.3 message length exceeds the maximum",
			"550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "552 Message too large", "552 Message size exceeds maximum permitted", "554 message too big",
			"552 #5.3.4 message header size exceeds limit", "552 Слишком большое письмо: размер письма превышает допустимый",
		}},
		{ClassGreylist, false, []string{
			"450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example.org", "451 4.7.1 greylisted", "451 Greylisting in action, please come back later",
			"450 4.7.1 Graylisted, try again in 300 seconds", "451 Resources restricted: greylisted for 5 minutes",
		}},
		{ClassSenderLimit, false, []string{
			"550 You have exceeded the maximum of 100 mails per hour", "550 5.4.5 Daily user sending quota exceeded", "550 5.4.5 Daily SMTP relay limit exceeded",
			"454 4.7.0 Throttling failure: Maximum sending rate exceeded", "454 Throttling failure: Daily message quota exceeded", "550 Domain example.org has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.",
			"554 5.7.1 hourly quota exceeded", "451 your daily quota is used up", "550 sending quota exceeded", "550 Превышен лимит отправки", "550 5.7.0 Вы превысили лимит писем", "452 4.4.5 sending limit reached",
		}},
		{ClassRate, false, []string{
			"421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited.",
			"550 5.7.28 rate", "450 4.2.1 The user you are trying to contact is receiving mail too quickly", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
			"451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.example.com (S775)",
			"421 RP-001 The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed.", "451 4.7.500 Server busy. Please try again later",
			"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1", "421 4.7.0 too many emails on this connection",
			"450 4.7.1 ratelimit: too many messages, slow down", "421 Too many concurrent SMTP connections; please try again later", "450 slow down", "451 4.7.1 try later", "421 too many connections from your host",
			"452 too many recipients", "550 Too many messages from you", "550 Слишком много писем с вашего адреса", "450 4.7.1 Отправка слишком часто", "421 Превышено количество соединений",
			"450 4.7.1 <ann@icloud.com>: message throttled", "554 rate exceeded",
		}},
		{ClassContent, false, []string{
			"554 5.7.1 Message rejected under suspicion of SPAM; https://ya.example/abuse", "550 spam message rejected. Please visit http://help.example.ru/notspam or report details to abuse@example.ru",
			"550 5.7.1 Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam, this message has been blocked.", "552 5.7.0 This message was blocked because its content presents a potential security issue.",
			"550 5.7.1 Message contains a virus", "554 5.7.1 looks like spam", "550 High probability of spam", "554 Transaction failed: Spam message not queued", "550 message content rejected",
			"554 5.7.1 Blocked by SURBL: the domain of a url in the body", "554 5.6.0 Message contains prohibited content", "554 5.7.1 phishing detected", "550 Письмо похоже на спам", "554 5.7.1 Обнаружен вирус",
			"550 5.7.1 This message has been rejected by SpamAssassin", "554 Message refused: bulk mail",
		}},
		{ClassAuthentication, false, []string{
			"550 SPF: me@example.com is not allowed to send mail", "550 5.7.26 This mail has been blocked because the sender is unauthenticated", "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.",
			"550 DKIM signature does not verify", "550 DMARC check failed", "550 5.7.23 The message was rejected because of Sender Policy Framework violation", "550 5.7.20 no passing signature", "550 5.7.1 Email rejected per DMARC policy for example.com",
			"550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification", "554 5.7.9 Message not accepted for policy reasons. See DMARC", "550 5.7.1 SPF check failed", "421 4.7.26 This mail is unauthenticated",
			"550 5.7.30 rejected", "554 5.7.5 Permanent error evaluating DMARC policy", "550 Отклонено: SPF отправителя не совпадает",
		}},
		{ClassHost, false, []string{
			"550 Reverse DNS lookup failed", "550 no PTR record", "550 invalid HELO", "550 5.7.25 The IP address sending this message does not have a PTR record setup", "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]",
			"450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
			"554 Bad DNS PTR resource record.", "550 dynamic IP addresses are not welcome", "550 Нет обратной зоны DNS",
		}},
		{ClassReputation, false, []string{
			"553 host listed in DNSBL, mail for user unknown blocked", "550 client host listed at cbl.example.org", "550 your host is on our black list", "550 IP reputation too low",
			"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1",
			"550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
			"550 5.7.1 Our system has detected that this message is likely suspicious due to the very low reputation of the sending IP address.", "554 5.7.1 you are a spammer", "550 rejected by RBL", "554 Your IP is blocked",
			"550 Sender IP has bad reputation", "550-JunkMail rejected - mail.example.com [192.0.2.1] is in an RBL: https://example.org", "554 IP address is blocked", "550 Ваш IP в черном списке", "550 5.7.1 Низкая репутация IP",
			"554 Transaction failed Reject due to abuse", "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", "554 mx1.example.com (mxgmx001) Nemesis ESMTP Service not available: IP address is block listed.",
			"550 5.1.1 user unknown, your IP is blacklisted",
		}},
		{ClassRelay, false, []string{
			"550 5.7.1 Unable to relay", "554 5.7.1 <ann@example.org>: Relay access denied", "550 relay not permitted", "553 sorry, that domain isn't in my list of allowed rcpthosts", "550 5.7.64 TenantAttribution; Relay Access Denied",
			"530 5.7.0 authentication required", "550 5.7.1 Relaying denied", "550 we do not relay", "503 authenticate first", "454 4.7.1 <ann@example.org>: Relay access denied",
		}},
		{ClassSender, false, []string{
			"550 Verification failed for <me@example.com> No Such User Here Sender verify failed", "553 envelope sender domain must exist", "553 5.1.8 bad domain", "550 5.1.7 no such user", "550 5.1.0 sender rejected",
			"550 5.1.1 <me@example.com>: Sender address rejected: User unknown in local recipient table", "550 5.1.8 <me@example.com>: Sender address rejected: Domain not found", "550 Sender verify failed", "550 invalid sender",
			"550 5.7.1 Client does not have permissions to send as this sender", "550 return path does not exist", "550 callout verification failed", "550 Домен отправителя не существует", "553 5.1.8 Domain of sender address does not exist",
		}},
		{ClassPolicy, false, []string{
			"550 Administrative prohibition", "550 Access denied", "550 5.4.1 Recipient address rejected: Access denied", "550 5.1.1 user unknown, blocked by policy", "554 5.7.1 refused",
			"550 Requested action not taken: mailbox unavailable. Reject due to policy restrictions.", "550 5.7.1 Policy rejection on the target address", "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
			"550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; only for senders within the organization", "550 not permitted", "554 5.7.1 Отказано политикой", "550 permission denied for this recipient", "550 Отправка запрещена",
			"550 limits exceeded", "550 user blocked", "550 Administratively prohibited",
		}},
		{ClassServer, false, []string{
			"550 5.3.2 system not accepting messages", "451 4.3.0 Temporary lookup failure", "452 4.3.1 Insufficient system storage", "451 Temporary local problem - please try later", "450 4.3.2 Service currently unavailable",
			"421 4.3.2 shutting down", "451 Internal error", "550 5.3.0 failed", "451 Временная ошибка, попробуйте позже", "421 Service not available, closing transmission channel", "451 queue file write error: local error", "452 out of memory",
		}},
		{ClassNetwork, false, []string{
			"451 4.4.1 connect to mx.example.org[192.0.2.1]:25: Connection timed out", "550 5.4.4 Unable to route: no mail hosts for domain", "451 4.4.0 Name service error for example.org", "554 5.4.7 expired", "451 Connection refused",
			"550 5.4.310 DNS domain example.org does not exist: DNS failure", "450 4.4.3 host not found", "550 5.4.1 no answer from host", "550 5.4.6 mail loops back",
		}},
		{ClassUnknown, false, []string{
			"550", "550 no", "550 refused", "550 Requested action not taken: mailbox unavailable", "550 5.1.0 Address rejected.", "554 5.5.1 no valid recipients", "550 corporate mail only", "550 no such domain", "554 not today",
			"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", "554 transaction failed", "550 отказ", "550 Mailbox unavailable",
		}},
	} {
		for _, text := range c.says {
			rows++
			a := refusal(text)
			if got := a.Class(); got != c.want {
				t.Errorf("%s: got %s, want %s", a, got, c.want)
			}
			if got := a.HardBounce(); got != c.hard {
				t.Errorf("%s: hard bounce %v", a, got)
			}
		}
	}
	if rows < 150 {
		t.Errorf("%d rows", rows)
	}
	if a := NewAnswer(StageEndOfData, 0, "EOF"); a.Class() != ClassNetwork {
		t.Errorf("silence is %s", a.Class())
	}
}

func refusal(text string) Answer {
	code := 100*int(text[0]-'0') + 10*int(text[1]-'0') + int(text[2]-'0')
	if len(text) > 3 {
		text = text[4:]
	} else {
		text = ""
	}
	return NewAnswer(StageRcpt, code, text)
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
		{"552 5.3.4 too large", "550 spam", true},
		{"550 5.1.1 no such user", "550 5.1.1 no such user", false}, // nobody's row
		{"552 5.2.2 mailbox full", "552 5.2.2 mailbox full", false},
		{"550 5.2.1 disabled", "550 5.2.1 disabled", false},
	} {
		a, b := refusal(c.a).Alike(), refusal(c.b).Alike()
		if got := a != "" && a == b; got != c.want {
			t.Errorf("%q and %q alike: %v (%q, %q)", c.a, c.b, got, a, b)
		}
	}
}
