package blog

import (
	"html/template"
	"math/rand/v2"
	"slices"
	"strconv"
	"unicode"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// What differs on the public pages from one visitor to the next: how often a post was read, and which posts are
// shown beside it. Pages have holes there.

// viewsHole is where the block blog/views of a post stands.
func viewsHole(post domain.Post) template.HTML {
	return web.Hole{Name: "views", A: post.ID, B: post.Views}.HTML()
}

// CardsHole is where n cards of random posts stand, but not of the post except.
func CardsHole(n, except int64) template.HTML {
	return web.Hole{Name: "cards", A: n, B: except}.HTML()
}

// Version is the same for lists that are the same, as long as any of them is in use.
func Version(posts []domain.Post) any {
	type version struct {
		first *domain.Post
		n     int
	}
	if len(posts) == 0 {
		return version{}
	}
	return version{&posts[0], len(posts)}
}

// Fill answers the holes of a page about published posts.
func (h *Blog) Fill(r *web.Request, posts []domain.Post) web.Filler {
	var fill web.Filler
	fill = func(to *web.Body, hole web.Hole) error {
		if hole.Name == "views" {
			return h.addViews(r, to, domain.Post{ID: hole.A, Views: hole.B})
		}
		others := slices.DeleteFunc(pickFor(r.Viewer.Lang, posts, int(hole.A)+1), func(p domain.Post) bool { return p.ID == hole.B })
		for _, post := range others[:min(int(hole.A), len(others))] {
			if err := h.addCard(r, to, post, Version(posts), fill); err != nil {
				return err
			}
		}
		return nil
	}
	return fill
}

func (h *Blog) addCard(r *web.Request, to *web.Body, post domain.Post, of any, fill web.Filler) error {
	card, err := r.Part("card "+strconv.FormatInt(post.ID, 10), of, func() ([]byte, error) {
		return r.Render("blog/card", h.card(r, post))
	})
	if err != nil {
		return err
	}
	return to.Add(card, fill)
}

func (h *Blog) addViews(r *web.Request, to *web.Body, post domain.Post) error {
	views := h.DB.Posts().Views(post)
	part, err := r.Part("views "+strconv.FormatInt(post.ID, 10), views, func() ([]byte, error) {
		return r.Render("blog/views", views)
	})
	if err != nil {
		return err
	}
	return to.Add(part, nil)
}

// pick are n different posts at random, or all when there are no more.
// pickFor is pick of the posts in the reader's language before the others.
func pickFor(lang string, all []domain.Post, n int) []domain.Post {
	own := slices.DeleteFunc(slices.Clone(all), func(p domain.Post) bool { return cyrillic(p.Title) != (lang == "ru") })
	others := slices.DeleteFunc(slices.Clone(all), func(p domain.Post) bool { return cyrillic(p.Title) == (lang == "ru") })
	picked := pick(own, n)
	return append(picked, pick(others, n-len(picked))...)
}

// cyrillic reports whether most of a title's letters are: posts don't say their language.
func cyrillic(title string) bool {
	n := 0
	for _, r := range title {
		switch {
		case unicode.Is(unicode.Cyrillic, r):
			n++
		case unicode.IsLetter(r):
			n--
		}
	}
	return n > 0
}

func pick(all []domain.Post, n int) []domain.Post {
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
