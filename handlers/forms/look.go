package forms

import (
	"bytes"
	"html/template"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/markup"
	"skychimp/handlers/brands"
	"skychimp/handlers/web"
)

// markdown shows the texts of owners to strangers: words and links, no pictures.
type markdown struct {
	language goldmark.Markdown
	allowed  *bluemonday.Policy
}

func newMarkdown() markdown {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "em", "strong", "del")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return markdown{markup.New(), p}
}

// html is Markdown as safe HTML. A text that would unfold to far more than it is stays as it was typed.
func (m markdown) html(typed string) template.HTML {
	if typed == "" {
		return ""
	}
	source, out := []byte(typed), bytes.Buffer{}
	root, err := markup.Parse(m.language, source)
	if err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(typed) + "</p>")
	}
	_ = m.language.Renderer().Render(&out, source, root) // a buffer takes everything
	return template.HTML(m.allowed.SanitizeBytes(out.Bytes()))
}

// page is around what visitors of a form see.
type page struct {
	form   db.PublicForm
	framed bool   // in the owner's page
	hidden bool   // from search engines
	leads  string // an origin beside ours to which its form may lead
}

// public answers with a page for visitors, in the owner's look.
func (h *Forms) public(r *web.Request, status int, name string, view any, at page) error {
	brand, err := h.DB.Brands().Get(r.UserContext(), at.form.OwnerID)
	if err != nil {
		return err
	}
	return brands.ShowPublic(r, brand, status, name, view, brands.PublicPage{Owner: at.form.Owner.SenderName(), Hidden: at.hidden, Framed: at.framed, Leads: at.leads})
}

// pasteView is the block forms/paste: HTML for pages of other sites.
type pasteView struct {
	visitView
	ID, Main, OnMain string
	Bait             string
}

// paste is HTML that the owner puts into any site.
func (h *Forms) paste(r *web.Request, form db.PublicForm) (string, error) {
	brand, err := h.DB.Brands().Get(r.UserContext(), form.OwnerID)
	if err != nil {
		return "", err
	}
	view := h.visitForm(r, form, domain.SignupInput{}, domain.NewTrap(h.Secret, form.Token, pasted), nil)
	view.Action = r.Site.Absolute(view.Action)
	html, err := r.Render("forms/paste", pasteView{*view, "signup-" + form.Token[:6], brand.Main(), brand.OnMain(), bait})
	return string(bytes.TrimSpace(html)), err
}
