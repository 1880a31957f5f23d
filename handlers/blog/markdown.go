package blog

import (
	"bytes"
	"html"
	"html/template"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	extensionast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"skychimp/domain"
	"skychimp/domain/markup"
)

// markdown shows the bodies of posts. Safe for concurrent use.
type markdown struct {
	language goldmark.Markdown // as readers get it
	written  goldmark.Markdown // as it was written
	allowed  *bluemonday.Policy

	mu    sync.Mutex
	shown map[shownText]string // what came of a text lately: converting takes longer than the rest of a page
}

type shownText struct{ form, text string }

const shownMost = 500

func newMarkdown() *markdown {
	m := &markdown{
		written:  markup.New(),
		language: markup.New(goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(belowTitle{}, 100), util.Prioritized(ownPictures{}, 300)))),
		allowed:  bluemonday.NewPolicy(),
	}
	p := m.allowed
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "li", "blockquote", "pre", "code",
		"em", "strong", "del", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowElements("ol")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td")
	p.AllowAttrs("href", "title").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.AllowAttrs("src").Matching(ownPicture).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	return m
}

// ownPicture is a picture of this site: others would tell their site who reads.
var ownPicture = regexp.MustCompile(`^/media/[0-9a-f-]+\.(jpg|png)$`)

// ownPictures leaves of the pictures of other sites what they say.
type ownPictures struct{}

// Transform implements goldmark's parser.ASTTransformer.
func (ownPictures) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var others []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if picture, ok := n.(*ast.Image); ok && entering && !ownPicture.Match(picture.Destination) {
			others = append(others, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range others {
		for child := n.FirstChild(); child != nil; child = n.FirstChild() {
			n.Parent().InsertBefore(n.Parent(), n, child)
		}
		n.Parent().RemoveChild(n.Parent(), n)
	}
}

// article is html, remembered.
func (m *markdown) article(body string) template.HTML {
	return template.HTML(m.remember(shownText{"article", body}, func() string { return m.html(body) }))
}

// lead is the first words of the running text, about 180 characters, as plain text; remembered.
func (m *markdown) lead(body string) string {
	return m.remember(shownText{"lead", body}, func() string { return m.words(body) })
}

func (m *markdown) remember(key shownText, convert func() string) string {
	m.mu.Lock()
	result, known := m.shown[key]
	m.mu.Unlock()
	if known {
		return result
	}
	result = convert()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.shown) >= shownMost || m.shown == nil {
		m.shown = map[shownText]string{}
	}
	m.shown[key] = result
	return result
}

// html is Markdown as safe HTML: what isn't allowed is left out. A text that would unfold to far
// more than it is stays as it was typed.
func (m *markdown) html(body string) string {
	source, out := []byte(body), bytes.Buffer{}
	root, err := markup.Parse(m.language, source)
	if err != nil {
		return "<pre>" + html.EscapeString(body) + "</pre>\n"
	}
	_ = m.language.Renderer().Render(&out, source, root) // a buffer takes everything
	return string(m.allowed.SanitizeBytes(out.Bytes()))
}

// check refuses, with a domain.Error, what html would leave as it was typed.
func (m *markdown) check(body string) error {
	_, err := markup.Parse(m.language, []byte(body))
	return err
}

// checkLinks refuses, with a domain.Error, what check does, and a link or picture that readers wouldn't get.
func (m *markdown) checkLinks(body string) error {
	root, err := markup.Parse(m.written, []byte(body))
	if err != nil {
		return err
	}
	for _, target := range markup.Targets(root, []byte(body)) {
		here := strings.HasPrefix(target.Address, "/") || strings.HasPrefix(target.Address, "#")
		switch _, ok := markup.Address(target.Address); {
		case target.Picture && !ownPicture.MatchString(target.Address):
			return domain.Errorf(domain.Invalid, "body", "blog.picture_foreign", "Address", shorten(target.Address, 60))
		case !target.Picture && !ok && !here:
			return domain.Errorf(domain.Invalid, "body", "blog.link_dead", "Address", shorten(target.Address, 60))
		}
	}
	return nil
}

func (m *markdown) words(body string) string {
	source, words := []byte(body), strings.Builder{}
	root, err := markup.Parse(m.language, source)
	if err != nil {
		return ""
	}
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				words.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading, *ast.CodeBlock, *ast.FencedCodeBlock, *ast.HTMLBlock, *ast.Image, *extensionast.Table:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			words.WriteString(html.UnescapeString(string(util.UnescapePunctuations(n.Value(source)))))
			if n.SoftLineBreak() || n.HardLineBreak() {
				words.WriteByte(' ')
			}
		case *ast.String:
			words.Write(n.Value)
		case *ast.AutoLink:
			words.Write(n.Label(source))
		}
		return ast.WalkContinue, nil
	})
	return shorten(strings.Join(strings.Fields(words.String()), " "), 180)
}

// shorten cuts after a whole word.
func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)[:limit+1]
	end := limit
	for i := limit; i > limit/2; i-- {
		if unicode.IsSpace(runes[i]) {
			end = i
			break
		}
	}
	return strings.TrimRightFunc(string(runes[:end]), unicode.IsPunct) + "…"
}

// belowTitle makes the highest headings h2, because the page has its one h1 already, and leaves
// no level out: who listens to a page jumps from heading to heading.
type belowTitle struct{}

// Transform implements goldmark's parser.ASTTransformer.
func (belowTitle) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var headings []*ast.Heading
	highest, before := 6, 1
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if heading, ok := n.(*ast.Heading); ok && entering {
			headings = append(headings, heading)
			highest = min(highest, heading.Level)
		}
		return ast.WalkContinue, nil
	})
	for _, heading := range headings {
		heading.Level = min(heading.Level-highest+2, before+1, 6)
		before = heading.Level
	}
}
