package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// postRow is the block adminposts/row.
type postRow struct {
	postCard
	State domain.PostState
}

// adminPostsView is the page adminposts/list and its block adminposts/results.
type adminPostsView struct {
	Query    string
	State    domain.PostState
	States   []templates.Option
	Self     string // the address of these results
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []postRow
	Pager    pagerView
}

// Empty tells a blog without posts from a search without results.
func (v adminPostsView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" && v.State == "" }

// adminPostView is the page adminposts/show: the article as its readers see it.
type adminPostView struct {
	Article articleView
	State   domain.PostState
}

// adminPosts is the list of all posts; its search asks for the results alone.
func (s *Site) adminPosts(c *fiber.Ctx) error {
	now := time.Now()
	filter := db.PostFilter{Query: c.Query("q"), State: domain.PostState(c.Query("status")), Now: now, Page: c.QueryInt("page", 1)}
	posts, total, err := s.DB.Posts(c.UserContext(), filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view := adminPostsView{Query: filter.Query, State: filter.State, Self: c.OriginalURL(),
		Found: s.templates.Texts().Count(s.reader(c).Lang, "posts.found", int64(total)),
		Pager: s.pager(c, min(max(filter.Page, 1), pages), pages), Fragment: isHTMX(c)}
	for _, post := range posts {
		view.Rows = append(view.Rows, postRow{s.postCard(c, post), post.State(now)})
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "adminposts/results", view)
	}
	view.States = []templates.Option{{Label: s.t(c, "posts.all_states")}}
	for _, state := range []domain.PostState{domain.Draft, domain.Scheduled, domain.Published} {
		view.States = append(view.States, templates.Option{Value: string(state), Label: s.t(c, "posts.state_"+string(state))})
	}
	return s.page(c, fiber.StatusOK, "adminposts/list", view)
}

// adminPost shows a post of any state as its readers see it, and counts nobody.
func (s *Site) adminPost(c *fiber.Ctx) error { return s.showPost(c, "adminposts/show") }

// deletePostForm asks whether it is meant, for browsers without JavaScript.
func (s *Site) deletePostForm(c *fiber.Ctx) error { return s.showPost(c, "adminposts/delete") }

func (s *Site) showPost(c *fiber.Ctx, page string) error {
	post, err := s.DB.Post(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, page, adminPostView{s.articleView(c, post), post.State(time.Now())})
}

func (s *Site) deletePost(c *fiber.Ctx) error {
	if err := s.DB.DeletePost(c.UserContext(), pathID(c)); err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, "posts.deleted")
		c.Set("HX-Trigger-After-Swap", "posts-changed")
		return c.Send(nil) // SendStatus would write "OK" where the row was
	}
	return s.done(c, "/admin/posts", "posts.deleted")
}
