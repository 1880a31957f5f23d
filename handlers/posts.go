package handlers

import (
	"html/template"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

const postsOnPage = 12

// postCard is the block posts/card: a post in a list.
type postCard struct {
	ID                int64
	Slug, Title, Lead string
	Small, Large      string // addresses of its picture in two widths, "" without one
	At                Moment
	Views             int64
}

// postsView is the page posts/list.
type postsView struct {
	Canonical string
	Cards     []postCard
	Pager     pagerView
}

// articleView is the page posts/article, and what an author sees as its preview.
type articleView struct {
	Card      postCard
	Body      template.HTML
	Canonical string // its address
	Picture   string // the address of its picture, with the host
	More      []postCard
	Visitor   bool // may be invited to register
}

// posts shows one page of the blog.
func (s *Site) posts(c *fiber.Ctx) error {
	all, err := s.DB.PublishedPosts(c.UserContext(), time.Now())
	if err != nil {
		return err
	}
	pages := max(1, (len(all)+postsOnPage-1)/postsOnPage)
	page := c.QueryInt("page", 1)
	if page < 1 || page > pages {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	view := postsView{Canonical: s.absolute("/blog"), Pager: s.pager(c, page, pages)}
	for _, post := range all[(page-1)*postsOnPage : min(page*postsOnPage, len(all))] {
		view.Cards = append(view.Cards, s.postCard(c, post))
	}
	return s.page(c, fiber.StatusOK, "posts/list", view)
}

// post shows an article and counts its reader.
func (s *Site) post(c *fiber.Ctx) error {
	now := time.Now()
	post, err := s.DB.PublishedPost(c.UserContext(), c.Params("slug"), now)
	if err != nil {
		return err
	}
	purpose := c.Get("Sec-Purpose") + " " + c.Get("Purpose") + " " + c.Get("X-Moz")
	if domain.CountsAsView(c.Method(), c.Get(fiber.HeaderUserAgent), purpose) {
		s.DB.CountView(post)
	}
	all, err := s.DB.PublishedPosts(c.UserContext(), now)
	if err != nil {
		return err
	}
	view := s.articleView(c, post)
	view.Visitor = s.reader(c).User == nil
	for _, other := range pickPosts(all, 4) {
		if other.ID != post.ID && len(view.More) < 3 {
			view.More = append(view.More, s.postCard(c, other))
		}
	}
	return s.page(c, fiber.StatusOK, "posts/article", view)
}

func (s *Site) articleView(c *fiber.Ctx, post domain.Post) articleView {
	view := articleView{
		Card: s.postCard(c, post), Body: s.markdown.article(post.Body), Canonical: s.absolute("/blog/" + post.Slug),
	}
	if view.Card.Large != "" {
		view.Picture = s.absolute(view.Card.Large)
	}
	return view
}

func (s *Site) postCard(c *fiber.Ctx, post domain.Post) postCard {
	card := postCard{ID: post.ID, Slug: post.Slug, Title: post.Title, Lead: s.markdown.lead(post.Body), Views: s.DB.Views(post)}
	if post.PublishedAt != nil {
		card.At = s.moment(c, *post.PublishedAt)
	}
	if post.Image != "" {
		card.Small, card.Large = "/media/"+pictureFile(post.Image, pictureSmall), "/media/"+pictureFile(post.Image, pictureLarge)
	}
	return card
}

// pickPosts are n different posts at random, or all when there are no more.
func pickPosts(all []domain.Post, n int) []domain.Post {
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

// absolute is the public address of a local path.
func (s *Site) absolute(path string) string {
	return strings.TrimSuffix(s.BaseURL.String(), "/") + path
}
