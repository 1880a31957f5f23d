package handlers

import (
	"encoding/xml"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
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

// feed tells feed readers of the newest posts.
func (s *Site) feed(c *fiber.Ctx) error {
	posts, err := s.DB.PublishedPosts(c.UserContext(), time.Now())
	if err != nil {
		return err
	}
	feed := atomFeed{
		ID: s.absolute("/blog"), Title: s.t(c, "posts.feed_title"), Author: "SkyChimp", Updated: atomTime(time.Unix(0, 0)),
		Links: []atomLink{{"self", "application/atom+xml", s.absolute("/blog/feed.xml")}, {"alternate", "text/html", s.absolute("/blog")}},
	}
	for _, post := range posts[:min(len(posts), feedEntries)] {
		updated := atomTime(lastChange(post))
		feed.Updated = max(feed.Updated, updated)
		entry := atomEntry{
			ID: s.absolute("/blog/" + post.Slug), Title: post.Title, Summary: s.markdown.lead(post.Body),
			Published: atomTime(*post.PublishedAt), Updated: updated,
			Links: []atomLink{{"alternate", "text/html", s.absolute("/blog/" + post.Slug)}},
		}
		if post.Image != "" {
			file := pictureFile(post.Image, pictureLarge)
			entry.Links = append(entry.Links, atomLink{"enclosure", mediaType(file), s.absolute("/media/" + file)})
		}
		feed.Entries = append(feed.Entries, entry)
	}
	c.Vary(fiber.HeaderAcceptLanguage)
	return sendXML(c, "application/atom+xml", feed)
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

func (s *Site) sitemap(c *fiber.Ctx) error {
	posts, err := s.DB.PublishedPosts(c.UserContext(), time.Now())
	if err != nil {
		return err
	}
	site := sitemap{URLs: []sitemapEntry{{Loc: s.absolute("/")}, {Loc: s.absolute("/blog")}}}
	for _, post := range posts[:min(len(posts), sitemapEntries-2)] {
		site.URLs = append(site.URLs, sitemapEntry{s.absolute("/blog/" + post.Slug), atomTime(lastChange(post))})
	}
	return sendXML(c, fiber.MIMEApplicationXML, site)
}

func (s *Site) robots(c *fiber.Ctx) error {
	return c.SendString("User-agent: *\nDisallow: /admin/\nDisallow: /verify/\nDisallow: /password/\nDisallow: /unsubscribe/\n" +
		"Sitemap: " + s.absolute("/sitemap.xml") + "\n")
}

// lastChange is when readers got to see the newest form of a post.
func lastChange(post domain.Post) time.Time {
	if post.PublishedAt.After(post.UpdatedAt) {
		return *post.PublishedAt
	}
	return post.UpdatedAt
}

func atomTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func sendXML(c *fiber.Ctx, contentType string, document any) error {
	text, err := xml.Marshal(document)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, contentType+"; charset=utf-8")
	return c.Send(append([]byte(xml.Header), text...))
}
