package brands

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"html/template"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// PublicPage is around what strangers see of an owner: visitors of a form, recipients of an email.
type PublicPage struct {
	Owner  string // where the brand has no name
	Framed bool   // in the owner's page
	Hidden bool   // from search engines
	Wide   bool   // of several cards
	Leads  string // an origin beside ours to which its form may lead
}

// publicView is the block brands/public: a document of its own, in the owner's colours and without scripts.
type publicView struct {
	PublicPage
	Lang, Logo, Path, Flash string
	Title, Content          template.HTML
	Style                   template.CSS
	Languages               []templates.Option
}

// ShowPublic answers with a page in the owner's look. A page on which people agree to something stands in no frame of another
// site: one that is laid over it could have them press its button.
func ShowPublic(r *web.Request, b domain.Brand, status int, name string, view any, at PublicPage) error {
	shown, err := r.Site.Templates.Page(r.Viewer.Lang, name, view)
	if err != nil {
		return err
	}
	at.Owner = cmp.Or(b.Name, at.Owner)
	frame := publicView{PublicPage: at, Lang: r.Viewer.Lang, Title: shown.Title, Content: shown.Content, Style: style(b), Path: r.Path(),
		Languages: r.Viewer.Languages(), Flash: r.Browser().TakeFlash()}
	if b.Logo != "" {
		frame.Logo = "/media/" + b.Logo
	}
	sum := sha256.Sum256([]byte(frame.Style))
	ancestors := "'none'"
	if at.Framed {
		ancestors = "'self'"
		r.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	}
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; "+
		"img-src 'self' data:; font-src 'self'; form-action 'self' "+at.Leads+"; frame-ancestors "+ancestors+"; base-uri 'none'")
	return r.Block(status, "brands/public", frame)
}

// style are the owner's colours. Its values are colours and fonts of the brand's own lists.
func style(b domain.Brand) template.CSS {
	return template.CSS(":root{--accent:" + b.Main() + ";--accent-strong:" + b.Main() + ";--on-accent:" + b.OnMain() + ";--pico-font-family:" + b.FontStack() + "}" +
		"main a{color:" + b.Ink() + "}main button:not(.second){border-color:" + b.Ink() + "}" +
		"@media (prefers-color-scheme:light){:root{--page:" + b.Around() + "}.visit-owner,.visit-foot{color:" + b.OnAround() + "}}" +
		"@media (prefers-color-scheme:dark){main a{color:" + b.NightInk() + "}main button:not(.second){border-color:" + b.NightInk() + "}}")
}
