package email

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Outlook on Windows shows emails with Word, which pads cells alone, draws <hr> its own way and takes colours and widths of
// tables from attributes. So what needs room around it becomes a table here, behind the sanitiser.

// element makes an element with attributes, given in pairs.
func element(kind atom.Atom, attributes ...string) *html.Node {
	node := &html.Node{Type: html.ElementNode, Data: kind.String(), DataAtom: kind}
	for i := 0; i+1 < len(attributes); i += 2 {
		node.Attr = append(node.Attr, html.Attribute{Key: attributes[i], Val: attributes[i+1]})
	}
	return node
}

// cell is a table of one cell, and that cell.
func cell(class string) (table, td *html.Node) {
	table, row, td := element(atom.Table, "class", class, "role", "presentation"), element(atom.Tr), element(atom.Td)
	table.AppendChild(row)
	row.AppendChild(td)
	return table, td
}

// boxed puts dividers, quotes and code into cells of their own.
func boxed(body *html.Node) {
	for _, node := range slices.Collect(body.Descendants()) {
		switch node.DataAtom {
		case atom.Hr:
			table, td := cell("divider")
			td.AppendChild(&html.Node{Type: html.TextNode, Data: "\u00a0"})
			node.Parent.InsertBefore(table, node)
			node.Parent.RemoveChild(node)
		case atom.Blockquote, atom.Pre:
			class := "quote"
			if node.DataAtom == atom.Pre {
				class = "code"
			}
			table, td := cell(class)
			node.Parent.InsertBefore(table, node)
			node.Parent.RemoveChild(node)
			td.AppendChild(node)
		}
	}
}

// bleeding is the picture that an email begins with, taken out of the content, which a wide one is shown without a margin. It is nil
// where there is none.
func bleeding(body *html.Node) *html.Node {
	first := body.FirstChild
	if first == nil || first.DataAtom != atom.P {
		return nil
	}
	picture := onlyElement(first)
	if picture != nil && picture.DataAtom == atom.A {
		picture = onlyElement(picture)
	}
	if picture == nil || picture.DataAtom != atom.Img {
		return nil
	}
	if width, height := storedSize(picture); attribute(picture, "width") != 0 || width < frameWidth || height > width {
		return nil
	}
	body.RemoveChild(first)
	first.Attr = []html.Attribute{{Key: "class", Val: "hero"}}
	return first
}

// onlyElement is what stands alone in a node.
func onlyElement(node *html.Node) *html.Node {
	if node.FirstChild == nil || node.FirstChild != node.LastChild || node.FirstChild.Type != html.ElementNode {
		return nil
	}
	return node.FirstChild
}

var (
	styledGround = regexp.MustCompile(`(?:^|;)background:(#[0-9a-f]{3,6})(?:;|$)`)
	styledWidth  = regexp.MustCompile(`(?:^|;)width:(\d+%)(?:;|$)`)
)

// fallBack repeats in attributes what Word doesn't read in styles.
func fallBack(node *html.Node) {
	if node.DataAtom != atom.Table && node.DataAtom != atom.Td && node.DataAtom != atom.Th {
		return
	}
	style := ""
	add := func(key, value string) {
		if !slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key }) {
			node.Attr = append(node.Attr, html.Attribute{Key: key, Val: value})
		}
	}
	presentation := false
	for _, a := range node.Attr {
		switch a.Key {
		case "style":
			style = a.Val
		case "role":
			presentation = true
		}
	}
	if found := styledGround.FindStringSubmatch(strings.ToLower(style)); found != nil {
		add("bgcolor", found[1])
	}
	if found := styledWidth.FindStringSubmatch(style); found != nil {
		add("width", found[1])
	}
	if node.DataAtom == atom.Table && presentation {
		add("cellpadding", "0")
		add("cellspacing", "0")
		add("border", "0")
	}
}
