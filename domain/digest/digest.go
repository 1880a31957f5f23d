// Package digest is what a mailing takes from a blog or a feed: which posts are new, and how an email lists them.
package digest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Blog is the source of a digest that takes the posts of this site; any other is the address of a feed.
const Blog = "blog"

// Digest is a mailing's newest posts. The zero Digest is none.
type Digest struct {
	Source  string    `bun:"digest"`
	Seen    time.Time `bun:"digest_seen,nullzero"` // of the newest post that went out
	Fetched *Fetched  `bun:"digest_fetched,type:jsonb"`
}

// Fetched is what the source had.
type Fetched struct {
	At      time.Time
	Posts   []Post
	Problem bool // it could not be read
}

// Post is one post of a feed.
type Post struct {
	Title, Link, Summary string
	At                   time.Time
}

// The limits of what is taken from a source, and how long it stays fresh.
const (
	maxPosts   = 20
	firstPosts = 5 // when nothing went out yet
	maxTitle   = 200
	maxSummary = 300
	freshFor   = 15 * time.Minute
	triedFor   = 30 * time.Minute // a source that can't be read
)

// None reports whether the mailing takes no posts.
func (d Digest) None() bool { return d.Source == "" }

// Waits reports whether a run that is due can't be decided at now: nothing fresh was fetched, or the source couldn't be read
// and is tried again for a while.
func (d Digest) Waits(due, now time.Time) bool {
	if d.None() {
		return false
	}
	stale := d.Fetched == nil || now.Sub(d.Fetched.At) > freshFor
	return stale || d.Fetched.Problem && now.Sub(due) < triedFor
}

// New are the posts that did not go out yet, the newest first.
func (d Digest) New(now time.Time) []Post {
	if d.Fetched == nil {
		return nil
	}
	posts := slices.DeleteFunc(slices.Clone(d.Fetched.Posts), func(p Post) bool { return !p.At.After(d.Seen) || p.At.After(now) })
	slices.SortStableFunc(posts, func(a, b Post) int { return b.At.Compare(a.At) })
	most := maxPosts
	if d.Seen.IsZero() {
		most = firstPosts
	}
	return posts[:min(len(posts), most)]
}

// Take remembers that the posts went out.
func (d *Digest) Take(posts []Post) {
	for _, one := range posts {
		if one.At.After(d.Seen) {
			d.Seen = one.At
		}
	}
}

// Clean is a post as strangers wrote it, bounded and without what is no text; false when nothing is left of it.
func Clean(p Post) (Post, bool) {
	p.Title, p.Summary = line(p.Title, maxTitle), line(p.Summary, maxSummary)
	address, err := url.Parse(strings.TrimSpace(p.Link))
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || len(p.Link) > 2000 {
		return p, false
	}
	p.Link = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "{", "%7B", "}", "%7D", " ", "%20").Replace(address.String())
	return p, p.Title != "" && !p.At.IsZero()
}

// line is the text on one line, cut at a word.
func line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	cut := string(letters[:most])
	if at := strings.LastIndexByte(cut, ' '); at > most/2 {
		cut = cut[:at]
	}
	return strings.TrimRight(cut, " ,.;:") + "…"
}

// placeholder is where a text wants the posts.
var placeholder = regexp.MustCompile(`\{\{ *posts *\}\}`)

// Asked reports whether a text has a place for the posts.
func Asked(text string) bool { return placeholder.MatchString(text) }

// Fill puts the posts, as Markdown, into the places of a text.
func Fill(text string, posts []Post) string {
	return placeholder.ReplaceAllLiteralString(text, markdown(posts))
}

// markup is what Markdown or a placeholder could take for its own.
var markup = regexp.MustCompile(`[\\` + "`" + `*_{}\[\]()<>#+\-.!|~=:&@]`)

func markdown(posts []Post) string {
	var b strings.Builder
	for _, one := range posts {
		b.WriteString("\n\n### [" + escape(one.Title) + "](" + one.Link + ")\n\n" + escape(one.Summary))
	}
	return strings.TrimSpace(b.String())
}

// escape keeps a stranger's text from being Markdown, HTML or a placeholder.
func escape(text string) string {
	return markup.ReplaceAllStringFunc(strings.ReplaceAll(text, "{{", "{ {"), func(one string) string { return `\` + one })
}
