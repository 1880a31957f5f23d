package smtp

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"skychimp/domain"
)

const maxAddress = 254 // RFC 5321 section 4.5.3.1.3: a path has 256 octets with its angle brackets

// toASCII is idna.Lookup, and refuses empty and overlong labels.
var toASCII = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true)).ToASCII

// wireAddress is the address as MAIL and RCPT carry it: a domain beyond ASCII becomes
// punycode, and utf8 tells that the local part needs SMTPUTF8 (RFC 6531). A non-empty
// problem says why the address cannot be written; it begins with the enhanced code that
// a server would use.
func wireAddress(address string) (wire string, utf8Local bool, problem string) {
	ascii := true
	for i := range len(address) {
		switch b := address[i]; {
		case b <= ' ', b == 0x7f, b == '<', b == '>':
			return "", false, "5.1.3 the address holds a character that is not allowed"
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 {
		return "", false, "5.1.3 the address is not of the form name@domain"
	}
	if !ascii {
		if !utf8.ValidString(address) {
			return "", false, "5.1.3 the address is not valid UTF-8"
		}
		domain, err := toASCII(address[at+1:])
		if err != nil {
			return "", false, "5.1.2 the domain of the address is not a valid one"
		}
		address = address[:at+1] + domain
		utf8Local = strings.IndexFunc(address[:at], func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
	}
	if len(address) > maxAddress {
		return "", false, "5.1.3 the address is too long"
	}
	return address, utf8Local, ""
}

// prepare checks an envelope before a byte of it is written. A refusal carries the code
// that a server would answer with.
func (c *Conn) prepare(from, to string, size int) (envelope, *domain.Answer) {
	env := envelope{size: size}
	var problem string
	if from != "" { // empty is the null sender <> of bounces
		if env.from, env.utf8, problem = wireAddress(from); problem != "" {
			return env, refuse(domain.StageMail, "5.1.7 sender: "+problem[len("5.1.x "):])
		}
	}
	var utf8Local bool
	if env.to, utf8Local, problem = wireAddress(to); problem != "" {
		return env, refuse(domain.StageRcpt, problem)
	}
	if env.utf8 && !c.smtputf8 {
		return env, refuse(domain.StageMail, "5.6.7 the mail server takes no sender's address beyond ASCII (no SMTPUTF8)")
	}
	if utf8Local && !c.smtputf8 {
		return env, refuse(domain.StageRcpt, "5.6.7 the mail server takes no address beyond ASCII (no SMTPUTF8)")
	}
	env.utf8 = env.utf8 || utf8Local
	return env, nil
}

func refuse(stage domain.Stage, text string) *domain.Answer {
	a := domain.NewAnswer(stage, 553, text)
	return &a
}
