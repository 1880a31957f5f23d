// Package brands answers what concerns the look of an owner's emails and public pages.
package brands

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Brands answers what concerns an owner's brand.
type Brands struct {
	DB       *db.DB
	Messages *messages.Messages
}

// brandForm is the page brands/edit.
type brandForm struct {
	web.ListForm
	domain.BrandForm
	Logo  string // its path, "" for none
	Fonts []templates.Option
}

const path = "/brand"

func readForm(r *web.Request) domain.BrandForm {
	return domain.BrandForm{Name: r.FormValue("name"), Color: r.FormValue("color"), Ground: r.FormValue("ground"), Font: r.FormValue("font"),
		Address: r.FormValue("address"), Reason: r.FormValue("reason"), Links: r.FormValue("links")}
}

// Edit shows the form with what is saved.
func (h *Brands) Edit(r *web.Request) error {
	b, err := h.DB.Brands().Get(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	form := formOf(b)
	form.ListForm.Revision = web.Revision(b.Revision)
	return h.show(r, nil, form)
}

func formOf(b domain.Brand) *brandForm {
	return &brandForm{Logo: b.Logo, BrandForm: domain.BrandForm{Name: b.Name, Color: b.Main(), Ground: b.Around(), Font: b.Font,
		Address: b.Address, Reason: b.Reason, Links: strings.Join(b.Links, "\n")}}
}

func (h *Brands) show(r *web.Request, refused error, form *brandForm) error {
	for _, one := range domain.BrandFonts() {
		form.Fonts = append(form.Fonts, templates.Option{Value: one.Key, Label: cmp.Or(one.Name, r.Viewer.T("brands.font_own"))})
	}
	if form.Logo != "" {
		form.Logo = "/media/" + form.Logo
	}
	return r.Form(refused, "brands/edit", form)
}

// Update saves the form, with the picture that was chosen as a logo.
func (h *Brands) Update(r *web.Request) error {
	typed := readForm(r)
	file, err := h.Messages.KeepPicture(r, "image")
	switch {
	case file != "":
		typed.Logo = &file
	case r.FormValue("no_logo") != "":
		typed.Logo = new(string)
	}
	var stored domain.Brand
	if err == nil {
		_, err = h.DB.Brands().Update(r.UserContext(), r.Viewer.User.ID, func(b *domain.Brand) error {
			stored = *b
			return cmp.Or(r.CheckRevision(b.Revision), b.Change(typed, time.Now()))
		})
	}
	if err == nil {
		return r.Done(path, "brands.saved")
	}
	if stored.OwnerID == 0 {
		kept, wrong := h.DB.Brands().Get(r.UserContext(), r.Viewer.User.ID)
		if stored = kept; wrong != nil {
			return wrong
		}
	}
	form := &brandForm{BrandForm: typed, Logo: stored.Logo}
	form.Against(r, err, stored.Revision, h.stored(r, stored)...)
	return h.show(r, err, form)
}

// stored is what somebody else has saved meanwhile, in words.
func (h *Brands) stored(r *web.Request, b domain.Brand) (list []templates.Option) {
	for _, one := range [][2]string{{"name", b.Name}, {"color", b.Main()}, {"ground", b.Around()}, {"font", b.Font}, {"address", b.Address},
		{"reason", b.Reason}, {"links", strings.Join(b.Links, "\n")}} {
		list = append(list, templates.Option{Label: r.Viewer.T("brands." + one[0]), Value: one[1]})
	}
	return list
}

// Preview is an email in the look of the form.
func (h *Brands) Preview(r *web.Request) error {
	owner := *r.Viewer.User
	b, err := h.DB.Brands().Get(r.UserContext(), owner.ID)
	if err != nil {
		return err
	}
	err = b.Change(readForm(r), time.Now())
	if text := r.Viewer.Problem(err); text != "" {
		return r.Status(fiber.StatusUnprocessableEntity).SendString(text)
	}
	if err != nil {
		return err
	}
	subject, body := templates.Example(r.Viewer.Lang, templates.ExampleNames()[0], r.Site.Absolute(""))
	compiled, to, err := h.Messages.EmailIn(r, owner, domain.Message{OwnerID: owner.ID, Subject: subject, Body: body}, b)
	if err != nil {
		return err
	}
	return messages.ShowEmail(r, email.Shown(compiled.HTML(to), "light"))
}

// Style is the style sheet of public pages in the colours and the font of its name, the same for ever.
func (h *Brands) Style(r *web.Request) error {
	name, isStyle := strings.CutSuffix(r.Params("name"), ".css")
	b, ok := domain.BrandOfStyle(name)
	if !isStyle || !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	r.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(365*24*60*60)+", immutable")
	r.Type("css", "utf-8")
	return r.SendString(b.Style())
}
