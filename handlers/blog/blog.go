// Package blog shows the posts to everybody, and lets content managers write them.
package blog

import (
	"html/template"
	"math/rand/v2"
	"time"

	"skychimp/db"

	"github.com/gofiber/fiber/v2"

	"sync"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// Blog shows the posts and their pictures.
type Blog struct {
	DB    *db.DB
	Media *db.Media

	markdown *markdown
	drawing  sync.Mutex // pictures are made one at a time, because each takes much memory
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
	Views             int64
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
	Canonical string // its address
	Picture   string // the address of its picture, with the host
	More      []Card
	Visitor   bool // may be invited to register
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
	view := postsView{Canonical: r.Absolute("/blog"), Pager: r.Pager(page, pages)}
	for _, post := range all[(page-1)*postsOnPage : min(page*postsOnPage, len(all))] {
		view.Cards = append(view.Cards, h.Card(r, post))
	}
	return r.Page(fiber.StatusOK, "blog/list", view)
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
	view := h.articleView(r, post)
	view.Visitor = r.Viewer.User == nil
	for _, other := range Pick(all, 4) {
		if other.ID != post.ID && len(view.More) < 3 {
			view.More = append(view.More, h.Card(r, other))
		}
	}
	return r.Page(fiber.StatusOK, "blog/article", view)
}

func (h *Blog) articleView(r *web.Request, post domain.Post) articleView {
	view := articleView{
		Card: h.Card(r, post), Body: h.markdown.article(post.Body), Canonical: r.Absolute("/blog/" + post.Slug),
	}
	if view.Card.Large != "" {
		view.Picture = r.Absolute(view.Card.Large)
	}
	return view
}

// Card is a post as lists show it.
func (h *Blog) Card(r *web.Request, post domain.Post) Card {
	card := Card{ID: post.ID, Slug: post.Slug, Title: post.Title, Lead: h.markdown.lead(post.Body), Views: h.DB.Posts().Views(post)}
	if post.PublishedAt != nil {
		card.At = r.Moment(*post.PublishedAt)
	}
	if post.Image != "" {
		card.Small, card.Large = "/media/"+pictureFile(post.Image, pictureSmall), "/media/"+pictureFile(post.Image, pictureLarge)
	}
	return card
}

// Pick are n different posts at random, or all when there are no more.
func Pick(all []domain.Post, n int) []domain.Post {
	picked := make([]domain.Post, 0, n)
	taken := map[int]bool{}
	for len(picked) < min(n, len(all)) {
		if i := rand.IntN(len(all)); !taken[i] {
			taken[i] = true
			picked = append(picked, all[i])
		}
	}
	return picked
}
