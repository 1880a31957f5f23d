package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// homeView is the page home/page.
type homeView struct {
	domain.Stats
	Counted            bool // the numbers are known
	Canonical, Picture string
	SignedIn           bool
	Start              string // where the reader's work begins
	Cards              []postCard
}

// home tells what the service is for, with its numbers and three posts.
func (s *Site) home(c *fiber.Ctx) error {
	stats, uncounted := s.DB.Stats(c.UserContext())
	if uncounted != nil {
		s.warn("home without its numbers", uncounted)
	}
	posts, err := s.DB.PublishedPosts(c.UserContext(), time.Now())
	if err != nil {
		return err
	}
	view := homeView{Stats: stats, Counted: uncounted == nil, Canonical: s.absolute("/"), Start: "/register"}
	share, err := s.files.URL("images/share.jpg")
	if err != nil {
		return err
	}
	view.Picture = s.absolute(share)
	if user := s.reader(c).User; user != nil {
		view.SignedIn, view.Start = true, s.landing(user)
	}
	for _, post := range pickPosts(posts, 3) {
		view.Cards = append(view.Cards, s.postCard(c, post))
	}
	return s.page(c, fiber.StatusOK, "home/page", view)
}
