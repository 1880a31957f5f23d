package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"skychimp/domain"
)

// Forms on their way: what was sent after the session had ended comes back in its form, and what is sent twice makes
// one thing.

const (
	keptCookie = "kept"
	onceField  = "once"
)

// Typed is what this browser sent without a session.
type Typed struct{ r *Request }

// Typed is what this browser sent.
func (b Browser) Typed() Typed { return Typed(b) }

// secrets are never kept.
func isSecret(name string) bool { return name == "password" || name == "current" }

// keep keeps what was typed for the user to whom this browser is known, and is the page of the form; "" where
// nothing was typed. Who never signed in here has no form to lose, and can fill no table.
func (t Typed) keep() (page string) {
	r := t.r
	if r.Reads() || r.Viewer.User != nil {
		return ""
	}
	page = t.formPage()
	_, user := r.Browser().device()
	fields := t.fields()
	if user == 0 || page == "" || len(fields) == 0 {
		return page
	}
	text := fields.Encode()
	if len(text) > domain.KeptFormSize {
		return page
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	sum := sha256.Sum256(secret)
	err := r.Site.DB.FormInputs().Keep(r.UserContext(), domain.KeptForm{TokenHash: sum[:], UserID: user, Page: page, Fields: text})
	if err != nil {
		r.Site.warn("a form is not kept", err)
		return page
	}
	r.Browser().SetCookie(keptCookie, base64.RawURLEncoding.EncodeToString(secret), domain.KeptFormLife)
	return page
}

// fields are those of the request's form, without files and secrets.
func (t Typed) fields() url.Values {
	r := t.r
	fields := url.Values{}
	if form, err := r.MultipartForm(); err == nil {
		for name, values := range form.Value {
			fields[name] = slices.Clone(values)
		}
	} else {
		for name, value := range r.Ctx.Request().PostArgs().All() {
			fields.Add(string(name), string(value))
		}
	}
	for name := range fields {
		if isSecret(name) || name == "_method" {
			delete(fields, name)
		}
	}
	return fields
}

// formPage is the page of the form that was sent: its own, such as /clients/7/edit, else the one that it was sent from.
func (t Typed) formPage() string {
	r := t.r
	path := strings.TrimSuffix(r.Path(), "/")
	if page := t.pageOf(path); page != "" {
		return page
	}
	from := t.sentFrom()
	if strings.HasSuffix(from, "/edit") || strings.HasSuffix(from, "/new") {
		return from
	}
	parent := path[:max(strings.LastIndex(path, "/"), 0)]
	if id := r.Query("id", r.FormValue("id")); id != "" && id != "0" && r.Site.hasPage(parent+"/"+id+"/edit") {
		return parent + "/" + id + "/edit"
	}
	if from != "" && !r.Site.hasPage(strings.TrimSuffix(from, "/")+"/new") { // no list, in which forms are opened in place
		return from
	}
	return cmp.Or(t.pageOf(parent), from)
}

// pageOf is the page of the form that is sent to path, "" when it has none of its own.
func (t Typed) pageOf(path string) string {
	for _, page := range []string{path + "/edit", path + "/new", path} {
		if t.r.Site.hasPage(page) {
			return page
		}
	}
	return ""
}

// sentFrom is the page that the browser says it shows.
func (t Typed) sentFrom() string {
	r := t.r
	from, err := url.Parse(r.Get("HX-Current-URL", r.Get(fiber.HeaderReferer)))
	if err != nil || !r.Site.hasPage(from.Path) {
		return ""
	}
	return LocalPath(from.RequestURI(), "")
}

// hasPage reports whether a page can be asked for at the path.
func (s *Site) hasPage(path string) bool {
	return slices.ContainsFunc(s.routes, func(route Route) bool {
		return route.Method == fiber.MethodGet && route.Guard != Everyone && fits(route.Path, path)
	})
}

// fits reports whether a path is one of a route.
func fits(route, path string) bool {
	want, have := strings.Split(route, "/"), strings.Split(path, "/")
	return len(want) == len(have) && !slices.ContainsFunc(want, func(part string) bool { return part == "*" }) &&
		!slices.ContainsFunc(slices.Collect(zip(want, have)), func(pair [2]string) bool {
			return pair[0] != pair[1] && (!strings.HasPrefix(pair[0], ":") || pair[0] == ":id" && strings.Trim(pair[1], "0123456789") != "")
		})
}

func zip(a, b []string) func(yield func([2]string) bool) {
	return func(yield func([2]string) bool) {
		for i := range a {
			if !yield([2]string{a[i], b[i]}) {
				return
			}
		}
	}
}

// KeepDraft keeps what is being typed into the form of the page that the browser shows; nil where there is no such page.
func (t Typed) KeepDraft() (*Moment, error) {
	r := t.r
	page, fields := t.draftPage(), t.fields()
	text := fields.Encode()
	if page == "" || len(text) > domain.KeptFormSize {
		return nil, nil
	}
	at := r.Viewer.Moment(time.Now())
	return &at, r.Site.DB.FormInputs().KeepDraft(r.UserContext(), domain.KeptForm{UserID: r.Viewer.User.ID, Page: page, Fields: text})
}

// DropDraft forgets what was typed there, and is that page.
func (t Typed) DropDraft(page string) (string, error) {
	if at, err := url.Parse(LocalPath(page, "/")); err == nil && t.r.Site.hasPage(at.Path) {
		return at.Path, t.r.Site.DB.FormInputs().DropDraft(t.r.UserContext(), t.r.Viewer.User.ID, at.Path)
	}
	return "/", nil
}

// draftPage is the page whose form is kept, without what follows its path.
func (t Typed) draftPage() string {
	page, _, _ := strings.Cut(t.sentFrom(), "?")
	return page
}

// draft is what was typed into the form of a page and not sent.
func (t Typed) draft(page string) *domain.KeptForm {
	r := t.r
	draft, err := r.Site.DB.FormInputs().Draft(r.UserContext(), r.Viewer.User.ID, page, time.Now())
	if err != nil {
		r.Site.warn("a draft is not shown", err)
	}
	return draft
}

// draftNote is the block ui/draft: something was typed into a form and not saved.
type draftNote struct {
	Page string
	At   Moment
}

// note is above a page with a form into which something was typed and not saved, nil above others.
func (t Typed) note(content template.HTML) *draftNote {
	r := t.r
	if r.Viewer.User == nil || !strings.Contains(string(content), ` data-draft="`+r.Path()+`"`) {
		return nil
	}
	draft := t.draft(r.Path())
	if draft == nil {
		return nil
	}
	return &draftNote{r.Path(), r.Viewer.Moment(draft.KeptAt)}
}

// load finds what was kept for the page that is asked for.
func (t Typed) load() {
	r := t.r
	if r.kept != nil || r.Viewer.User == nil {
		return
	}
	if r.Query("draft") != "" {
		r.kept = t.draft(r.Path())
		return
	}
	hash, ok := SecretHash(r.Cookies(keptCookie))
	if !ok {
		return
	}
	kept, err := r.Site.DB.FormInputs().Kept(r.UserContext(), hash, r.Viewer.User.ID, time.Now())
	if err != nil {
		r.Site.warn("a kept form is not shown", err)
	}
	if kept == nil {
		return
	}
	if page, err := url.Parse(kept.Page); err == nil && page.Path == r.Path() {
		r.kept = kept
	}
}

// Waiting reports whether something waits for its user to sign in.
func (t Typed) Waiting() bool { return t.r.Cookies(keptCookie) != "" }

// Reopen makes what was typed into the form of this page, before its user had to sign in again, readable as if it
// were sent now; forms whose fields depend on what was typed show it. It reports whether there is anything.
func (t Typed) Reopen() bool {
	if !t.r.Reads() || t.r.HTMX() {
		return false
	}
	if t.load(); t.r.kept == nil {
		return false
	}
	request := t.r.Ctx.Request()
	request.Header.SetContentType(fiber.MIMEApplicationForm)
	request.SetBodyString(t.r.kept.Fields)
	return true
}

// forget ends it with the next form that its user sends to that page.
func (t Typed) forget() {
	r := t.r
	hash, ok := SecretHash(r.Cookies(keptCookie))
	if !ok || r.Viewer.User == nil {
		return
	}
	kept, err := r.Site.DB.FormInputs().Kept(r.UserContext(), hash, r.Viewer.User.ID, time.Now())
	if err != nil || kept == nil || kept.Page != t.formPage() {
		return
	}
	if err := r.Site.DB.FormInputs().Drop(r.UserContext(), hash, r.Viewer.User.ID); err != nil {
		r.Site.warn("a kept form stays", err)
	}
	r.Browser().SetCookie(keptCookie, "", -time.Hour)
}

// sent forgets the draft of a form that was saved.
func (t Typed) sent() {
	r := t.r
	if r.ledTo.Path == "" || r.Viewer.User == nil {
		return
	}
	pages := []string{t.formPage(), t.draftPage()}
	for _, page := range slices.Compact(pages) {
		if err := r.Site.DB.FormInputs().DropDraft(context.WithoutCancel(r.UserContext()), r.Viewer.User.ID, page); err != nil {
			r.Site.warn("a draft stays", err)
		}
	}
}

// fill puts what was typed into the form of a page, says so above it, and shows what has no place in it.
func (t Typed) fill(content template.HTML) (template.HTML, error) {
	r := t.r
	if r.Method() != fiber.MethodGet {
		return content, nil
	}
	if t.load(); r.kept == nil {
		note := t.note(content)
		if note == nil {
			return content, nil
		}
		out, err := r.Render("ui/draft", note)
		return template.HTML(out) + content, err
	}
	fields := fieldsOf(r.kept)
	if fields == nil {
		return content, nil
	}
	nodes, err := html.ParseFragment(strings.NewReader(string(content)), &html.Node{Type: html.ElementNode, Data: "main", DataAtom: atom.Main})
	if err != nil {
		return content, err
	}
	rest := fillForm(nodes, fields)
	var out bytes.Buffer
	note, err := r.Render("ui/kept", keptView{rest, r.kept.TokenHash == nil})
	if err != nil {
		return content, err
	}
	out.Write(note)
	for _, node := range nodes {
		if err := html.Render(&out, node); err != nil {
			return content, err
		}
	}
	return template.HTML(out.String()), nil
}

// keptView is the block ui/kept, above a form with what was typed.
type keptView struct {
	Rest  []string // without a place in the form
	Draft bool     // it was not sent
}

// fieldsOf are the fields that were kept, nil where they cannot be read.
func fieldsOf(kept *domain.KeptForm) url.Values {
	fields, err := url.ParseQuery(kept.Fields)
	if err != nil {
		return nil
	}
	return fields
}

// fillForm fills the form that has most of the fields, and is what found no place.
func fillForm(nodes []*html.Node, fields url.Values) (rest []string) {
	var best *html.Node
	most := 0
	for _, top := range nodes {
		each(top, func(form *html.Node) {
			known := 0
			each(form, func(input *html.Node) {
				if _, ok := fields[attribute(input, "name")]; ok && form.DataAtom == atom.Form && attribute(input, "type") != "hidden" {
					known++
				}
			})
			if known > most {
				best, most = form, known
			}
		})
	}
	left := url.Values{}
	for name, values := range fields {
		left[name] = slices.Clone(values)
	}
	if best != nil {
		each(best, func(input *html.Node) { fillInput(input, fields, left) })
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		for _, value := range left[name] {
			if strings.TrimSpace(value) != "" && name != onceField && name != "revision" && name != "do" {
				rest = append(rest, value)
			}
		}
	}
	return rest
}

func each(node *html.Node, do func(*html.Node)) {
	if node.Type == html.ElementNode {
		do(node)
	}
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		each(child, do)
	}
}

