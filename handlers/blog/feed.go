package blog

import (
	"encoding/xml"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
)

const (
	feedEntries    = 20
	sitemapEntries = 50_000 // sitemaps.org: more need several files
)

// atomFeed is a feed (RFC 4287).
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string     `xml:"id"`
	Title     string     `xml:"title"`
	Published string     `xml:"published"`
	Updated   string     `xml:"updated"`
	Links     []atomLink `xml:"link"`
	Summary   string     `xml:"summary"`
}

// Feed tells feed readers of the newest posts.
func (h *Blog) Feed(r *web.Request) error {
	posts, err := h.DB.Posts().Published(r.UserContext(), time.Now())
	if err != nil {
		return err
	}
	feed := atomFeed{
		ID: r.Site.Absolute("/blog"), Title: r.Viewer.T("blog.feed_title"), Author: "SkyChimp", Updated: atomTime(time.Unix(0, 0)),
		Links: []atomLink{{"self", "application/atom+xml", r.Site.Absolute("/blog/feed.xml")}, {"alternate", "text/html", r.Site.Absolute("/blog")}},
	}
	for _, post := range posts[:min(len(posts), feedEntries)] {
		updated := atomTime(lastChange(post))
		feed.Updated = max(feed.Updated, updated)
		entry := atomEntry{
			ID: r.Site.Absolute("/blog/" + post.Slug), Title: post.Title, Summary: h.markdown.lead(post.Body),
			Published: atomTime(*post.PublishedAt), Updated: updated,
			Links: []atomLink{{"alternate", "text/html", r.Site.Absolute("/blog/" + post.Slug)}},
		}
		if post.Image != "" {
			file := pictures.File(post.Image, pictures.Large)
			entry.Links = append(entry.Links, atomLink{"enclosure", pictures.Type(file), r.Site.Absolute("/media/" + file)})
		}
		feed.Entries = append(feed.Entries, entry)
	}
	r.Vary(fiber.HeaderAcceptLanguage)
	return sendXML(r, "application/atom+xml", feed)
}

// sitemap is what search engines should look at (sitemaps.org, 0.9).
type sitemap struct {
	XMLName xml.Name       `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []sitemapEntry `xml:"url"`
}

type sitemapEntry struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

func (h *Blog) Sitemap(r *web.Request) error {
	posts, err := h.DB.Posts().Published(r.UserContext(), time.Now())
	if err != nil {
		return err
	}
	site := sitemap{URLs: []sitemapEntry{{Loc: r.Site.Absolute("/")}, {Loc: r.Site.Absolute("/blog")}}}
	for _, post := range posts[:min(len(posts), sitemapEntries-2)] {
		site.URLs = append(site.URLs, sitemapEntry{r.Site.Absolute("/blog/" + post.Slug), atomTime(lastChange(post))})
	}
	return sendXML(r, fiber.MIMEApplicationXML, site)
}

// lastChange is when readers got to see the newest form of a post.
func lastChange(post domain.Post) time.Time {
	if post.PublishedAt.After(post.UpdatedAt) {
		return *post.PublishedAt
	}
	return post.UpdatedAt
}

func atomTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func sendXML(r *web.Request, contentType string, document any) error {
	text, err := xml.Marshal(document)
	if err != nil {
		return err
	}
	r.Set(fiber.HeaderContentType, contentType+"; charset=utf-8")
	return r.Send(append([]byte(xml.Header), text...))
}
