package smtp

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"skychimp/domain"
)

const maxAddress = 254 // RFC 5321 section 4.5.3.1.3: a path has 256 octets with its angle brackets

// wireAddress is the address as MAIL and RCPT carry it; smtputf8 tells that the local part needs
// RFC 6531. A non-empty problem says why the address cannot be written; it begins with the enhanced
// code that a server would use.
func wireAddress(address string) (wire string, smtputf8 bool, problem string) {
	for i := range len(address) {
		if b := address[i]; b <= ' ' || b == 0x7f || b == '<' || b == '>' {
			return "", false, "5.1.3 the address holds a character that is not allowed"
		}
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 {
		return "", false, "5.1.3 the address is not of the form name@domain"
	}
	if !utf8.ValidString(address) {
		return "", false, "5.1.3 the address is not valid UTF-8"
	}
	wire, smtputf8, ok := domain.WireEmail(address)
	switch {
	case !ok:
		return "", false, "5.1.2 the domain of the address is not a valid one"
	case len(wire) > maxAddress:
		return "", false, "5.1.3 the address is too long"
	}
	return wire, smtputf8, ""
}

// prepare checks an envelope before a byte of it is written. A refusal carries the code
// that a server would answer with.
func (c *Conn) prepare(from, to string, size int) (envelope, *domain.Answer) {
	env := envelope{size: size}
	if !c.Fits(size) {
		a := c.TooLarge(size)
		return env, &a
	}
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

// TooLarge is what the server would say of an email of so many bytes, which does not fit.
func (c *Conn) TooLarge(size int) domain.Answer {
	return domain.NewAnswer(domain.StageMail, 552, fmt.Sprintf("5.3.4 the email has %d bytes, and the mail server takes %d", size, c.maxSize))
}

func refuse(stage domain.Stage, text string) *domain.Answer {
	a := domain.NewAnswer(stage, 553, text)
	return &a
}
