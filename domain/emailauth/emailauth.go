// Package emailauth says what DNS has to hold so that receivers believe the From of an email: DKIM
// (RFC 6376, RFC 8463), DMARC (RFC 7489) and SPF (RFC 7208). It is pure: answers of DNS are arguments.
package emailauth

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// OrganizationalDomain is what somebody has registered: `example.co.uk` of `news.example.co.uk`
// (RFC 7489, section 3.2). Where nobody can have registered anything it is the host itself.
func OrganizationalDomain(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if registered, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return registered
	}
	return host
}

// Aligned tells whether the domain that SPF or DKIM has proved is that of From (RFC 7489, section 3.1):
// strictly the same, or else of the same organization.
func Aligned(from, proved string, strict bool) bool {
	from, proved = strings.ToLower(strings.TrimSuffix(from, ".")), strings.ToLower(strings.TrimSuffix(proved, "."))
	if strict || from == "" || proved == "" {
		return from == proved && from != ""
	}
	return OrganizationalDomain(from) == OrganizationalDomain(proved)
}

// Texts are the TXT records of a name. Failed: DNS gave no answer that counts, so nothing is known.
type Texts struct {
	Found  []string
	Failed bool
}

// Verdict is what a record is worth.
type Verdict string

// The verdicts; each has a locale key `senders.found_<word>`.
const (
	Good     Verdict = "good"
	Missing  Verdict = "missing"   // there is no such record
	OtherKey Verdict = "other_key" // DKIM: the record is of another key
	Revoked  Verdict = "revoked"   // DKIM: the record has an empty key
	Invalid  Verdict = "invalid"   // it cannot be read as what it should be
	Several  Verdict = "several"   // more than one where one is allowed, so receivers take none
	Unknown  Verdict = "unknown"   // DNS gave no answer
)

// Tags are those of a record like `v=DKIM1; k=rsa; p=...` (RFC 6376, section 3.2), names in small letters
// and values without white space around them. ok is false where it is no such list.
func Tags(text string) (tags map[string]string, ok bool) {
	tags = map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := tags[name]; !found || name == "" || twice {
			return nil, false
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, len(tags) > 0
}

// DKIM says whether the records at a selector publish the key, whose public half is in base64.
func DKIM(algorithm, public string, texts Texts) Verdict {
	records := keysIn(texts.Found)
	switch {
	case texts.Failed:
		return Unknown
	case len(records) == 0 && len(texts.Found) > 0:
		return Invalid
	case len(records) == 0:
		return Missing
	case len(records) > 1:
		return Several
	}
	tags, ok := Tags(records[0])
	key := strings.Join(strings.Fields(tags["p"]), "")
	kind := tags["k"]
	if kind == "" {
		kind = "rsa"
	}
	_, has := tags["p"]
	switch {
	case !ok, !has, !strings.EqualFold(kind, algorithm), !allows(tags["h"], "sha256"), !allows(tags["s"], "email"):
		return Invalid
	case key == "":
		return Revoked
	case strings.TrimRight(key, "=") != strings.TrimRight(public, "="):
		return OtherKey
	}
	return Good
}

// allows tells whether a list with colons, as h= and s= are, has the word, `*` or nothing in it.
func allows(list, word string) bool {
	for one := range strings.SplitSeq(list, ":") {
		if one = strings.TrimSpace(one); one == "" || one == "*" || strings.EqualFold(one, word) {
			return true
		}
	}
	return false
}

// keysIn are the texts that are DKIM records: v=DKIM1 may be left out, p= may not.
func keysIn(texts []string) (records []string) {
	for _, text := range texts {
		tags, ok := Tags(text)
		_, has := tags["p"]
		if version, versioned := tags["v"]; ok && (has && !versioned || version == "DKIM1") {
			records = append(records, text)
		}
	}
	return records
}

// Policy is a DMARC record.
type Policy struct {
	Verdict Verdict
	Record  string // as it was found
	At      string // the name that it was found at
	P       string // none, quarantine, reject
	Strict  bool   // adkim=s: d= of the signature is From's domain to the letter
}

// DMARCNames are where the policy for a host is looked for, the first that has one decides
// (RFC 7489, section 6.6.3).
func DMARCNames(host string) []string {
	names := []string{"_dmarc." + host}
	if above := OrganizationalDomain(host); above != strings.ToLower(host) {
		names = append(names, "_dmarc."+above)
	}
	return names
}

// DMARC reads the answers to DMARCNames, in their order.
func DMARC(names []string, answers []Texts) Policy {
	for i, texts := range answers {
		if texts.Failed {
			return Policy{Verdict: Unknown, At: names[i]}
		}
		var records []string
		for _, text := range texts.Found {
			if strings.HasPrefix(strings.ReplaceAll(text, " ", ""), "v=DMARC1") {
				records = append(records, text)
			}
		}
		switch len(records) {
		case 0:
			continue
		case 1:
			return policyOf(names[i], records[0], i > 0)
		}
		return Policy{Verdict: Several, Record: strings.Join(records, "\n"), At: names[i]}
	}
	return Policy{Verdict: Missing, At: names[0]}
}

// policyOf reads one record; of a subdomain sp= counts.
func policyOf(at, record string, below bool) Policy {
	tags, ok := Tags(record)
	p := Policy{Verdict: Good, Record: record, At: at, P: strings.ToLower(tags["p"]), Strict: strings.EqualFold(tags["adkim"], "s")}
	if sp := strings.ToLower(tags["sp"]); below && sp != "" {
		p.P = sp
	}
	if !ok || p.P != "none" && p.P != "quarantine" && p.P != "reject" {
		p.Verdict = Invalid
	}
	return p
}

// SPF says whether a name has exactly one SPF record (RFC 7208, section 4.5), and which.
func SPF(texts Texts) (Verdict, string) {
	var records []string
	for _, text := range texts.Found {
		if lower := strings.ToLower(text); lower == "v=spf1" || strings.HasPrefix(lower, "v=spf1 ") {
			records = append(records, text)
		}
	}
	switch {
	case texts.Failed:
		return Unknown, ""
	case len(records) == 0:
		return Missing, ""
	case len(records) > 1:
		return Several, strings.Join(records, "\n")
	}
	return Good, records[0]
}
