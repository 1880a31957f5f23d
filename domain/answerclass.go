package domain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Class is whom or what a refusal blames.
type Class string

// The classes. Only a dead address suppresses its client, and those of the mailbox count towards no
// pause: refusals of any other class, when they come again and again, are not their recipients' fault.
const (
	ClassDead    Class = "dead"    // there is no such mailbox
	ClassMailbox Class = "mailbox" // it is full, or this server cannot write its address
	ClassSender  Class = "sender"  // who sends, from where, how much and what
	ClassUnknown Class = "unknown" // it does not say
)

// classes are the classes by what the server said; the first that fits counts. codes are
// enhanced codes, words a pattern over Answer.words. Words about the sender win over codes and
// words about the mailbox, because servers name the mailbox when they mean the sender.
var classes = []struct {
	class Class
	codes []string
	words *regexp.Regexp
}{
	{ClassSender, []string{"5.1.7", "5.1.8"}, nil},
	{ClassMailbox, []string{"5.2.2", "5.6.7"}, regexp.MustCompile(
		`\b(mailbox|inbox)( \pL+){0,3} (full|over|exceed)|\b(mailbox|inbox) (full|over|exceed)|\b(mailbox|inbox|account|user|recipient)( is)? over ?quota`)},
	{ClassSender, nil, regexp.MustCompile(
		`\b(sender|sending|return path|reverse path|(envelope|mail|header) ?from|from (address|domain)|` +
			`client|your (ip|host|server|mail|message|e ?mail|domain|account)|ip address|` +
			`rate|rates|hour|hourly|daily|per day|quota|limit|exceed|too (many|much|fast|quickly)|throttl|` +
			`dns ?[bw]l|rbl|spamhaus|spamcop|barracuda|black ?list|block|deny ?list|listed|reputation|` +
			`spam|abuse|bulk|unsolicited|virus|malware|content|polic|prohibit|denied|banned|forbidden|` +
			`(not|un) ?(allowed|permitted|authori[sz]ed)|(un)?authenti|spf|dkim|dmarc|helo|ehlo|` +
			`reverse (dns|host|lookup)|rdns|ptr|relaying|to relay|relay (access|not|denied|through)|rcpthosts)`)},
	{ClassDead, []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}, regexp.MustCompile(
		`\b(no such|unknown|invalid|non ?existent|not an?( valid| known| local)?) ((local|e ?mail|recipient|destination|virtual) )*` +
			`(user|mailbox|recipient|account|addressee|(recipient|e ?mail) address|local part)\b|` +
			`\b(user|mailbox|recipient|account|addressee|(recipient|destination|e ?mail) address)( name)?( \pL+| that you tried to reach)? ((is|was|are) )?` +
			`(unknown|invalid|not (found|known|local|exist)|do(es)? ?n[o ]?t exist|no longer (exists?|available|valid)|non ?existent)|` +
			`\bdo(es)? ?n[o ]?t have an? (\pL+ ){0,4}account\b|\bno (mailbox|user|account) (here|by that name|with that|found)|` +
			`\bunrouteable address|нет такого (пользователя|ящика|адресата)|(пользователь|ящик|адресат) не (найден|существует)`)},
}

// Class reads what a refusal blames.
func (a Answer) Class() Class {
	code, words := a.Enhanced(), a.words()
	for _, d := range classes {
		if slices.Contains(d.codes, code) || d.words != nil && d.words.MatchString(words) {
			return d.class
		}
	}
	if strings.HasPrefix(code, "5.7.") {
		return ClassSender
	}
	return ClassUnknown
}

// HardBounce tells that the address itself is dead, so that its client gets no more mail.
func (a Answer) HardBounce() bool { return a.Status() == Failed && a.Class() == ClassDead }

// Alike is equal for refusals that say the same of their senders, and empty for those that count
// towards no pause because it is the mailbox that they blame.
func (a Answer) Alike() string {
	class := a.Class()
	switch {
	case class == ClassDead, class == ClassMailbox:
		return ""
	case class == ClassSender:
		return string(class)
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
