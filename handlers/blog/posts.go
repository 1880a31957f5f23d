package blog

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// postRow is the block blog/row.
type postRow struct {
	Card
	Views int64
	State domain.PostState
}

// adminPostsView is the page blog/manage and its block blog/results.
type adminPostsView struct {
	Query    string
	State    domain.PostState
	States   []templates.Option
	Self     string // the address of these results
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []postRow
	Pager    web.Pager
}

// Empty tells a blog without posts from a search without results.
func (v adminPostsView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" && v.State == "" }

// adminPostView is the page blog/show: the article as its readers see it.
type adminPostView struct {
	Article articleView
	State   domain.PostState
}

// Manage is the list of all posts; its search asks for the results alone.
func (h *Blog) Manage(r *web.Request) error {
	now := time.Now()
	filter := db.PostFilter{Query: r.Query("q"), State: domain.PostState(r.Query("status")), Now: now, Page: r.ListPage()}
	posts, total, err := h.DB.Posts().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := adminPostsView{Query: filter.Query, State: filter.State, Self: r.OriginalURL(),
		Found: r.Viewer.Found("blog.found", total),
		Pager: r.ListPager(filter.Page, total, len(posts), func(n int) db.Cursor { return db.Cursor{posts[n].ID} }), Fragment: r.HTMX()}
	for _, post := range posts {
		view.Rows = append(view.Rows, postRow{h.card(r, post), h.DB.Posts().Views(post), post.State(now)})
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "blog/results", view)
	}
	view.States = []templates.Option{{Label: r.Viewer.T("blog.all_states")}}
	for _, state := range []domain.PostState{domain.Draft, domain.Scheduled, domain.Published} {
		view.States = append(view.States, templates.Option{Value: string(state), Label: r.Viewer.T("blog.state_" + string(state))})
	}
	return r.Page(fiber.StatusOK, "blog/manage", view)
}

// ShowDraft shows a post of any state as its readers see it, and counts nobody.
func (h *Blog) ShowDraft(r *web.Request) error { return h.showPost(r, "blog/show") }

// AskDelete asks whether it is meant, for browsers without JavaScript.
func (h *Blog) AskDelete(r *web.Request) error { return h.showPost(r, "blog/delete") }

func (h *Blog) showPost(r *web.Request, page string) error {
	post, err := h.DB.Posts().Get(r.UserContext(), r.ID())
	if err != nil {
		return err
	}
	view := func() (any, error) { return adminPostView{h.articleView(r, post), post.State(time.Now())}, nil }
	return r.SharedPage("", page, nil, view, h.Fill(r, nil))
}

func (h *Blog) Delete(r *web.Request) error {
	if err := h.DB.Posts().Delete(r.UserContext(), r.ID()); err != nil {
		return err
	}
	return r.Saved("/admin/posts", web.Fragment{Event: "posts-changed"}, "blog.deleted")
}
