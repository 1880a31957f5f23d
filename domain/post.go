package domain

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Post is a blog article. Image is the name of its picture in the media store, empty without one.
type Post struct {
	ID          int64 `bun:",pk,autoincrement"`
	AuthorID    int64 `bun:",nullzero"`
	Slug        string
	Title       string
	Body        string // Markdown
	Image       string
	Views       int64
	PublishedAt *time.Time
	CreatedAt   time.Time `bun:",nullzero,default:now()"`
	UpdatedAt   time.Time `bun:",nullzero,default:now()"`
}

// PostState says who sees a post: only a published one is public.
type PostState string

// The states of a post.
const (
	Draft     PostState = "draft"     // without a date
	Scheduled PostState = "scheduled" // its date is in the future
	Published PostState = "published"
)

// State is the post's state at now.
func (p Post) State(now time.Time) PostState {
	switch {
	case p.PublishedAt == nil:
		return Draft
	case p.PublishedAt.After(now):
		return Scheduled
	}
	return Published
}

// What a post may hold; the body is counted in bytes.
const (
	maxPostTitle = 200
	maxPostBody  = 200_000
)

// PostForm is the form of a post. PublishedAt is in WallFormat, empty for a draft, and
// read in Zone, the author's.
type PostForm struct {
	Title, Body, PublishedAt string
	Zone                     *time.Location
}

// Change applies the form. A new post gets its slug from the title; later titles leave it as
// it is, because others link to it.
func (p *Post) Change(form PostForm) error {
	var problems ValidationErrors
	p.Title = strings.Join(strings.Fields(dropControls(form.Title)), " ")
	p.Body = dropControls(form.Body)
	switch {
	case p.Title == "":
		problems.Add("title", "blog.title_required")
	case utf8.RuneCountInString(p.Title) > maxPostTitle:
		problems.Add("title", "blog.title_too_long", "Max", maxPostTitle)
	}
	switch {
	case strings.TrimSpace(p.Body) == "":
		problems.Add("body", "blog.body_required")
	case len(p.Body) > maxPostBody:
		problems.Add("body", "blog.body_too_long", "Max", maxPostBody/1000)
	}
	p.PublishedAt = nil
	if text := strings.TrimSpace(form.PublishedAt); text != "" {
		wall, err := parseWall(text)
		if err != nil {
			problems.Add("published_at", "blog.published_at_invalid")
		} else {
			at := Instant(wall, form.Zone)
			p.PublishedAt = &at
		}
	}
	if p.Slug == "" {
		p.Slug = Slug(p.Title)
	}
	return problems.Err()
}

// dropControls leaves line feeds and tabs of the control characters (Postgres refuses NUL, browsers
// send CR LF) and replaces what is not UTF-8.
func dropControls(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// Words in the user agents of programs that identify themselves: search engines, link previews and
// uptime checks. Plain HTTP clients and headless browsers may serve a reader, and count.
var botWords = []string{
	"bot", "crawl", "spider", "slurp", "archiver", "preview", "facebookexternalhit",
	"externalagent", "whatsapp/", "vkshare", "mediapartners", "feedfetcher", "inspectiontool",
	"lighthouse", "pingdom", "statuscake",
}

// CountsAsView reports whether a request for a post is a person reading it. purpose is the value of
// the header Sec-Purpose, Purpose or X-Moz, by which browsers mark what they load ahead.
func CountsAsView(method, userAgent, purpose string) bool {
	purpose = strings.ToLower(purpose)
	if method != "GET" || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "prerender") {
		return false
	}
	agent := strings.ReplaceAll(strings.ToLower(userAgent), "cubot", "") // a make of phones
	for _, word := range botWords {
		if strings.Contains(agent, word) {
			return false
		}
	}
	return true
}
