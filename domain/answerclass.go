package domain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Class is what a refusal means, and with it who can mend it. Each has the texts runs.class_<class> and
// runs.class_<class>_means.
type Class string

// The classes. Only a dead address suppresses its client.
const (
	ClassDead           Class = "dead"           // there is no such mailbox
	ClassInactive       Class = "inactive"       // it is switched off
	ClassFull           Class = "full"           // it has no room
	ClassUnwritable     Class = "unwritable"     // the mail server cannot write its address
	ClassContent        Class = "content"        // what the email says looks like spam or a virus
	ClassAuthentication Class = "authentication" // SPF, DKIM or DMARC
	ClassReputation     Class = "reputation"     // the sending server or domain is on a list or distrusted
	ClassSenderLimit    Class = "sender_limit"   // the sender has used up what its own mail server lets it send
	ClassRate           Class = "rate"           // too many emails at a time for the receiver
	ClassGreylist       Class = "greylist"       // whoever is new has to come again
	ClassSize           Class = "size"           // the email is too large
	ClassHost           Class = "host"           // the sending server's name or reverse DNS
	ClassRelay          Class = "relay"          // the mail server passes nothing on for this sender
	ClassSender         Class = "sender"         // the sender's address
	ClassPolicy         Class = "policy"         // some rule that it does not name
	ClassServer         Class = "server"         // the receiving server has trouble of its own
	ClassNetwork        Class = "network"        // the receiving server was not reached
	ClassUnknown        Class = "unknown"        // it does not say
)

