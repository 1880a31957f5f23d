package blocks

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"skychimp/domain/markup"
)

var language = markup.ForEmails()

// Parse is a body as blocks; Body gives it back to the byte. A body that would unfold to far more than it is is one
// block of Markdown.
func Parse(body string) []Block {
	if strings.TrimSpace(body) == "" {
		return nil
	}
	source := []byte(body)
	root, err := markup.Parse(language, source)
	if err != nil || root.FirstChild() == nil {
		return []Block{asMarkdown(body)}
	}
	var list []Block
	begin := 0
	for n := root.FirstChild(); n != nil; {
		last := n
		for isText(n) && last.NextSibling() != nil && isText(last.NextSibling()) {
			last = last.NextSibling()
		}
		next, end := last.NextSibling(), len(source)
		if next != nil {
			end = bytes.LastIndexByte(source[:next.Pos()], '\n') + 1
		}
		list = append(list, parse(n, n == last, body[begin:end], source))
		begin, n = end, next
	}
	return list
}

// asMarkdown is the block of what is no other.
func asMarkdown(source string) Block {
	return Block{Kind: Markdown, Source: source, Fields: Fields{Text: trim(source)}}
}

func trim(source string) string { return strings.Trim(source, "\n") }

// isText: a paragraph that is nothing special, or a list.
func isText(n ast.Node) bool {
	if n.Kind() == ast.KindList {
		return true
	}
	return n.Kind() == ast.KindParagraph && markup.Button(n) == nil && picture(n) == nil
}

// parse is the block that begins with n; alone tells that it is all of it.
func parse(n ast.Node, alone bool, source string, body []byte) Block {
	b := Block{Source: source}
	known := true
	switch n := n.(type) {
	case *ast.Heading:
		b.Kind, b.Level, b.Text = Heading, n.Level, string(n.Lines().Value(body))
		b.Text = strings.TrimSpace(b.Text)
	case *ast.Paragraph, *ast.List:
		known = b.parseText(n, alone, body)
	case *ast.Blockquote:
		b.Kind, b.Text = Quote, quoted.ReplaceAllString(trim(source), "")
	case *ast.ThematicBreak:
		b.Kind = Divider
		return b
	case *markup.Section:
		known = b.parseSection(n.Name)
	default:
		known = false
	}
	if !known || b.Kind != Text && b.Kind != List && !same(source, b.print()) {
		return asMarkdown(source)
	}
	return b
}

// quoted is what a line of a quote begins with.
var quoted = regexp.MustCompile(`(?m)^ {0,3}> ?`)

// parseText reads paragraphs and lists, and what is a paragraph only in Markdown.
func (b *Block) parseText(n ast.Node, alone bool, body []byte) bool {
	if link := markup.Button(n); link != nil {
		b.Kind, b.URL = Button, string(link.Destination)
		var plain bool
		b.Text, plain = words(link, body)
		return plain && link.Title == nil
	}
	if image := picture(n); image != nil {
		var plain bool
		b.Kind, b.Picture = Picture, string(image.Destination)
		b.Alt, plain = words(image, body)
		if link, ok := image.Parent().(*ast.Link); ok {
			b.URL = string(link.Destination)
			plain = plain && link.Title == nil
		}
		return plain && image.Title == nil
	}
	b.Kind, b.Text = Text, trim(b.Source)
	if alone && n.Kind() == ast.KindList {
		b.Kind = List
	}
	return true
}

// picture is the picture of a paragraph that is nothing else, but perhaps a link.
func picture(n ast.Node) *ast.Image {
	if n.Kind() != ast.KindParagraph || n.ChildCount() != 1 {
		return nil
	}
	n = n.FirstChild()
	if n.Kind() == ast.KindLink && n.ChildCount() == 1 {
		n = n.FirstChild()
	}
	image, _ := n.(*ast.Image)
	return image
}

