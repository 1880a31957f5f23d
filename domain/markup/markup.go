// Package markup parses Markdown that people typed and refuses what would unfold to far more than
// it is: a reference of 20 KB that is used 59,000 times, or brackets that are tried again and again.
package markup

import (
	"bytes"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"skychimp/domain"
)

// New is goldmark with tables and struck words that takes addresses as people write them: links and bare
// addresses in any alphabet, each led by Address. Two dashes, as above a signature, make neither a heading nor a table.
func New(options ...goldmark.Option) goldmark.Markdown {
	blocks := parser.DefaultBlockParsers()
	for i, one := range blocks {
		if heading, ok := one.Value.(parser.BlockParser); ok && one.Priority == 100 {
			blocks[i].Value = underline{heading}
		}
	}
	return goldmark.New(append([]goldmark.Option{
		goldmark.WithParser(parser.NewParser(parser.WithBlockParsers(blocks...), parser.WithInlineParsers(parser.DefaultInlineParsers()...),
			parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...))),
		goldmark.WithExtensions(links{}, tables{}, extension.Strikethrough),
	}, options...)...)
}

// ForEmails is New with what emails have beyond Markdown. It keeps the author's line breaks, which people who don't know
// Markdown expect, and passes raw HTML on to a sanitiser, which keeps its words.
func ForEmails() goldmark.Markdown {
	return New(goldmark.WithExtensions(sections{}), goldmark.WithRendererOptions(html.WithHardWraps(), html.WithUnsafe(),
		renderer.WithNodeRenderers(util.Prioritized(buttons{}, 100))))
}

// underline is goldmark's parser of headings that are underlined, but for less than three signs.
type underline struct{ parser.BlockParser }

// Open implements goldmark's BlockParser.
func (u underline) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if line, _ := reader.PeekLine(); len(util.TrimRightSpace(util.TrimLeftSpace(line))) < 3 {
		return nil, parser.NoChildren
	}
	return u.BlockParser.Open(parent, reader, pc)
}

// tables are goldmark's, with at least one bar.
type tables struct{ parser.ParagraphTransformer }

// Extend implements goldmark's Extender.
func (tables) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(
		parser.WithParagraphTransformers(util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200)),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)))
	m.Renderer().AddOptions(renderer.WithNodeRenderers(
		util.Prioritized(extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500)))
}

// Transform implements goldmark's ParagraphTransformer.
func (t tables) Transform(n *ast.Paragraph, reader text.Reader, pc parser.Context) {
	if bytes.IndexByte(n.Lines().Value(reader.Source()), '|') >= 0 {
		t.ParagraphTransformer.Transform(n, reader, pc)
	}
}

// What a text may ask for. A newsletter of 30 KB has about a tenth of each.
const (
	maxBytes     = 256 << 10
	maxLines     = 8_000
	maxCells     = 6_000      // of tables, counting those that a short row is filled up with
	maxTries     = 60_000_000 // bytes looked at again for each bracket, star or quote in a paragraph
	maxNodes     = 8_000      // besides mere text
	maxDepth     = 100
	maxAddresses = 256 << 10 // bytes of the addresses and titles of all links and pictures
)

// Parse is the parsed source, or a domain.Error of the field "body".
func Parse(language goldmark.Markdown, source []byte) (ast.Node, error) {
	if tooDeep(source) {
		return nil, domain.Errorf(domain.Invalid, "body", "messages.body_too_nested")
	}
	if len(source) <= maxBytes && bytes.Count(source, []byte("\n")) <= maxLines && quick(source) {
		if root := language.Parser().Parse(text.NewReader(source)); small(root, source) {
			return root, nil
		}
	}
	return nil, domain.Errorf(domain.Invalid, "body", "messages.body_too_heavy")
}

// outline finds the blocks of a text in about the time it takes to read it.
var outline = parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...))

// quick reports whether the text can be parsed in little time. Within a block, goldmark may look for
// the end of what each of some characters begins, and compare each of them with all others; and it
// fills up each row of a table to the width of its head.
func quick(source []byte) bool {
	tries, cells := 0, 0
	_ = ast.Walk(outline.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering || n.Type() != ast.TypeBlock || n.IsRaw() {
			return ast.WalkContinue, nil
		}
		size, special, columns := 0, 0, 0
		for _, segment := range n.Lines().Sliced(0, n.Lines().Len()) {
			line := segment.Value(source)
			size += len(line)
			columns = max(columns, bytes.Count(line, []byte("|")))
			for _, c := range line {
				if begins[c] {
					special++
				}
			}
		}
		tries += special * size
		cells += columns * n.Lines().Len()
		return ast.WalkContinue, nil
	})
	return tries <= maxTries && cells <= maxCells
}

// begins are the characters with which something inside a paragraph may begin or end.
var begins = func() (set [256]bool) {
	for _, c := range []byte("*_~[]!<`") {
		set[c] = true
	}
	return set
}()

// small reports whether what was parsed can be shown without growing much.
func small(root ast.Node, source []byte) bool {
	nodes, depth, addresses := 0, 0, 0
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		depth++
		nodes++
		switch n := n.(type) {
		case *ast.Text:
			nodes--
		case *ast.Link:
			addresses += len(n.Destination) + len(n.Title)
		case *ast.Image:
			addresses += len(n.Destination) + len(n.Title)
		case *ast.HTMLBlock:
			nodes += bytes.Count(n.Lines().Value(source), []byte("<"))
		}
		if nodes > maxNodes || depth > maxDepth || addresses > maxAddresses {
			return ast.WalkStop, domain.Errorf(domain.Invalid, "", "")
		}
		return ast.WalkContinue, nil
	})
	return err == nil
}

// tooDeep finds a line that opens more quotes and lists than anybody means, or a list that is
// indented further, before parsing them takes seconds.
func tooDeep(source []byte) bool {
	for line := range bytes.Lines(source) {
		opened := line[:len(line)-len(bytes.TrimLeft(line, " \t>-+*.)0123456789"))]
		depth := bytes.Count(opened, []byte(">"))
		for _, marker := range []string{"- ", "+ ", "* ", ". ", ") "} {
			depth += bytes.Count(opened, []byte(marker))
		}
		indent := len(opened) - len(bytes.TrimLeft(opened, " \t")) + 3*bytes.Count(opened, []byte("\t"))
		if depth > 50 || depth > 0 && indent > 200 {
			return true
		}
	}
	return false
}