// classes are the classes by what the server said; the first that fits counts. codes are enhanced codes, with x
// for 4 or 5; words is a pattern over Answer.words. Words about the sender win over codes and words about the mailbox,
// because servers name the mailbox when they mean the sender.
var classes = []struct {
	class Class
	codes []string
	words *regexp.Regexp
}{
	{ClassSender, []string{"x.1.7", "x.1.8"}, nil},
	{ClassUnwritable, []string{"x.6.7"}, nil},
	{ClassFull, []string{"x.2.2"}, regexp.MustCompile(
		`\b(mailbox|inbox|mail ?box)( \pL+){0,3} (is )?(full|over|exceeds?|exceeded)\b|\b(mailbox|storage|disk|user|recipient s?) quota\b|\bquota exceeded for\b|\b(mailbox|inbox|account|user|recipient|mailfolder)( is)? (over ?quota|full)\b|` +
			`\bover ?quota\b|out of (storage|disk) (space )?(for|in)|not enough (space|room) in|recipient s? ?(mailbox|inbox) (is )?full|` +
			`(ящик|ящика)( \pL+){0,3} (переполнен|заполнен)|переполнен(ие)?( почтов\pL+)? ящик|(превышена|исчерпана|закончилась) квота|нет места в (почтовом )?ящике`)},
	{ClassSize, []string{"x.3.4", "x.2.3"}, regexp.MustCompile(
		`\b(message|mail|e ?mail|body|header|attachment)s?( \pL+){0,3} (too (large|big|long)|size limit|exceeds?( \pL+){0,4} (size|length))|\bmessage size\b|\bsize exceeds\b|` +
			`\btoo (large|big) (message|mail)|\bsize limit\b|(письмо|сообщение) слишком (большое|велико)|размер (письма|сообщения)`)},
	{ClassGreylist, nil, regexp.MustCompile(`\bgr[ea]y ?list|сер(ый|ого|ом) спис`)},
	{ClassSenderLimit, []string{"x.4.5"}, regexp.MustCompile(
		`\b(mails?|e ?mails?|messages|recipients) (per|an|a|each) (hour|day|minute|month)\b|\b(hourly|daily|monthly|per day|per hour)( \pL+){0,4} (quota|limit|maximum|allowance)|` +
			`\b(sending|sender|outgoing|outbound|relay) (quota|limit|rate|credit)|\bmaximum sending rate\b|\bthrottling failure\b|\byour (hourly|daily|sending|account s?)( \pL+){0,2} (quota|limit)|` +
			`\bexceeded (the|your|its)( \pL+){0,3} (max|maximum|allowed|quota|limit)( \pL+){0,3} (hour|day|sent)|\boutgoing spam limit|` +
			`лимит (писем|отправ|исходящ)|превышен (суточный|дневной|часовой)? ?лимит`)},
	{ClassRate, []string{"x.7.28"}, regexp.MustCompile(
		`\brate ?limit|\brate (limited|that is too high|that prevents|exceeded|control)|\b(unusual|excessive|high) (rate|volume)|\bunexpected volume|\bthrottl|\bslow ?down|\btoo (fast|quickly|frequent(ly)?)\b|` +
			`\btoo many (messages|mails?|e ?mails?|connections|concurrent|simultaneous|sessions|recipients|requests|deliveries|unknown|invalid|errors|commands)|` +
			`\b(connection|session|concurrency|message|recipient)s? (rate|count|frequency|limit)|\bexceeded( \pL+){0,4} (connections|concurrent|rate)|` +
			`\breceiving mail (too quickly|at a rate)|слишком (много|часто)|превышен\pL* (\pL+ ){0,3}(частот|скорост|количеств|числ)`)},
	{ClassContent, nil, regexp.MustCompile(
		`\b(uri|sur|d)bl\b.*\b(url|uri|link|domain|body)|\b(urls?|uris?|links?) (\pL+ ){0,4}(listed|black|block|prohibited|malicious|not allowed)|\b(contains?|containing) (\pL+ ){0,3}(urls?|links?|domain|virus|spam|malware|phish|attachment)|` +
			`\b(virus|infected|malware|trojan|phish|unsafe content|content (filter|reject|refused|restriction|not)|prohibited content|blocked because its content|potential security issue)`)},
	{ClassAuthentication, []string{"x.7.20", "x.7.21", "x.7.22", "x.7.23", "x.7.24", "x.7.26", "x.7.27", "x.7.29", "x.7.30", "x.7.31", "x.7.32", "x.7.40"}, regexp.MustCompile(
		`\b(spf|dkim|dmarc|arc|domainkeys|sender id|sender policy framework)\b|\bunauthenticated\b|\b(not|fails? to|must) (pass|be) (\pL+ )?authenticat|\bauthentication (checks?|results?|information)\b|\bnot (pass|meet) (\pL+ ){0,3}authentication`)},
	{ClassHost, []string{"x.7.25"}, regexp.MustCompile(
		`\b(helo|ehlo)\b|\breverse (dns|host|hostname|lookup|record)|\b(rdns|ptr|fcrdns)\b|\bcannot (find|resolve) your (reverse )?(host|address)|\b(no|missing|invalid|bad|generic|dynamic) (reverse|hostname|host name|rdns)|` +
			`\bdynamic(ally)? (ip|assigned|address)|\bdoes ?n[o ]?t (have|resolve|match)( \pL+){0,3} (hostname|ip|dns|ptr)|обратн(ая|ой|ую) (зон|запис|dns)`)},
	{ClassReputation, []string{"x.7.511", "x.7.606", "x.7.703", "x.7.705", "x.7.708", "x.7.750"}, regexp.MustCompile(
		`\bdns ?[bw]l|\brbl|\b(spamhaus|spamcop|barracuda|sorbs|uceprotect|senderscore|senderbase|invaluement|cloudmark|spamrats|abuseat|cbl|zen|xbl|sbl|pbl|psbl|css)\b|\bblack ?list|\bblock ?list|\bdeny ?list|\blisted (in|at|on|by)\b|\b(is|are|was|been) (\pL+ )?listed\b|` +
			`\breputation|\bspammers?\b|\bbanned\b|\b(your|ip|client|sending|connecting) (\pL+ ){0,4}(blocked|banned|blacklisted|blocklisted|rejected|suspicious)|\bip (address )?(is |has been )?(blocked|banned|listed|rejected)|\bblocked using\b|` +
			`\b(complaints|abuse|abusive|abused)\b|\bnetwork is on our block|\bpart of their network|(черн|чёрн)\pL+ спис|репутаци`)},
	{ClassRelay, []string{"x.7.64"}, regexp.MustCompile(
		`\brelaying\b|\b(to|not|unable to|cannot|no) relay\b|\brelay (access|not|denied|through|prohibited|operation)|\brcpthosts|\bauthenticat(ion|e) (required|first|is required|before)|\bmust (issue|authenticate|log ?in)|\bnot a (gateway|relay)|\bwe do not relay`)},
	{ClassSender, nil, regexp.MustCompile(
		`\bsender (verif|address|domain|rejected|denied|refused|not|is|was|unknown|invalid|blocked)|\b(invalid|bad|unknown|unverified|unresolvable|forged|fake) (sender|from|return path|mail from)|\b(envelope|mail|header) (sender|from)\b|\breturn path|\breverse path|\bfrom (address|domain|header)|` +
			`\bdomain of (the )?sender|\bsender s? ?(address|domain|ip)|\bsend(ing)? (as|on behalf|from) |\bverification failed|\bcallback|\bcallout|отправител`)},
	{ClassContent, nil, regexp.MustCompile(`\b(spam|spammy|ham|unsolicited|bulk|junk|spamassassin|rspamd|razor|pyzor)\b|\bcontent|\bsuspicious|\b(message|mail) (was )?(classified|identified|detected|scored)|спам|вирус|содержи(т|мо)`)},
	// What else is said of the sender, in whatever words: no mailbox is to blame.
	{ClassPolicy, nil, regexp.MustCompile(
		`\b(sender|sending|client|your (ip|host|server|domain|account)|ip address|` +
			`rate|rates|hour|hourly|daily|per day|quota|limit|limits|exceed|exceeded|exceeds|too (many|much)|` +
			`block|blocked|blocking|deny|listed|virus|polic(y|ies)|prohibit|prohibited|prohibition|denied|forbidden|restrict|restricted|restrictions|` +
			`(not|un) ?(allowed|permitted|authori[sz]ed)|not welcome|not accepting mail from|don t accept mail from|administrative(ly)?)\b|запрещен|запрещён|политик|отказано|ограничен`)},
	{ClassInactive, nil, regexp.MustCompile(
		`\b(account|mailbox|user|recipient|address|inbox|box)( \pL+| that you tried to reach)?( is| has been| was| are)?( \pL+)? (disabled|inactive|suspended|deactivated|not active|unavailable due to inactivity|closed|expired|locked|frozen|retired|discontinued|terminated|no longer active)\b|` +
			`\b(inactive|disabled|suspended|deactivated|closed|expired|dormant) (account|mailbox|user|recipient|address)|\bdue to inactivity|` +
			`(ящик|аккаунт|учетная запись|учётная запись|пользователь|адрес)( \pL+){0,3} (отключен|отключён|отключена|заблокирован|заблокирована|заморожен|неактивен|неактивна|приостановлен)`)},
	{ClassDead, []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}, regexp.MustCompile(
		`\b(no such|unknown|invalid|bad|non ?existent|not an?( valid| known| local| existing)?) ((local|e ?mail|recipient|destination|virtual|smtp|to) )*` +
			`(user|mailbox|mail ?box|recipients?|account|addressee|(recipient|e ?mail|destination) address|local part|person|alias)\b|` +
			`\b(user|mailbox|mail ?box|recipients?|account|addressee|(recipient|destination|e ?mail) address)( name)?( \pL+| that you tried to reach)? ((is|was|are) )?` +
			`(unknown|invalid|not (found|known|local|exist|listed in|recogni[sz]ed|valid)|do(es)? ?n[o ]?t exist|no longer (exists?|available|valid|here)|non ?existent|could not be found|can ?not be found)|` +
			`\brecipient(not|  ?not )found\b|\bdo(es)? ?n[o ]?t have an? (\pL+ ){0,4}account\b|\b(no|not) (mailbox|user|account|person) (here|by that name|with that|found|exists)|\bnobody (here )?by that name|` +
			`\b(address|user|recipient) (\pL+ )?(rejected )?(user )?unknown\b|\bunrouteable address|\bbad destination mailbox|\bthere is no (user|one|mailbox|account)|\bthis (user|address|mailbox|account) does ?n[o ]?t exist|` +
			`\b(has|have) (left|moved)\b.*\b(company|organi[sz]ation|address)|` +
			`(нет|не существует) (такого |такой )?(почтового )?(пользователя|ящика|адресата|адреса|получателя|аккаунта)|такого (\pL+ )?(пользователя|ящика|адресата|адреса|получателя) (\pL+ )?(нет|не существует)|` +
			`(пользователь|ящик|адресат|адрес|получатель)( \pL+)? (не (найден|существует|зарегистрирован|известен)|отсутствует|неизвестен)|неизвестный (пользователь|получатель|адресат|ящик)|неверный (адрес|получатель|ящик)`)},
	{ClassInactive, []string{"x.2.1"}, nil},
	{ClassRate, []string{"4.7.*"}, nil},
	{ClassPolicy, []string{"5.7.*"}, nil},
	{ClassNetwork, []string{"x.4.1", "x.4.2", "x.4.3", "x.4.4", "x.4.6", "x.4.7"}, regexp.MustCompile(
		`\b(connection|connect|conversation|session) (\pL+ ){0,3}(timed out|refused|reset|lost|failed|closed)|\btimed? ?out\b|\bno route|\bname service error|\bhost (or domain name )?not found|\b(unable to|can ?not|could not) (connect|resolve|find)|\bdns (error|failure|lookup)|\bnetwork (is )?unreachable|\bno (valid )?mx|\bwithout (an )?mx`)},
	{ClassServer, []string{"x.3.0", "x.3.1", "x.3.2", "x.3.3", "x.3.5"}, regexp.MustCompile(
		`\b(insufficient|not enough|out of|low on) (system |disk |server )?(storage|resources|space|memory)|\b(service|server|system|resources?) (\pL+ )?(temporarily )?(unavailable|not available|busy|overloaded|error|failure|down)|\bnot accepting (messages|mail|network)|\btemporary (\pL+ )?(problem|failure|error|lookup)|` +
			`\b(internal|local|database|ldap|lookup|configuration|queue) (\pL+ )?(error|failure|problem)|\btry (again )?later\b|\bshutting down\b|\bmaintenance\b|временн|попробуйте позже|повторите попытку`)},
}