// fillInput gives an input its value and takes that off what is left.
func fillInput(input *html.Node, fields, left url.Values) {
	name := attribute(input, "name")
	if name == "" || isSecret(name) {
		return
	}
	switch input.DataAtom {
	case atom.Textarea:
		if value, ok := takeNext(left, name); ok {
			setText(input, value)
		}
	case atom.Select:
		if values, sent := fields[name]; sent {
			fillSelect(input, values, left)
		}
	case atom.Button:
		take(left, name, attribute(input, "value"))
	case atom.Input:
		fillTyped(input, fields, left)
	}
}

// fillSelect selects the options that were sent.
func fillSelect(list *html.Node, values []string, left url.Values) {
	each(list, func(option *html.Node) {
		if option.DataAtom != atom.Option {
			return
		}
		value := attribute(option, "value")
		chosen := slices.Contains(values, value)
		set(option, "selected", chosen)
		if chosen {
			take(left, attribute(list, "name"), value)
		}
	})
}

// fillTyped fills an input element by its type. Files cannot be filled in; of the hidden inputs, only the form's own name
// and its revision are.
func fillTyped(input *html.Node, fields, left url.Values) {
	name := attribute(input, "name")
	switch kind := attribute(input, "type"); kind {
	case "file", "submit":
		return
	case "checkbox", "radio":
		value := attribute(input, "value")
		if values, sent := fields[name]; sent || kind == "checkbox" { // a checkbox that is off sends nothing
			set(input, "checked", slices.Contains(values, value))
		}
		take(left, name, value)
		return
	case "hidden":
		if name != "revision" && name != onceField {
			delete(left, name)
			return
		}
	}
	if value, ok := takeNext(left, name); ok {
		setValue(input, value)
	}
}

