package web

import (
	"bytes"
	"context"
	"html/template"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// frameView is the data of templates/frame.html.
type frameView struct {
	Lang, Path  string
	Title, Head template.HTML
	Languages   []templates.Option
	Name        string // of the viewer, "" for a visitor
	AtAccount   bool
	Away        bool // the database can't tell who asks
	Nav         []navItem
	Hold        holdView
	Flash       string
	Content     template.HTML
	HTMX        bool // the page asks for parts: its script is a third of what a first visit loads
}

// holdView says to who is signed in that no email of a mailing leaves.
type holdView struct {
	On, Copied bool
	Oversees   bool // may know what to do
	Since      Moment
}

// navItem is an entry of the menu, or a fold of several.
type navItem struct {
	Path, Key string
	Current   bool
	Items     []navItem
}

// navMost is how many entries a menu has side by side.
const navMost = 9

// menu puts what belongs together into folds, unless there is room for all.
func menu(list []NavItem, path string) (items []navItem) {
	var folds []navItem
	for _, p := range list {
		item := navItem{Path: p.Path, Key: p.Key, Current: p.has(path)}
		if len(list) <= navMost || p.Group == "" {
			items = append(items, item)
			continue
		}
		at := slices.IndexFunc(folds, func(one navItem) bool { return one.Key == p.Group })
		if at < 0 {
			at, folds = len(folds), append(folds, navItem{Key: p.Group})
		}
		folds[at].Items = append(folds[at].Items, item)
		folds[at].Current = folds[at].Current || item.Current
	}
	return append(items, folds...)
}

// Page answers with a page: in the frame, or alone for htmx.
func (r *Request) Page(status int, name string, view any) error {
	page, err := r.page(status, name, view)
	if err != nil {
		return err
	}
	r.head(status)
	return r.Send(page)
}

func (r *Request) page(status int, name string, view any) ([]byte, error) {
	if r.HTMX() {
		return r.Render(name, view)
	}
	to := r.Viewer
	shown, err := r.Site.Templates.Page(to.Lang, name, view)
	if err != nil {
		return nil, err
	}
	if shown.Content, err = r.Browser().Typed().fill(shown.Content); err != nil {
		return nil, err
	}
	path := r.Path()
	frame := frameView{
		Lang: to.Lang, Title: shown.Title, Head: shown.Head, Content: shown.Content, Path: path, Languages: r.Viewer.Languages(),
		Flash: r.Browser().TakeFlash(), AtAccount: path == "/account", Away: status == fiber.StatusServiceUnavailable,
		HTMX: to.User != nil || strings.Contains(string(shown.Content), " hx-"),
	}
	if r.Method() == fiber.MethodGet {
		frame.Path = r.OriginalURL()
	}
	if to.User != nil {
		frame.Name = to.User.Name
		if !frame.Away {
			frame.Hold = r.hold(to)
		}
	}
	frame.Nav = menu(r.Site.navOf(to.User, r.Remote().Local()), path)
	return r.Render("frame", frame)
}

// hold is for the frame, and no page fails for it. When an error page asks, the request's context has ended.
func (r *Request) hold(to Viewer) holdView {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.UserContext()), timeout)
	defer cancel()
	hold, err := r.Site.DB.Installation().Hold(ctx)
	if err != nil {
		r.Site.Log.Warn("a page does not know of a hold", "error", err)
	}
	return holdView{On: hold.On, Copied: hold.Copied, Oversees: to.User.MayOversee(), Since: r.Viewer.Moment(hold.Since)}
}

// StopPolling is htmx's status for an answer after which a part of a page doesn't ask again.
const StopPolling = 286

// Block answers with a template alone: the fragment that htmx swaps in.
func (r *Request) Block(status int, name string, view any) error {
	block, err := r.Render(name, view)
	if err != nil {
		return err
	}
	r.head(status)
	return r.Send(block)
}

// head begins an answer of HTML.
func (r *Request) head(status int) {
	r.Status(status).Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	r.Vary("HX-Request", "Accept-Language", "Accept-Encoding", "Cookie")
}

// Render is a template in the viewer's language.
func (r *Request) Render(name string, view any) ([]byte, error) {
	var out bytes.Buffer
	err := r.Site.Templates.Render(&out, r.Viewer.Lang, name, view)
	return out.Bytes(), err
}

// Languages are the choices of the language switch, each in its own words.
func (v Viewer) Languages() (list []templates.Option) {
	for _, lang := range domain.Languages() {
		list = append(list, templates.Option{Value: lang, Label: v.texts.Say(lang, "frame.language_name")})
	}
	return list
}

// Say is a text in a language.
func (s *Site) Say(lang, key string, args ...any) string {
	return s.Templates.Texts().Say(lang, key, args...)
}

// T is a text in the viewer's language.
func (v Viewer) T(key string, args ...any) string {
	return v.texts.Say(v.Lang, key, args...)
}

// Share is which part of the whole it is, in percent.
func (v Viewer) Share(part, whole int64) string {
	tenths := (1000*part + whole/2) / max(1, whole)
	return v.T("results.percent", "Whole", tenths/10, "Part", tenths%10)
}

// TN is a text in the viewer's language, in the plural form that n asks for.
func (v Viewer) TN(key string, n int, args ...any) string {
	return v.texts.Count(v.Lang, key, int64(n), args...)
}

// IsZero tells a time that hasn't come: {{with}} and {{if}} can't ask a struct.
func (m Moment) IsZero() bool { return m.UTC == "" }
