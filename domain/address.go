package domain

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// hosts maps host names as browsers do (UTS 46, non-transitional) and refuses empty and overlong labels.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

// emailRead is how many bytes anybody looks at who reads an address: none has more, and punycode takes
// the square of its length.
const emailRead = 1000

// NormalEmail is the one spelling under which an address is kept: without the white space and the
// invisible characters around it, in Unicode's composed form, its host in small letters and without
// punycode. The case of the local part stays: it is the receiving host's business (RFC 5321, section 2.3.11).
func NormalEmail(email string) string {
	email = norm.NFC.String(strings.TrimFunc(email, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }))
	at := strings.LastIndexByte(email, '@') + 1
	if at == 0 {
		return email
	}
	host := strings.ToLower(email[at:])
	if len(email) > emailRead {
		return email[:at] + host
	}
	if ascii, err := hosts.ToASCII(host); err == nil {
		if name, err := hosts.ToUnicode(ascii); err == nil {
			host = name
		}
	}
	return email[:at] + host
}

// WireEmail is a normal address as mail servers and header fields take it: its host in punycode
// (RFC 5891). smtputf8 tells that the local part needs RFC 6531. ok is false where there is no such host.
func WireEmail(email string) (wire string, smtputf8, ok bool) {
	at := strings.LastIndexByte(email, '@') + 1
	if len(email) > emailRead {
		return "", false, false
	}
	smtputf8 = !isASCII(email[:at])
	host, ok := WireHost(email[at:])
	if !ok {
		return "", false, false
	}
	if host != email[at:] {
		email = email[:at] + host
	}
	return email, smtputf8, at > 1 && at < len(email)
}

// WireHost is a host name as networks take it: in punycode where it goes beyond ASCII. ok is false where
// there is no such host.
func WireHost(host string) (wire string, ok bool) {
	if isASCII(host) {
		return host, true
	}
	if len(host) > emailRead {
		return "", false
	}
	wire, err := hosts.ToASCII(host)
	return wire, err == nil
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// CheckEmail tells what is wrong with an address that was typed into a field.
func CheckEmail(field, email string) error {
	var p ValidationErrors
	checkEmail(&p, field, email)
	return p.Err()
}

// checkEmail notes what is not a bare address of at most 254 bytes (RFC 5321, section
// 4.5.3.1.3, less the angle brackets) with a host name that has a dot.
func checkEmail(p *ValidationErrors, field, email string) {
	local, host, _ := strings.Cut(email, "@")
	switch parsed, err := mail.ParseAddress(email); {
	case email == "":
		p.Add(field, "clients.email_required")
	case strings.ContainsFunc(email, func(r rune) bool { return unicode.Is(unicode.Cf, r) }):
		p.Add(field, "clients.email_invisible")
	case err != nil, parsed.Address != email, len(local) > 64, hasControl(email),
		strings.ContainsAny(email, " \"(),:;<>[]\\"), !isHost(host), !fitsWire(email):
		p.Add(field, "clients.email_invalid")
	}
}

// fitsWire: mail servers count the bytes of the punycode.
func fitsWire(email string) bool {
	wire, _, ok := WireEmail(email)
	return ok && len(wire) <= 254
}

// isHost: labels of letters (of any alphabet), digits and inner hyphens, the last not a number.
func isHost(host string) bool {
	labels := strings.Split(host, ".")
	for _, label := range labels {
		strange := strings.IndexFunc(label, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		})
		if label == "" || len(label) > 63 || strange >= 0 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return host == "localhost" || len(labels) > 1 && strings.Trim(last, "0123456789") != ""
}