// take takes a value of a field off what is left.
func take(left url.Values, name, value string) {
	if at := slices.Index(left[name], value); at >= 0 {
		left[name] = slices.Delete(left[name], at, at+1)
	}
}

// takeNext takes the first value of a field that is left; ok is false when there is none.
func takeNext(left url.Values, name string) (value string, ok bool) {
	if len(left[name]) == 0 {
		return "", false
	}
	value, left[name] = left[name][0], left[name][1:]
	return value, true
}

// setText makes a text the only content of an element.
func setText(node *html.Node, text string) {
	for node.FirstChild != nil {
		node.RemoveChild(node.FirstChild)
	}
	node.AppendChild(&html.Node{Type: html.TextNode, Data: text})
}

func attribute(node *html.Node, key string) string {
	for _, one := range node.Attr {
		if one.Key == key {
			return one.Val
		}
	}
	return ""
}

func setValue(node *html.Node, value string) {
	node.Attr = slices.DeleteFunc(node.Attr, func(one html.Attribute) bool { return one.Key == "value" })
	node.Attr = append(node.Attr, html.Attribute{Key: "value", Val: value})
}

func set(node *html.Node, key string, on bool) {
	node.Attr = slices.DeleteFunc(node.Attr, func(one html.Attribute) bool { return one.Key == key })
	if on {
		node.Attr = append(node.Attr, html.Attribute{Key: key})
	}
}

