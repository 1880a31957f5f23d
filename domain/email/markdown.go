package email

import (
	"bytes"
	_ "embed"
	"errors"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"

	"skychimp/domain"
	"skychimp/domain/markup"
)

var markdown = markup.ForEmails()

// sanitiser is the list of what an author's HTML may hold.
var sanitiser = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "em", "i", "u", "s", "del",
		"sub", "sup", "small", "div", "center", "code", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("title").OnElements("a", "img")
	p.AllowAttrs("width", "height").Matching(bluemonday.Integer).OnElements("img")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^(button|columns|column|product|footer|html)$`)).OnElements("table", "td", "div")
	takenOver(p)
	p.AllowAttrs("role").Matching(regexp.MustCompile(`^presentation$`)).OnElements("table")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td")
	return p
}()

// takenOver allows what an email brings along that was taken over with its look, see inline: colours, sizes and borders
// that mail programs know, in values that bluemonday knows; no address and no position is among them.
func takenOver(p *bluemonday.Policy) {
	p.AllowElements("span", "font", "tbody", "tfoot", "caption")
	p.AllowStyles("color", "background-color", "font-family", "font-size", "font-weight", "font-style", "line-height", "letter-spacing",
		"text-align", "text-decoration", "text-transform", "vertical-align", "width", "max-width", "height",
		"padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "margin", "margin-top", "margin-right", "margin-bottom", "margin-left",
		"border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-width", "border-style", "border-radius",
		"border-collapse", "border-spacing", "white-space").Globally()
	p.AllowStyles("display").MatchingEnum("block", "inline-block", "inline", "table", "table-cell").Globally()
	p.AllowAttrs("bgcolor").Matching(regexp.MustCompile(`^(#[0-9A-Fa-f]{3,6}|[a-zA-Z]{3,20})$`)).OnElements("table", "tr", "td", "th")
	p.AllowAttrs("width", "height", "cellpadding", "cellspacing", "border").Matching(regexp.MustCompile(`^[0-9]{1,4}(px|%)?$`)).OnElements("table", "td", "th", "tr")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("table", "tr", "p", "div", "h1", "h2", "h3")
	p.AllowAttrs("valign").Matching(regexp.MustCompile(`^(top|middle|bottom)$`)).OnElements("tr", "td", "th")
}

// address is an attribute of sanitised HTML that holds a URL. Quotes elsewhere are escaped there.
var address = regexp.MustCompile(` (href|src)="[^"]*"`)

// content is a body as parsed Markdown with marks for placeholders.
type content struct {
	marks  marks
	source []byte
	root   ast.Node
}

// parseMarkdown refuses, with domain.ValidationErrors, what would unfold to far more than it is.
func parseMarkdown(m marks, body string) (content, error) {
	source := []byte(m.hide(body))
	root, err := markup.Parse(markdown, source)
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		return content{}, domain.ValidationErrors{refused}
	}
	return content{m, source, root}, err
}

// html is the body for the frame: sanitised and with its style in the elements. It fails, with
// domain.ValidationErrors, when elements stand in each other deeper than HTML parsers follow.
func (c content) html(language string, look look) (body, error) {
	clean, err := c.sanitised(c.root)
	if err != nil {
		return body{}, err
	}
	styled, err := style(clean, language, look)
	if err != nil {
		return body{}, domain.ValidationErrors{domain.Errorf(domain.Invalid, "body", "messages.body_too_nested")}
	}
	return styled, nil
}

// sanitised is the HTML of n, of which nothing is left that the sanitiser doesn't know, with
// the marks inside addresses turned.
func (c content) sanitised(n ast.Node) (string, error) {
	var raw bytes.Buffer
	if err := markdown.Renderer().Render(&raw, c.source, n); err != nil {
		return "", err
	}
	clean := sanitiser.SanitizeBytes(markup.LeadHTML(raw.Bytes()))
	return address.ReplaceAllStringFunc(string(clean), c.marks.inURL), nil
}

// problems are the links and pictures that would be dead, a few of them.
func (c content) problems() (p domain.ValidationErrors) {
	for _, target := range markup.Targets(c.root, c.source) {
		_, ok := markup.Address(target.Address)
		if target.Picture {
			ok = ok && strings.HasPrefix(strings.ToLower(target.Address), "http")
		}
		if ok || len(p) >= 5 {
			continue
		}
		switch address := c.marks.reveal(shorten(target.Address, 60)); {
		case strings.HasPrefix(address, "data:"):
			p.Add("body", "messages.picture_data")
		case target.Picture:
			p.Add("body", "messages.picture_dead", "Address", address)
		default:
			p.Add("body", "messages.link_dead", "Address", address)
		}
	}
	return p
}

// shorten cuts a text for a reader.
func shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

//go:embed content.css
var contentCSS string