// words are the words inside n, if they are nothing but words in one line.
func words(n ast.Node, source []byte) (text string, plain bool) {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		one, ok := child.(*ast.Text)
		if !ok || one.SoftLineBreak() || one.HardLineBreak() {
			return "", false
		}
		b.Write(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(one.Value(source)))))
	}
	return b.String(), true
}

// parseSection reads what stands between the comments of a section.
func (b *Block) parseSection(name string) bool {
	inside := strings.TrimSpace(b.Source)
	inside = trim(strings.TrimSuffix(strings.TrimPrefix(inside, markup.Comment(name)), markup.Comment("/"+name)))
	switch name {
	case markup.Footer:
		b.Kind, b.Text = Footer, inside
	case markup.Columns:
		left, right, _ := strings.Cut(inside, markup.Comment(markup.Column))
		one, other := parseSide(trim(left)), parseSide(trim(right))
		b.Kind, b.Text, b.Picture, b.Alt, b.Right = Columns, one.Text, one.Picture, one.Alt, other
	case markup.Product:
		b.Kind = Product
		b.parseProduct(inside)
	}
	return true
}

// parseSide reads a column: a picture, if it begins with one, and the text.
func parseSide(inside string) (s Side) {
	s.Text = inside
	if list := Parse(inside); len(list) > 0 && list[0].Kind == Picture && list[0].URL == "" {
		s = Side{trim(Body(list[1:])), list[0].Picture, list[0].Alt}
	}
	return s
}

// price is a paragraph in bold behind others.
var price = regexp.MustCompile(`(?:^|\n\n)\*\*([^*\n\[\]]+)\*\*$`)

func (b *Block) parseProduct(inside string) {
	list := Parse(inside)
	if len(list) > 0 && list[0].Kind == Picture && list[0].URL == "" {
		b.Picture, b.Alt, list = list[0].Picture, list[0].Alt, list[1:]
	}
	if len(list) > 0 && list[0].Kind == Heading && list[0].Level == productLevel {
		b.Name, list = list[0].Text, list[1:]
	}
	if n := len(list) - 1; n >= 0 && list[n].Kind == Button {
		b.Label, b.URL, list = list[n].Text, list[n].URL, list[:n]
	}
	b.Text = trim(Body(list))
	if at := price.FindStringSubmatchIndex(b.Text); at != nil {
		b.Price, b.Text = b.Text[at[2]:at[3]], b.Text[:at[0]]
	}
}

// same reports whether two sources show the same and hold nothing that isn't shown.
func same(one, other string) bool {
	a, hidden := show(one)
	b, more := show(other)
	return !hidden && !more && bytes.Equal(a, b)
}

func show(source string) (shown []byte, hidden bool) {
	root, err := markup.Parse(language, []byte(source))
	if err != nil {
		return nil, true
	}
	_ = ast.Walk(root, func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		hidden = hidden || n.Kind() == ast.KindLinkReferenceDefinition
		return ast.WalkContinue, nil
	})
	var out bytes.Buffer
	_ = language.Renderer().Render(&out, []byte(source), root) // a buffer takes everything
	return out.Bytes(), hidden
}

// Simple reports whether a text has nothing but paragraphs, headings after "#", lists, bold, italic and links, so that an
// editor that knows no more can change it.
func Simple(source string) bool {
	root := language.Parser().Parse(text.NewReader([]byte(source)))
	simple := true
	_ = ast.Walk(root, func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.ListItem, *ast.Text, *ast.String, *ast.Emphasis, *ast.AutoLink, *ast.Link:
		case *ast.List:
			simple = simple && n.IsTight
		case *ast.Heading:
			simple = simple && n.Parent() == root && hashed(n, source)
		default:
			simple = false
		}
		return ast.WalkContinue, nil
	})
	return simple
}

// hashed reports whether a heading has words after "#", and no line below it.
func hashed(n *ast.Heading, source string) bool {
	if n.Lines().Len() != 1 {
		return false
	}
	at := n.Lines().At(0).Start
	line := source[strings.LastIndexByte(source[:at], '\n')+1 : at]
	return strings.Trim(line, "# ") == "" && strings.Contains(line, "#")
}