// Class reads what a refusal means.
func (a Answer) Class() Class {
	if a.Code == 0 {
		return ClassNetwork
	}
	code, words := a.Enhanced(), a.words()
	for _, d := range classes {
		if slices.ContainsFunc(d.codes, func(pattern string) bool { return fits(code, pattern) }) || d.words != nil && d.words.MatchString(words) {
			return d.class
		}
	}
	return ClassUnknown
}

// ClassOfReason reads why a run waits: a server's answer, perhaps after the name of a domain; empty when it is none.
func ClassOfReason(reason string) Class {
	text := reasonAnswer.FindStringSubmatch(reason)
	if text == nil {
		return ""
	}
	code, _ := strconv.Atoi(text[1])
	return NewAnswer(StageRcpt, code, text[2]).Class()
}

var reasonAnswer = regexp.MustCompile(`^(?:[^ :]+: )?([2-5][0-9]{2})(?: (.*))?$`)

// fits compares an enhanced code with one that has x for 4 or 5, or * for its last part.
func fits(code, pattern string) bool {
	if code == "" {
		return false
	}
	if rest, found := strings.CutPrefix(pattern, "x"); found {
		return code[1:] == rest
	}
	if prefix, found := strings.CutSuffix(pattern, "*"); found {
		return strings.HasPrefix(code, prefix)
	}
	return code == pattern
}

