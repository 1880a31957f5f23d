package handlers

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// postForm is the page adminposts/edit, also for a new post.
type postForm struct {
	ID                       int64
	Title, Body, PublishedAt string
	Picture, Small           string // the picture's name and address; kept while a form is refused
	State                    domain.PostState
	Zone                     string
	Problems                 templates.Problems
}

func (s *Site) newPostForm(c *fiber.Ctx) error {
	return s.showPostForm(c, fiber.StatusOK, postForm{State: domain.Draft})
}

func (s *Site) editPostForm(c *fiber.Ctx) error {
	post, err := s.DB.Post(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	return s.showPostForm(c, fiber.StatusOK, postForm{ID: post.ID, Title: post.Title, Body: post.Body,
		PublishedAt: s.publishedWall(c, post.PublishedAt), Picture: post.Image, State: post.State(time.Now())})
}

func (s *Site) showPostForm(c *fiber.Ctx, status int, form postForm) error {
	form.Zone = s.reader(c).Zone.String()
	if form.Picture != "" {
		form.Small = "/media/" + pictureFile(form.Picture, pictureSmall)
	}
	return s.page(c, status, "adminposts/edit", form)
}

// publishedWall is a moment as a form of the reader shows it, "" for none.
func (s *Site) publishedWall(c *fiber.Ctx, at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.In(s.reader(c).Zone).Format(domain.WallFormat)
}

func (s *Site) createPost(c *fiber.Ctx) error {
	post := domain.Post{AuthorID: s.reader(c).User.ID}
	change, err := s.postChange(c)
	if err != nil {
		return err
	}
	if err = change(&post); err == nil {
		err = s.DB.CreatePost(c.UserContext(), &post)
	}
	return s.savedPost(c, post, domain.Draft, err)
}

func (s *Site) updatePost(c *fiber.Ctx) error {
	change, err := s.postChange(c)
	if err != nil {
		return err
	}
	before := domain.Draft
	post, err := s.DB.UpdatePost(c.UserContext(), pathID(c), func(post *domain.Post) error {
		before = post.State(time.Now())
		return change(post)
	})
	return s.savedPost(c, post, before, err)
}

// savedPost leads to the list, or shows the form again with all that was typed.
func (s *Site) savedPost(c *fiber.Ctx, post domain.Post, before domain.PostState, err error) error {
	if texts, ok := s.problems(c, err); ok {
		return s.showPostForm(c, fiber.StatusUnprocessableEntity, postForm{ID: pathID(c), Title: c.FormValue("title"),
			Body: c.FormValue("body"), PublishedAt: c.FormValue("published_at"), Picture: post.Image, State: before, Problems: texts})
	}
	if err != nil {
		return err
	}
	return s.done(c, "/admin/posts", "posts.saved_"+string(post.State(time.Now())), "Title", post.Title)
}

// postChange is what the form asks to change of a post, with its upload made a picture already.
// `publish` is the button that was used: now, draft, or none to take the date as it stands. A
// field that isn't sent keeps its value.
func (s *Site) postChange(c *fiber.Ctx) (func(*domain.Post) error, error) {
	picture, err := s.postPicture(c)
	refused, _ := errors.AsType[*domain.Error](err)
	if err != nil && refused == nil {
		return nil, err
	}
	form := domain.PostForm{Title: c.FormValue("title"), Body: c.FormValue("body"), Zone: s.reader(c).Zone}
	now, publish, date, dated := time.Now(), c.FormValue("publish"), c.FormValue("published_at"), hasField(c, "published_at")
	return func(post *domain.Post) error {
		before := post.PublishedAt
		if form.PublishedAt = date; publish != "" {
			form.PublishedAt = ""
		}
		problems, _ := errors.AsType[domain.Problems](post.Change(form))
		switch {
		case publish == "now":
			post.PublishedAt = &now
		case publish == "" && (!dated || date == s.publishedWall(c, before)):
			post.PublishedAt = before // with its seconds
		}
		switch {
		case c.FormValue("remove_image") != "":
			post.Image = ""
		case picture != "":
			post.Image = picture
		}
		if heavy, ok := errors.AsType[*domain.Error](s.markdown.check(post.Body)); ok {
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
func (s *Site) postPicture(c *fiber.Ctx) (string, error) {
	kept := c.FormValue("picture")
	if !pictureName.MatchString(kept) {
		kept = ""
	} else if there, err := s.Media.Has(c.UserContext(), pictureFile(kept, pictureLarge)); err != nil || !there {
		kept = ""
	}
	upload, err := c.FormFile("image")
	if err != nil || upload.Filename == "" { // no form with files, or nothing chosen
		return kept, nil
	}
	if upload.Size > pictureBytes {
		return kept, refusePicture("posts.image_too_large", "Max", pictureBytes>>20)
	}
	file, err := upload.Open()
	if err != nil {
		return kept, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return kept, err
	}
	s.drawing.Lock()
	name, files, err := makePicture(content)
	s.drawing.Unlock()
	if err != nil {
		return kept, err
	}
	for file, content := range files {
		if err := s.Media.Save(c.UserContext(), file, mediaType(file), content); err != nil {
			return kept, err
		}
	}
	return name, nil
}

func hasField(c *fiber.Ctx, name string) bool {
	if form, err := c.MultipartForm(); err == nil {
		return form.Value[name] != nil
	}
	return c.Request().PostArgs().Has(name)
}

// previewPost shows what is in the form as an article, without saving it.
func (s *Site) previewPost(c *fiber.Ctx) error {
	picture, err := s.postPicture(c)
	if err != nil && domain.KindOf(err) == 0 {
		return err
	}
	if err := s.markdown.check(c.FormValue("body")); err != nil {
		return err
	}
	now := time.Now()
	post := domain.Post{Title: c.FormValue("title"), Body: c.FormValue("body"), Image: picture, PublishedAt: &now}
	post.ID, _ = strconv.ParseInt(c.FormValue("id"), 10, 64)
	view := adminPostView{s.articleView(c, post), domain.Draft}
	if isHTMX(c) {
		return s.block(c, fiber.StatusOK, "posts/text", view.Article)
	}
	return s.page(c, fiber.StatusOK, "adminposts/preview", view)
}
