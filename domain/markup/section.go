package markup

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// The parts of an email that Markdown has no words for stand between comments, which every other program
// leaves out: it shows what is between them one after the other.
//
//	<!-- columns -->
//	left
//	<!-- column -->
//	right
//	<!-- /columns -->
const (
	Columns = "columns"
	Column  = "column"  // the second one begins
	Product = "product" // a card
	Footer  = "footer"  // in small letters
)

// Comment is the line that begins a section, that ends it ("/columns") or parts its columns ("column").
func Comment(word string) string { return "<!-- " + word + " -->" }

// Section is a part between comments. Its children are what stands there; those of Columns are two Columns.
type Section struct {
	ast.BaseBlock

	Name string
}

// KindSection is the kind of a Section.
var KindSection = ast.NewNodeKind("Section")

// Kind implements ast.Node.
func (s *Section) Kind() ast.NodeKind { return KindSection }

// Dump implements ast.Node.
func (s *Section) Dump(source []byte, level int) {
	ast.DumpHelper(s, source, level, map[string]string{"Name": s.Name}, nil)
}

// sections are an extension that knows them.
type sections struct{}

// Extend implements goldmark's Extender.
func (sections) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(parser.WithASTTransformers(util.Prioritized(sections{}, 100)))
	m.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(sections{}, 100)))
}

// Transform implements goldmark's ASTTransformer: what stands between two comments becomes their section's.
func (sections) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var begun ast.Node
	var name string
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch word := comment(n, reader.Source()); {
		case word == Columns || word == Product || word == Footer:
			begun, name = n, word
		case begun != nil && word == "/"+name:
			if section := gather(begun, n, name, reader.Source()); section != nil {
				doc.ReplaceChild(doc, begun, section)
				doc.RemoveChild(doc, n)
				n = section
			}
			begun = nil
		}
	}
}

// comment is the word of a comment that is a block of its own, "" for anything else.
func comment(n ast.Node, source []byte) string {
	block, ok := n.(*ast.HTMLBlock)
	if !ok || block.HTMLBlockType != ast.HTMLBlockType2 || block.Lines().Len() != 1 {
		return ""
	}
	line := string(bytes.TrimSpace(block.Lines().Value(source)))
	word := strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
	if line != Comment(word) {
		return ""
	}
	return word
}

// gather is a section of the nodes between two others, which stay where they are. It is nil for columns that aren't two.
func gather(begin, end ast.Node, name string, source []byte) *Section {
	var inside []ast.Node
	part := -1 // where the second column begins
	for n := begin.NextSibling(); n != end; n = n.NextSibling() {
		if comment(n, source) == Column && name == Columns {
			if part >= 0 {
				return nil
			}
			part = len(inside)
		}
		inside = append(inside, n)
	}
	section := &Section{Name: name}
	section.SetPos(begin.Pos())
	if name != Columns {
		for _, n := range inside {
			section.AppendChild(section, n)
		}
		return section
	}
	if part < 0 {
		return nil
	}
	for _, side := range [][]ast.Node{inside[:part], inside[part+1:]} {
		one := &Section{Name: Column}
		for _, n := range side {
			one.AppendChild(one, n)
		}
		section.AppendChild(section, one)
	}
	begin.Parent().RemoveChild(begin.Parent(), inside[part])
	return section
}

// RegisterFuncs implements goldmark's NodeRenderer. Columns and cards are tables, which Outlook on Windows knows.
func (sections) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	tags := map[string][2]string{
		Columns: {`<table class="columns" role="presentation"><tr>`, "</tr></table>\n"},
		Column:  {`<td class="column">`, "</td>\n"},
		Product: {`<table class="product" role="presentation"><tr><td>` + "\n", "</td></tr></table>\n"},
		Footer:  {`<div class="footer">` + "\n", "</div>\n"},
	}
	r.Register(KindSection, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		tag := tags[n.(*Section).Name]
		if entering {
			_, _ = w.WriteString(tag[0])
		} else {
			_, _ = w.WriteString(tag[1])
		}
		return ast.WalkContinue, nil
	})
}