// formWait is how long the second of two equal forms waits for the answer of the first.
const formWait = 10 * time.Second

// once answers a route. A form that names itself and has made something is answered with that when it is sent again
// as it was.
func (t Typed) once(route Route) error {
	r := t.r
	if r.Reads() || r.Viewer.User == nil {
		return route.Handle(r)
	}
	t.forget()
	defer t.sent()
	name := r.FormValue(onceField)
	if route.Method != fiber.MethodPost || len(name) < 16 || len(name) > 64 {
		return route.Handle(r)
	}
	user, inputs := r.Viewer.User.ID, r.Site.DB.FormInputs()
	sum := sha256.Sum256([]byte(r.Path() + "?" + t.fields().Encode()))
	for end := time.Now().Add(formWait); ; time.Sleep(50 * time.Millisecond) {
		made, claimed, err := inputs.Claim(r.UserContext(), user, sum[:], time.Now())
		switch {
		case err != nil:
			return err
		case made != nil:
			if made.Said != "" {
				r.Browser().SetFlash(made.Said)
			}
			return r.Redirect(made.Path)
		case claimed:
			return t.claimed(route, user, sum[:])
		case time.Now().After(end):
			return domain.Errorf(domain.Busy, "", "errors.form_pending")
		}
	}
}

// claimed answers the first of equal forms. What it came to is noted even when the browser has gone.
func (t Typed) claimed(route Route, user int64, key []byte) error {
	r := t.r
	inputs, ctx, done := r.Site.DB.FormInputs(), context.WithoutCancel(r.UserContext()), false
	defer func() {
		if !done {
			_ = inputs.Release(ctx, user, key) // else it is free after a minute
		}
	}()
	err := route.Handle(r)
	if err != nil || r.ledTo.Path == "" {
		return err
	}
	done = true
	if err := inputs.Answer(ctx, user, key, r.ledTo); err != nil {
		r.Site.warn("the answer of a form is not noted", err)
	}
	return nil
}
