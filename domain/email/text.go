package email

import (
	"bufio"
	"bytes"
	stdhtml "html"
	"regexp"
	"strconv"
	"strings"

	"github.com/k3a/html2text"
	"github.com/yuin/goldmark/ast"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer/html"

	"skychimp/domain/markup"
)

// text is the body for readers without HTML: the words, with lists, quotes, tables and the
// addresses of links still recognisable.
func (c content) text() string { return c.blocks(c.root, "\n\n") }

// blocks joins the blocks inside parent.
func (c content) blocks(parent ast.Node, gap string) string {
	var parts []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if part := c.block(n); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, gap)
}

func (c content) block(n ast.Node) string {
	switch n := n.(type) {
	case *ast.List:
		return c.list(n)
	case *ast.Blockquote:
		return indent(c.blocks(n, "\n\n"), "> ", "> ")
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return indent(strings.TrimRight(string(n.Lines().Value(c.source)), "\n"), "    ", "    ")
	case *ast.HTMLBlock:
		return c.fromHTML(n)
	case *markup.Section:
		return c.blocks(n, "\n\n")
	case *ast.ThematicBreak:
		return "* * *"
	case *tables.Table:
		return c.blocks(n, "\n")
	case *tables.TableHeader, *tables.TableRow:
		return c.blocks(n, " | ")
	}
	if hasHTML(n) {
		return c.fromHTML(n)
	}
	if link := markup.Button(n); link != nil {
		return buttonText(c.inline(link), c.marks.inURL(string(link.Destination)))
	}
	return strings.TrimSpace(c.inline(n))
}

// paragraphs are the bare words of each paragraph.
func (c content) paragraphs() (list []string) {
	_ = ast.Walk(c.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() != ast.KindParagraph || !entering || markup.Button(n) != nil {
			return ast.WalkContinue, nil
		}
		list = append(list, c.words(n))
		return ast.WalkSkipChildren, nil
	})
	return list
}

func (c content) words(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		text, ok := n.(*ast.Text)
		if !ok {
			b.WriteString(c.words(n))
			continue
		}
		b.WriteString(unescape(text.Value(c.source), text.IsRaw()))
		if text.SoftLineBreak() || text.HardLineBreak() {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func hasHTML(n ast.Node) (found bool) {
	_ = ast.Walk(n, func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		found = found || n.Kind() == ast.KindRawHTML
		return ast.WalkContinue, nil
	})
	return found
}

// fromHTML is a block of HTML that the author wrote.
func (c content) fromHTML(n ast.Node) string {
	clean, err := c.sanitised(n)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(html2text.HTML2TextWithOptions(pictureWords.ReplaceAllString(clean, "$1"),
		html2text.WithUnixLineBreaks(), html2text.WithLinksInnerText(), html2text.WithListSupport()))
}

// pictureWords is a picture in sanitised HTML, of which the text part has the words alone.
var pictureWords = regexp.MustCompile(`<img[^>]* alt="([^"]*)"[^>]*>`)

func (c content) list(list *ast.List) string {
	var items []string
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		marker := "- "
		if list.IsOrdered() {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		gap := "\n\n"
		if list.IsTight {
			gap = "\n"
		}
		items = append(items, indent(c.blocks(item, gap), marker, strings.Repeat(" ", len(marker))))
	}
	return strings.Join(items, "\n")
}

func indent(text, first, rest string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(first+line, " ")
		first = rest
	}
	return strings.Join(lines, "\n")
}

// inline is the text inside n.
func (c content) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(unescape(n.Value(c.source), n.IsRaw()))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeSpan:
			b.WriteString(strings.ReplaceAll(c.inline(n), "\n", " "))
		case *ast.AutoLink:
			b.WriteString(c.marks.inURL(string(n.Label(c.source))))
		case *ast.Link:
			b.WriteString(link(c.inline(n), c.marks.inURL(string(n.Destination))))
		case *ast.Image: // its alternative text says all
			b.WriteString(c.inline(n))
		default:
			b.WriteString(c.inline(n))
		}
	}
	return b.String()
}

// buttonText is a button.
func buttonText(words, address string) string { return words + ":\n" + address }

func link(words, address string) string {
	switch led, _ := markup.Address(words); {
	case words == "" || led == address && !strings.Contains(words, "://"):
		return address
	case led == address: // with a host beyond ASCII, as people read it
		return words
	}
	return words + " <" + address + ">"
}

// unescape resolves the backslashes and entities of Markdown as goldmark does.
func unescape(source []byte, raw bool) string {
	var b bytes.Buffer
	w := bufio.NewWriterSize(&b, len(source)+1) // not 4 KB for each word
	if raw {
		html.DefaultWriter.RawWrite(w, source)
	} else {
		html.DefaultWriter.Write(w, source)
	}
	w.Flush()
	return stdhtml.UnescapeString(b.String())
}
