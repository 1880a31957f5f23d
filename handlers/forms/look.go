package forms

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"

	"github.com/gofiber/fiber/v2"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/markup"
	"skychimp/handlers/web"
	"skychimp/templates"
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

// publicView is the block forms/public: a document of its own, in the owner's colours and without scripts.
type publicView struct {
	Lang, Owner, Logo, Path string
	Title, Content          template.HTML
	Style                   template.CSS
	Languages               []templates.Option
	Hidden, Framed          bool
}

// public answers with a page for visitors. A page on which people agree to something stands in no frame of another
// site: one that is laid over it could have them press its button.
func (h *Forms) public(r *web.Request, status int, name string, view any, at page) error {
	shown, err := r.Site.Templates.Page(r.Viewer.Lang, name, view)
	if err != nil {
		return err
	}
	brand, err := h.DB.Brands().Get(r.UserContext(), at.form.OwnerID)
	if err != nil {
		return err
	}
	frame := publicView{Lang: r.Viewer.Lang, Title: shown.Title, Owner: brand.Name, Content: shown.Content, Style: style(brand), Path: r.Path(),
		Languages: r.Viewer.Languages(), Hidden: at.hidden, Framed: at.framed}
	if frame.Owner == "" {
		frame.Owner = at.form.Owner.SenderName()
	}
	if brand.Logo != "" {
		frame.Logo = "/media/" + brand.Logo
	}
	sum := sha256.Sum256([]byte(frame.Style))
	ancestors := "'none'"
	if at.framed {
		ancestors = "'self'"
		r.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	}
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; "+
		"img-src 'self' data:; font-src 'self'; form-action 'self' "+at.leads+"; frame-ancestors "+ancestors+"; base-uri 'none'")
	return r.Block(status, "forms/public", frame)
}

// style are the owner's colours. Its values are colours and fonts of the brand's own lists.
func style(b domain.Brand) template.CSS {
	return template.CSS(":root{--accent:" + b.Main() + ";--accent-strong:" + b.Main() + ";--on-accent:" + b.OnMain() + ";--pico-font-family:" + b.FontStack() + "}" +
		"main a{color:" + b.Ink() + "}main button:not(.second){border-color:" + b.Ink() + "}" +
		"@media (prefers-color-scheme:light){:root{--page:" + b.Around() + "}.visit-owner,.visit-foot{color:" + b.OnAround() + "}}" +
		"@media (prefers-color-scheme:dark){main a{color:" + b.NightInk() + "}main button:not(.second){border-color:" + b.NightInk() + "}}")
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
