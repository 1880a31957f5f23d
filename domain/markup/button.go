package markup

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// A paragraph that holds nothing but a link in bold is shown as a button. It is a table, because
// Outlook on Windows pads nothing else.
const (
	ButtonBegins = `<table class="button" role="presentation"><tr><td>`
	ButtonEnds   = "</td></tr></table>\n"
)

// Button is the link of a paragraph that is a button, else nil.
func Button(n ast.Node) *ast.Link {
	strong, ok := only(n).(*ast.Emphasis)
	if n.Kind() != ast.KindParagraph || !ok || strong.Level != 2 {
		return nil
	}
	link, ok := only(strong).(*ast.Link)
	if !ok {
		return nil
	}
	for child := link.FirstChild(); child != nil; child = child.NextSibling() {
		if child.Kind() == ast.KindImage {
			return nil
		}
	}
	return link
}

// only is the child of n, nil when there is none or there are more.
func only(n ast.Node) ast.Node {
	if n.ChildCount() != 1 {
		return nil
	}
	return n.FirstChild()
}

// buttons shows paragraphs, as goldmark does, and buttons.
type buttons struct{}

// RegisterFuncs takes the paragraphs over.
func (buttons) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindParagraph, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		begins, ends := "<p>", "</p>\n"
		if Button(n) != nil {
			begins, ends = ButtonBegins, ButtonEnds
		}
		if entering {
			_, _ = w.WriteString(begins)
		} else {
			_, _ = w.WriteString(ends)
		}
		return ast.WalkContinue, nil
	})
}
