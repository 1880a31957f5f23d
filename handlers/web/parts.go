package web

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"time"

	gocache "github.com/eko/gocache/lib/v4/cache"
	memorystore "github.com/eko/gocache/store/go_cache/v4"
	memory "github.com/patrickmn/go-cache"

	"github.com/gofiber/fiber/v2"
)

// Part is a rendered piece of a page with holes for what differs from one request to the next.
// The parts that visitors see are kept: rendered and compressed once for each language.
type Part struct {
	of     any
	pieces []piece // text, and at every second place a hole
}

// Hole is a place in a part for what the numbers say, by a name that its Filler knows.
type Hole struct {
	Name string // one word
	A, B int64
}

// HTML is the hole in a view. No text that a template writes holds a NUL.
func (h Hole) HTML() template.HTML {
	return template.HTML(fmt.Sprint("\x00", h.Name, " ", h.A, " ", h.B, "\x00"))
}

// Filler answers a request's content of a hole by adding to the page.
type Filler func(to *Body, hole Hole) error

// partTTL: a part that nobody asks for goes; whether one is still right is told by what it was rendered from.
const partTTL = time.Minute

func newParts() *gocache.Cache[*Part] {
	return gocache.New[*Part](memorystore.NewGoCache(memory.New(partTTL, partTTL)))
}

// shares reports whether the answer is the same for all visitors who ask for this path in this language:
// nobody is signed in, and no cookie but that of the language says anything. Only the exact path is kept, since
// anybody can make up parameters without end, and pages name their address.
func (r *Request) shares(path string) bool {
	if !r.Reads() || string(r.Ctx.Request().RequestURI()) != path {
		return false
	}
	cookies := 0
	for name := range r.Ctx.Request().Header.Cookies() {
		if string(name) != LanguageCookie {
			cookies++
		}
	}
	return cookies == 0
}

// SharedPage answers with a page, as Page does, that is rendered once for all visitors where it can be.
// path is its address without what doesn't change it, "" for a page that isn't for visitors; of is comparable and
// all that the view is made of besides the language; fill, which may be nil, answers the holes in it.
func (r *Request) SharedPage(path, name string, of any, view func() (any, error), fill Filler) error {
	render := func() ([]byte, error) {
		shown, err := view()
		if err != nil {
			return nil, err
		}
		return r.page(fiber.StatusOK, name, shown)
	}
	shares, err := r.shares(path), error(nil)
	var part *Part
	if shares {
		key := "page " + path
		if r.HTMX() {
			key += " fragment"
		}
		if r.Site.Inbox && r.Remote().Local() {
			key += " inbox" // stands in the menu
		}
		part, err = r.Part(key, of, render)
	} else {
		part, err = newPart(of, false, render)
	}
	if err != nil {
		return err
	}
	r.head(fiber.StatusOK)
	body := newBody(r, shares)
	if err := body.Add(part, fill); err != nil {
		return err
	}
	body.end()
	return nil
}

// Part is the part kept under the key in the viewer's language and zone, rendered unless it is there and made of the
// same. What depends on anything else of the viewer must not be kept.
func (r *Request) Part(key string, of any, render func() ([]byte, error)) (*Part, error) {
	key = r.Viewer.Lang + " " + r.Viewer.Zone.String() + " " + key
	ctx := context.Background()
	if kept, err := r.Site.parts.Get(ctx, key); err == nil && kept.of == of {
		return kept, nil
	}
	part, err := newPart(of, true, render)
	if err == nil {
		err = r.Site.parts.Set(ctx, key, part)
	}
	return part, err
}

func newPart(of any, kept bool, render func() ([]byte, error)) (*Part, error) {
	rendered, err := render()
	if err != nil {
		return nil, err
	}
	part := &Part{of: of}
	for n, text := range bytes.Split(rendered, []byte{0}) {
		one := piece{text: text}
		if n%2 == 1 {
			if _, err := fmt.Sscan(string(text), &one.hole.Name, &one.hole.A, &one.hole.B); err != nil {
				return nil, fmt.Errorf("hole %q: %w", text, err)
			}
		} else if kept {
			one.compress()
		}
		part.pieces = append(part.pieces, one)
	}
	return part, nil
}

// Add adds a part to the page, with its holes filled.
func (b *Body) Add(part *Part, fill Filler) error {
	for n, one := range part.pieces {
		if n%2 == 0 {
			b.write(one)
		} else if err := fill(b, one.hole); err != nil {
			return err
		}
	}
	return nil
}
