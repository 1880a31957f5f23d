package handlers

import (
	"bytes"
	"context"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// frameView is the data of templates/frame.html.
type frameView struct {
	Lang, Path  string
	Title, Head template.HTML
	Languages   []templates.Option
	Name        string // of the reader, "" for a visitor
	AtAccount   bool
	Away        bool // the database can't tell who asks
	Nav         []navItem
	Hold        holdView
	Flash       string
	Content     template.HTML
}

// holdView says to who is signed in that no email of a mailing leaves.
type holdView struct {
	On, Copied bool
	Oversees   bool // may know what to do
	Since      Moment
}

type navItem struct {
	Path, Key string
	Current   bool
}

// page answers with a page: in the frame, or alone for htmx.
func (s *Site) page(c *fiber.Ctx, status int, name string, view any) error {
	if isHTMX(c) {
		return s.block(c, status, name, view)
	}
	to := s.reader(c)
	shown, err := s.templates.Page(to.Lang, name, view)
	if err != nil {
		return err
	}
	path := c.Path()
	frame := frameView{
		Lang: to.Lang, Title: shown.Title, Head: shown.Head, Content: shown.Content, Path: path, Languages: s.languages(),
		Flash: s.takeFlash(c), AtAccount: path == "/account", Away: status == fiber.StatusServiceUnavailable,
	}
	if c.Method() == fiber.MethodGet {
		frame.Path = c.OriginalURL()
	}
	if to.User != nil {
		frame.Name = to.User.Name
		if !frame.Away {
			frame.Hold = s.hold(c, to)
		}
	}
	for _, p := range s.placesOf(to.User, s.isLocal(c)) {
		frame.Nav = append(frame.Nav, navItem{p.Path, p.Key, p.has(path)})
	}
	return s.block(c, status, "frame", frame)
}

// hold is for the frame, and no page fails for it. When an error page asks, the request's context has ended.
func (s *Site) hold(c *fiber.Ctx, to Reader) holdView {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), patience)
	defer cancel()
	hold, err := s.DB.Hold(ctx)
	if err != nil {
		s.Log.Warn("a page does not know of a hold", "error", err)
	}
	return holdView{On: hold.On, Copied: hold.Copied, Oversees: to.User.MayOversee(), Since: s.moment(c, hold.Since)}
}

// block answers with a template alone: the fragment that htmx swaps in.
func (s *Site) block(c *fiber.Ctx, status int, name string, view any) error {
	var out bytes.Buffer
	if err := s.templates.Render(&out, s.reader(c).Lang, name, view); err != nil {
		return err
	}
	c.Status(status).Type("html", "utf-8")
	c.Vary("HX-Request", "Accept-Language", "Cookie")
	return c.Send(out.Bytes())
}

// languages are the choices of the language switch, each in its own words.
func (s *Site) languages() (list []templates.Option) {
	for _, lang := range domain.Languages() {
		list = append(list, templates.Option{Value: lang, Label: s.say(lang, "frame.language_name")})
	}
	return list
}

func (s *Site) say(lang, key string, args ...any) string {
	return s.templates.Texts().Say(lang, key, args...)
}

// t is a text in the reader's language.
func (s *Site) t(c *fiber.Ctx, key string, args ...any) string {
	return s.say(s.reader(c).Lang, key, args...)
}

// tn is a text in the reader's language, in the plural form that n asks for.
func (s *Site) tn(c *fiber.Ctx, key string, n int) string {
	return s.templates.Texts().Count(s.reader(c).Lang, key, int64(n))
}

// Moment is a point in time for the block ui/time.
type Moment struct {
	UTC, Text, Zone string
}

// IsZero tells a time that hasn't come: {{with}} and {{if}} can't ask a struct.
func (m Moment) IsZero() bool { return m.UTC == "" }

// moment writes a point in time in the reader's zone and language.
func (s *Site) moment(c *fiber.Ctx, at time.Time) Moment {
	if at.IsZero() {
		return Moment{}
	}
	to := s.reader(c)
	local := at.In(to.Zone)
	text := s.say(to.Lang, "time.moment",
		"Day", local.Day(), "Month", s.say(to.Lang, "time.month_"+local.Format("01")),
		"Year", local.Format("2006"), "Clock", local.Format("15:04"))
	return Moment{UTC: at.UTC().Format(time.RFC3339), Text: text, Zone: to.Zone.String()}
}

// problems are the broken rules in err as texts for the form; ok is false when err is
// something else, which the handler returns.
func (s *Site) problems(c *fiber.Ctx, err error) (texts templates.Problems, ok bool) {
	list := refusals(err)
	if len(list) == 0 {
		return nil, false
	}
	texts = templates.Problems{}
	for _, one := range list {
		if one.Kind != domain.Invalid && one.Kind != domain.Conflict {
			return nil, false
		}
		if texts[one.Field] == "" {
			texts[one.Field] = s.templates.Texts().Fill(s.reader(c).Lang, one.Key, one.Args)
		}
	}
	return texts, true
}

// pagerView is the block ui/pager; Previous and Next are addresses, "" at the ends.
type pagerView struct{ Previous, Next, Text string }

// pager leads from one page of a list to the next, with the address's other parameters kept.
// Pages count from 1.
func (s *Site) pager(c *fiber.Ctx, page, pages int) pagerView {
	to := func(page int) string {
		query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
		if err != nil || page < 1 || page > pages {
			return ""
		}
		query.Set("page", strconv.Itoa(page))
		return c.Path() + "?" + query.Encode()
	}
	return pagerView{to(page - 1), to(page + 1), s.t(c, "ui.page_of", "Page", page, "Pages", pages)}
}

func isHTMX(c *fiber.Ctx) bool { return c.Get("HX-Request") == "true" }

// redirect sends the browser to a local path.
func (s *Site) redirect(c *fiber.Ctx, path string) error {
	if isHTMX(c) {
		c.Set("HX-Redirect", path)
		return c.SendStatus(fiber.StatusOK)
	}
	return c.Redirect(path, fiber.StatusSeeOther)
}

// localPath is next when it is a path of this site, else otherwise.
func localPath(next, otherwise string) string {
	outside := !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) ||
		slices.ContainsFunc([]rune(next), func(r rune) bool { return r < ' ' || r == 0x7f })
	if outside {
		return otherwise
	}
	return next
}
