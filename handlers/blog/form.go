package blog

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// postForm is the page blog/edit, also for a new post.
type postForm struct {
	web.Form
	ID                       int64
	Title, Body, PublishedAt string
	Picture, Small           string // the picture's name and address; kept while a form is refused
	State                    domain.PostState
	Zone                     string
}

func (h *Blog) New(r *web.Request) error {
	return h.showForm(r, nil, postForm{State: domain.Draft})
}

func (h *Blog) Edit(r *web.Request) error {
	post, err := h.DB.Posts().Get(r.UserContext(), r.ID())
	if err != nil {
		return err
	}
	form := postForm{ID: post.ID, Title: post.Title, Body: post.Body,
		PublishedAt: h.publishedWall(r, post.PublishedAt), Picture: post.Image, State: post.State(time.Now())}
	form.Revision = web.Revision(revised(post))
	return h.showForm(r, nil, form)
}

// revised is what makes another revision of a post when it changes.
func revised(p domain.Post) any {
	published := int64(0)
	if p.PublishedAt != nil {
		published = p.PublishedAt.UnixMicro()
	}
	return []any{p.Title, p.Body, p.Image, published}
}

func (h *Blog) showForm(r *web.Request, refusal error, form postForm) error {
	form.Zone = r.Viewer.Zone.String()
	if form.Picture != "" {
		form.Small = "/media/" + pictures.File(form.Picture, pictures.Small)
	}
	return r.Form(refusal, "blog/edit", &form)
}

// publishedWall is a moment as a form of the viewer shows it, "" for none.
func (h *Blog) publishedWall(r *web.Request, at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.In(r.Viewer.Zone).Format(domain.WallFormat)
}

func (h *Blog) Create(r *web.Request) error {
	post := domain.Post{AuthorID: r.Viewer.User.ID}
	change, err := h.postChange(r)
	if err != nil {
		return err
	}
	if err = change(&post); err == nil {
		err = h.DB.Posts().Create(r.UserContext(), &post)
	}
	return h.savedPost(r, post, domain.Post{}, err)
}

func (h *Blog) Update(r *web.Request) error {
	change, err := h.postChange(r)
	if err != nil {
		return err
	}
	var before domain.Post
	post, err := h.DB.Posts().Update(r.UserContext(), r.ID(), func(post *domain.Post) error {
		before = *post
		return cmp.Or(r.CheckRevision(revised(before)), change(post))
	})
	return h.savedPost(r, post, before, err)
}

// savedPost leads to the list, or shows the form again with all that was typed.
func (h *Blog) savedPost(r *web.Request, post, before domain.Post, err error) error {
	if err != nil {
		form := postForm{ID: r.ID(), Title: r.FormValue("title"), Body: r.FormValue("body"), PublishedAt: r.FormValue("published_at"),
			Picture: post.Image, State: before.State(time.Now())}
		form.Against(r, err, revised(before), templates.Option{Label: r.Viewer.T("blog.field_title"), Value: before.Title},
			templates.Option{Label: r.Viewer.T("blog.field_body"), Value: before.Body})
		return h.showForm(r, err, form)
	}
	return r.Done("/admin/posts", "blog.saved_"+string(post.State(time.Now())), "Title", post.Title)
}

// postChange is what the form asks to change of a post, with its upload made a picture already.
// `publish` is the button that was used: now, draft, or none to take the date as it stands. A
// field that isn't sent keeps its value.
func (h *Blog) postChange(r *web.Request) (func(*domain.Post) error, error) {
	picture, err := h.postPicture(r)
	refused, _ := errors.AsType[*domain.Error](err)
	if err != nil && refused == nil {
		return nil, err
	}
	form := domain.PostForm{Title: r.FormValue("title"), Body: r.FormValue("body"), Zone: r.Viewer.Zone}
	now, publish, date, dated := time.Now(), r.FormValue("publish"), r.FormValue("published_at"), r.Has("published_at")
	return func(post *domain.Post) error {
		before := post.PublishedAt
		if form.PublishedAt = date; publish != "" {
			form.PublishedAt = ""
		}
		problems, _ := errors.AsType[domain.ValidationErrors](post.Change(form))
		switch {
		case publish == "now":
			post.PublishedAt = &now
		case publish == "" && (!dated || date == h.publishedWall(r, before)):
			post.PublishedAt = before // with its seconds
		}
		switch {
		case r.FormValue("remove_image") != "":
			post.Image = ""
		case picture != "":
			post.Image = picture
		}
		if heavy, ok := errors.AsType[*domain.Error](h.markdown.checkLinks(post.Body)); ok {
			problems = append(problems, heavy)
		}
		if refused != nil {
			problems = append(problems, refused)
		}
		return problems.Err()
	}, nil
}

// postPicture is the name of the picture that was sent: as a file, or with a form that was
// refused before, in the hidden field. It is "" when none was sent.
func (h *Blog) postPicture(r *web.Request) (string, error) {
	kept := r.FormValue("picture")
	if !pictures.IsName(kept) {
		kept = ""
	} else if there, err := h.Media.Has(r.UserContext(), pictures.File(kept, pictures.Large)); err != nil || !there {
		kept = ""
	}
	content, err := pictures.Uploaded(r, "image")
	if err != nil || content == nil {
		return kept, err
	}
	release, err := r.Unfolding()
	if err != nil {
		return kept, err
	}
	name, files, err := pictures.Make(content)
	release()
	if err != nil {
		return kept, err
	}
	for file, content := range files {
		if err := h.Media.Save(r.UserContext(), file, pictures.Type(file), content); err != nil {
			return kept, err
		}
	}
	return name, nil
}

// Preview shows what is in the form as an article, without saving it.
func (h *Blog) Preview(r *web.Request) error {
	picture, err := h.postPicture(r)
	if err != nil && domain.KindOf(err) == 0 {
		return err
	}
	if err := h.markdown.check(r.FormValue("body")); err != nil {
		return err
	}
	now := time.Now()
	post := domain.Post{Title: r.FormValue("title"), Body: r.FormValue("body"), Image: picture, PublishedAt: &now}
	post.ID, _ = strconv.ParseInt(r.FormValue("id"), 10, 64)
	view := adminPostView{h.articleView(r, post), domain.Draft}
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "blog/text", view.Article)
	}
	return r.SharedPage("", "blog/preview", nil, func() (any, error) { return view, nil }, h.Fill(r, nil))
}