// HardBounce tells that the address itself is dead, so that its client gets no more mail.
func (a Answer) HardBounce() bool { return a.Status() == Failed && a.namesDead() }

// namesDead tells that the answer calls the address dead, now or for good. One that is switched off is dead when the
// code says so; words alone may mean a mailbox that comes back.
func (a Answer) namesDead() bool {
	switch a.Class() {
	case ClassDead:
		return true
	case ClassInactive:
		return slices.Contains([]string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}, a.Enhanced())
	}
	return false
}

// ofSender tells that refusals of the class, again and again, are their sender's fault and no recipient's.
func (c Class) ofSender() bool {
	switch c {
	case ClassContent, ClassAuthentication, ClassReputation, ClassSenderLimit, ClassRate, ClassSize, ClassHost, ClassRelay, ClassSender, ClassPolicy:
		return true
	}
	return false
}

// ofMailbox tells that the class blames the one mailbox that was written to.
func (c Class) ofMailbox() bool {
	return c == ClassDead || c == ClassInactive || c == ClassFull || c == ClassUnwritable
}

// Alike is equal for refusals that say the same of their senders, and empty for those that count
// towards no pause because it is the mailbox that they blame.
func (a Answer) Alike() string {
	class := a.Class()
	switch {
	case class.ofMailbox():
		return ""
	case class.ofSender():
		return "sender"
	case a.Enhanced() != "":
		return strconv.Itoa(a.Code) + " " + a.Enhanced()
	}
	return strconv.Itoa(a.Code) + " " + a.words()
}

// words are the text's words in lower case with one space between them. What differs from one
// recipient to the next is left out: addresses, links and whatever has digits.
func (a Answer) words() string {
	var words []string
	for field := range strings.FieldsSeq(strings.ToLower(a.Text)) {
		if strings.Contains(field, "@") || strings.Contains(field, "://") || strings.ContainsAny(field, "0123456789") {
			continue
		}
		words = append(words, strings.FieldsFunc(field, func(r rune) bool { return !unicode.IsLetter(r) })...)
	}
	return strings.Join(words, " ")
}
