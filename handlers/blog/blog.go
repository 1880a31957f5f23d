// Package blog has the public blog, and the pages on which content managers write it.
package blog

import (
	"html/template"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
)

// Blog shows the posts and their pictures.
type Blog struct {
	DB    *db.DB
	Media *db.Media

	markdown *markdown
}

// New has nothing in its cache of converted texts.
func New(database *db.DB, media *db.Media) *Blog {
	return &Blog{DB: database, Media: media, markdown: newMarkdown()}
}

const postsOnPage = 12

// Card is the block blog/card: a post in a list.
type Card struct {
	ID                int64
	Slug, Title, Lead string
	Small, Large      string // addresses of its picture in two widths, "" without one
	At                web.Moment
	Views             template.HTML // the block blog/views, or its hole
}

// postsView is the page blog/list.
type postsView struct {
	Canonical string
	Cards     []Card
	Pager     web.Pager
}

// articleView is the page blog/article, and what an author sees as its preview.
type articleView struct {
	Card      Card
	Body      template.HTML
	Canonical string        // its address
	Picture   string        // the address of its picture, with the host
	More      template.HTML // cards of other posts, or their hole
	Visitor   bool          // may be invited to register
}

// List shows one page of the blog.
func (h *Blog) List(r *web.Request) error {
	all, err := h.DB.Posts().Published(r.UserContext(), time.Now())
	if err != nil {
		return err
	}
	pages := max(1, (len(all)+postsOnPage-1)/postsOnPage)
	page := r.QueryInt("page", 1)
	if page < 1 || page > pages {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	path := "/blog"
	if page > 1 {
		path += "?page=" + strconv.Itoa(page)
	}
	return r.SharedPage(path, "blog/list", Version(all), func() (any, error) {
		view := postsView{Canonical: r.Site.Absolute("/blog"), Pager: r.Pager(page, pages)}
		for _, post := range all[(page-1)*postsOnPage : min(page*postsOnPage, len(all))] {
			view.Cards = append(view.Cards, h.card(r, post))
		}
		return view, nil
	}, h.Fill(r, all))
}

// Show shows an article and counts its reader.
func (h *Blog) Show(r *web.Request) error {
	now := time.Now()
	post, err := h.DB.Posts().PublishedBySlug(r.UserContext(), r.Params("slug"), now)
	if err != nil {
		return err
	}
	purpose := r.Get("Sec-Purpose") + " " + r.Get("Purpose") + " " + r.Get("X-Moz")
	if domain.CountsAsView(r.Method(), r.Get(fiber.HeaderUserAgent), purpose) {
		h.DB.Posts().CountView(post)
	}
	all, err := h.DB.Posts().Published(r.UserContext(), now)
	if err != nil {
		return err
	}
	of := struct {
		domain.Post
		more bool
	}{post, len(all) > 1}
	return r.SharedPage("/blog/"+post.Slug, "blog/article", of, func() (any, error) {
		view := h.articleView(r, post)
		if view.Visitor = r.Viewer.User == nil; of.more {
			view.More = CardsHole(3, post.ID)
		}
		return view, nil
	}, h.Fill(r, all))
}

func (h *Blog) articleView(r *web.Request, post domain.Post) articleView {
	view := articleView{
		Card: h.card(r, post), Body: h.markdown.article(post.Body), Canonical: r.Site.Absolute("/blog/" + post.Slug),
	}
	if view.Card.Large != "" {
		view.Picture = r.Site.Absolute(view.Card.Large)
	}
	return view
}

// card is a post as lists show it, with a hole for its views.
func (h *Blog) card(r *web.Request, post domain.Post) Card {
	card := Card{ID: post.ID, Slug: post.Slug, Title: post.Title, Lead: h.markdown.lead(post.Body), Views: viewsHole(post)}
	if post.PublishedAt != nil {
		card.At = r.Viewer.Moment(*post.PublishedAt)
	}
	if post.Image != "" {
		card.Small, card.Large = "/media/"+pictures.File(post.Image, pictures.Small), "/media/"+pictures.File(post.Image, pictures.Large)
	}
	return card
}
