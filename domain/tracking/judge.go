// Package tracking tells people who read emails from programs that look at them.
package tracking

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Visit is one request of a tracked link or picture of an email.
type Visit struct {
	At      time.Time
	Link    int  // from 1; 0: the picture
	Program bool // by its own words, see IsProgram
}

// The rule, as /help says it.
const (
	// TooSoon after the mail server took an email, and before, nobody has read it yet.
	TooSoon = 2 * time.Second
	// AtOnce are the clicks of a program that opens all links of an email.
	AtOnce = 3 * time.Second
	// manyLinks at once are a program's in an email that has even more.
	manyLinks = 5
)

// programs are parts of the names that programs give themselves: proxies that fetch pictures before anybody looks
// (Gmail, Yahoo), scanners of mail servers, previews of messengers, crawlers, libraries.
var programs = []string{
	"googleimageproxy", "yahoomailproxy", "barracuda", "mimecast", "proofpoint", "safelinks", "fireeye", "trendmicro", "sophos", "symantec", "messagelabs",
	"bot", "crawl", "spider", "scan", "preview", "monitor", "headless", "facebookexternalhit", "whatsapp", "embedly", "curl/", "wget/", "python", "go-http-client",
	"java/", "libwww", "php/", "ruby", "okhttp", "node-fetch", "axios", "apache-httpclient",
}

// IsProgram reports whether a request says itself that no person sent it. Apple's mail programs fetch all pictures with
// "Mozilla/5.0" and no more.
func IsProgram(method, agent string) bool {
	agent = strings.ToLower(strings.TrimSpace(agent))
	return method == http.MethodHead || agent == "" || agent == "mozilla/5.0" ||
		slices.ContainsFunc(programs, func(part string) bool { return strings.Contains(agent, part) })
}

// Programs tells of each visit of one email whether a program made it. accepted is when the mail server took the email,
// zero: that is not known any more. The email has so many tracked links.
func Programs(visits []Visit, accepted time.Time, links int) []bool {
	found := make([]bool, len(visits))
	for i, one := range visits {
		found[i] = one.Program || !accepted.IsZero() && one.At.Before(accepted.Add(TooSoon)) || allAtOnce(visits, one, links)
	}
	return found
}

// allAtOnce reports whether a click is one of many that came together: of all links of an email with two or more, or of
// five different ones.
func allAtOnce(visits []Visit, click Visit, links int) bool {
	if click.Link == 0 || links < 2 {
		return false
	}
	most := min(links, manyLinks)
	for _, first := range visits { // each may have been the first of them
		if first.Link == 0 || first.At.After(click.At) || click.At.Sub(first.At) > AtOnce {
			continue
		}
		var seen []int
		for _, one := range visits {
			if one.Link > 0 && !one.At.Before(first.At) && one.At.Sub(first.At) <= AtOnce && !slices.Contains(seen, one.Link) {
				seen = append(seen, one.Link)
			}
		}
		if len(seen) >= most {
			return true
		}
	}
	return false
}
