package emailauth

import (
	"net/netip"
	"slices"
	"strings"
)

// Level is how well something stands.
type Level string

// The levels; with a FAIL emails will not arrive.
const (
	OK   Level = "OK"
	Warn Level = "WARN"
	Fail Level = "FAIL"
)

// Line is what the check of an installation says about one thing. Key is a locale key `checks.<word>`, Args
// come in pairs: name, value.
type Line struct {
	Level Level
	About string // MAIL_FROM, SPF, DKIM, ...
	Key   string
	Args  []any
}

func line(level Level, about, key string, args ...any) Line {
	return Line{level, about, "checks." + key, args}
}

// FailedLines tells whether one of the lines fails.
func FailedLines(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return l.Level == Fail })
}

// MailFrom judges the domain of MAIL_FROM.
func MailFrom(address string) Line {
	host := address[strings.LastIndexByte(address, '@')+1:]
	if !public(host) {
		return line(Fail, "MAIL_FROM", "mail_from_local", "Address", address)
	}
	return line(OK, "MAIL_FROM", "mail_from_ok", "Address", address)
}

// public tells a name that others may know from one that only this machine or network does.
func public(host string) bool {
	host = strings.ToLower(host)
	local := slices.ContainsFunc([]string{".localhost", ".local", ".localdomain", ".internal", ".lan", ".test"}, func(end string) bool { return strings.HasSuffix(host, end) })
	_, notIP := netip.ParseAddr(host)
	return strings.Contains(host, ".") && !local && notIP != nil
}

// BaseURL judges the public address: links in emails begin with it.
func BaseURL(scheme, host, url string) Line {
	switch {
	case !public(host):
		return line(Fail, "BASE_URL", "base_url_local", "URL", url)
	case scheme != "https":
		return line(Warn, "BASE_URL", "base_url_http", "URL", url)
	}
	return line(OK, "BASE_URL", "base_url_ok", "URL", url)
}

// PTR judges the name under which the program introduces itself: its addresses have to lead back to it. names are
// those of the addresses, in their order. Relay: an authenticated server sends on, which asks nobody for our name.
func PTR(name string, addresses []string, names [][]string, failed, relay bool) Line {
	bad := Fail
	if relay {
		bad = Warn
	}
	switch {
	case !public(name):
		return line(bad, "EHLO_NAME", "ehlo_local", "Name", name)
	case failed:
		return line(Warn, "EHLO_NAME", "dns_silent", "Name", name)
	case len(addresses) == 0:
		return line(bad, "EHLO_NAME", "ehlo_no_address", "Name", name)
	}
	for i, address := range addresses {
		if !slices.ContainsFunc(names[i], func(one string) bool { return same(one, name) }) {
			found := "-"
			if len(names[i]) > 0 {
				found = strings.Join(names[i], ", ")
			}
			return line(bad, "EHLO_NAME", "ptr_other", "Name", name, "Address", address, "Found", found)
		}
	}
	return line(OK, "EHLO_NAME", "ptr_ok", "Name", name)
}

func same(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// SPFOf judges the record of a domain of envelope senders. Result is what a receiver makes of an email from
// address (RFC 7208, section 2.6), "" where the address that emails leave from is not known.
func SPFOf(about, domain, server string, texts Texts, result, address string) Line {
	verdict, record := SPF(texts)
	switch {
	case verdict == Unknown:
		return line(Warn, about, "dns_silent", "Name", domain)
	case verdict == Missing:
		allowed := "a:" + server
		if server == "" { // it has no public name yet
			allowed = "a mx"
		}
		return line(Fail, about, "spf_missing", "Domain", domain, "Allowed", allowed)
	case verdict == Several:
		return line(Fail, about, "spf_several", "Domain", domain)
	case result == "permerror":
		return line(Fail, about, "spf_invalid", "Domain", domain, "Record", record)
	case result == "pass":
		return line(OK, about, "spf_ok", "Domain", domain, "Address", address)
	case result == "" || result == "temperror":
		return line(OK, about, "spf_there", "Domain", domain)
	}
	return line(Warn, about, "spf_other", "Domain", domain, "Address", address, "Result", result, "Record", record)
}

// Unsigned judges an installation without DKIM_KEY.
func Unsigned(relay bool) Line {
	if relay {
		return line(Warn, "DKIM", "dkim_relay")
	}
	return line(Fail, "DKIM", "dkim_none")
}

// Signing judges DKIM_DOMAIN and the kinds of its keys.
func Signing(domain, from string, keys []Key) []Line {
	var lines []Line
	if !Aligned(from, domain, false) {
		lines = append(lines, line(Fail, "DKIM", "dkim_misaligned", "Domain", domain, "From", from))
	}
	if !slices.ContainsFunc(keys, func(k Key) bool { return k.Algorithm == RSA }) {
		lines = append(lines, line(Warn, "DKIM", "dkim_ed25519_alone"))
	}
	return lines
}

// KeyOf judges the record of one key.
func KeyOf(name string, key Key, texts Texts) Line {
	switch verdict := DKIM(key.Algorithm, key.Public, texts); verdict {
	case Good:
		return line(OK, "DKIM", "dkim_ok", "Name", name)
	case Unknown:
		return line(Warn, "DKIM", "dns_silent", "Name", name)
	default:
		return line(Fail, "DKIM", "dkim_"+string(verdict), "Name", name, "Value", Record(key.Algorithm, key.Public))
	}
}

// DMARCOf judges the policy of MAIL_FROM's domain.
func DMARCOf(p Policy) Line {
	switch p.Verdict {
	case Good:
		return line(OK, "DMARC", "dmarc_ok", "Name", p.At, "Policy", p.P)
	case Unknown:
		return line(Warn, "DMARC", "dns_silent", "Name", p.At)
	case Missing:
		return line(Fail, "DMARC", "dmarc_missing", "Name", p.At)
	case Several:
		return line(Fail, "DMARC", "dmarc_several", "Name", p.At)
	default:
		return line(Fail, "DMARC", "dmarc_invalid", "Name", p.At, "Record", p.Record)
	}
}

// Bounces judges whether what comes back is read: domain is BOUNCE_DOMAIN, read whether BOUNCE_ADDR or
// BOUNCE_IMAP is set.
func Bounces(domain string, read bool, servers []string, failed bool) []Line {
	const about = "BOUNCE_DOMAIN"
	if domain == "" {
		return []Line{line(Warn, about, "bounce_none")}
	}
	var lines []Line
	switch {
	case failed:
		lines = append(lines, line(Warn, about, "dns_silent", "Name", domain))
	case len(servers) == 0:
		lines = append(lines, line(Fail, about, "bounce_mx_missing", "Domain", domain))
	default:
		lines = append(lines, line(OK, about, "bounce_mx_ok", "Domain", domain, "Servers", strings.Join(servers, ", ")))
	}
	if !read {
		lines = append(lines, line(Warn, about, "bounce_unread"))
	}
	return lines
}

// Reached judges a mail server that let the program in.
func Reached(server string, signedIn bool) Line {
	if signedIn {
		return line(OK, "SMTP_URL", "smtp_signed_in", "Server", server)
	}
	return line(OK, "SMTP_URL", "smtp_ok", "Server", server)
}

// Unreached judges a mail server that did not, with its answer.
func Unreached(server, answer string) Line {
	return line(Fail, "SMTP_URL", "smtp_failed", "Server", server, "Answer", answer)
}

// Inbox judges an installation whose emails reach nobody.
func Inbox() Line { return line(Warn, "SMTP_URL", "smtp_inbox") }
