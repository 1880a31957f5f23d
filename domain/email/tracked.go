package email

import (
	"html"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tracked says what the HTML part asks for where an email tells whether it was read. Its text part asks for nothing. The
// zero Tracked is an email that tells nothing.
type Tracked struct {
	BaseURL  string   // of the service
	Links    []string // the n-th (from 1) is reached by BaseURL/c/<Recipient.VisitToken>/<n>; others stay as they are
	Opens    bool     // a picture stands at the end
	Campaign string   // what utm_campaign of each link says; empty: links carry no UTM parameters
	found    *[]string
}

// maxLinks of an email are tracked.
const maxLinks = 500

// href is an address in the markup of an author. Addresses of the frame, as to unsubscribe, are not among them.
var href = regexp.MustCompile(` href="([^"]*)"`)

// links is the markup with the addresses that are tracked. What is personal within an address goes to its page alone and
// never through ours, so such a link stays.
func (t Tracked) links(m marks, markup template.HTML) template.HTML {
	if len(t.Links) == 0 && t.Campaign == "" && t.found == nil {
		return markup
	}
	return template.HTML(href.ReplaceAllStringFunc(string(markup), func(found string) string {
		address := html.UnescapeString(href.FindStringSubmatch(found)[1])
		if !t.trackable(address) || m.pattern.MatchString(address) {
			return found
		}
		address = WithCampaign(address, t.Campaign)
		if t.found != nil && !slices.Contains(*t.found, address) && len(*t.found) < maxLinks {
			*t.found = append(*t.found, address)
		}
		if n := slices.Index(t.Links, address); n >= 0 {
			address = t.BaseURL + "/c/" + m.visit() + "/" + strconv.Itoa(n+1)
		}
		return ` href="` + html.EscapeString(address) + `"`
	}))
}

// trackable takes pages, but for those of our own that a recipient has rights behind.
func (t Tracked) trackable(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.User != nil || !slices.Contains([]string{"http", "https"}, strings.ToLower(at.Scheme)) {
		return false
	}
	return !slices.ContainsFunc([]string{"/unsubscribe/", "/preferences/", "/view/", "/c/", "/o/"}, func(path string) bool {
		return strings.HasPrefix(address, t.BaseURL+path)
	})
}

func (t Tracked) picture(m marks) template.URL {
	if !t.Opens {
		return ""
	}
	return template.URL(t.BaseURL + "/o/" + m.visit())
}

// WithCampaign is an address with UTM parameters, unless it has some.
func WithCampaign(address, campaign string) string {
	at, err := url.Parse(address)
	if campaign == "" || err != nil || strings.Contains(strings.ToLower(at.RawQuery), "utm_") {
		return address
	}
	added := url.Values{"utm_source": {"email"}, "utm_medium": {"email"}, "utm_campaign": {campaign}}.Encode()
	at.RawQuery = strings.TrimPrefix(at.RawQuery+"&"+added, "&")
	return at.String()
}

// anchor opens a link, its address quoted.
var anchor = regexp.MustCompile(`<a [^>]*href="([^"]*)"[^>]*>`)

// WithClicks is the page of an email with a number in each tracked link: how many clients clicked it.
func WithClicks(page, campaign string, clicks map[string]int64) string {
	return anchor.ReplaceAllStringFunc(page, func(found string) string {
		n, tracked := clicks[WithCampaign(html.UnescapeString(anchor.FindStringSubmatch(found)[1]), campaign)]
		if !tracked {
			return found
		}
		return found + `<span style="display:inline-block;margin:0 6px 0 0;padding:0 6px;border-radius:9px;background:#1d2430;color:#fff;font:600 12px/18px sans-serif;text-decoration:none">` +
			strconv.FormatInt(n, 10) + `</span>`
	})
}

// Links are the addresses of an email that can be tracked, in the order of their first place. Of a message with conditions
// each is met with all others and without them.
func Links(s Source) ([]string, error) {
	list := []string{}
	s.Tracked.Links, s.Tracked.found = nil, &list
	names := conditions(s.Subject, s.Preheader, s.Body)
	says := []func(string) bool{func(string) bool { return true }, func(string) bool { return false }}
	for _, one := range names {
		says = append(says, func(name string) bool { return name == one }, func(name string) bool { return name != one })
	}
	if len(names) == 0 {
		says = says[:1]
	}
	for _, holds := range says {
		one := s
		one.Subject, one.Preheader, one.Body = resolve(s.Subject, holds), resolve(s.Preheader, holds), resolve(s.Body, holds)
		if _, err := compileOne(one); err != nil {
			return nil, err
		}
	}
	return list, nil
}
