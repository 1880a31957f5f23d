// Package outlooktest finds what Outlook on Windows, which shows emails with Word, and Gmail would spoil in an email.
package outlooktest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// What Gmail takes of a page, in bytes: more is cut off, and a longer <style> is dropped whole.
const (
	clipped   = 102 << 10
	styleMost = 8 << 10
)

var (
	// known are the properties that Word reads everywhere.
	known = words("color background background-color font-family font-size font-weight font-style line-height letter-spacing text-align text-decoration " +
		"text-transform vertical-align white-space border border-top border-right border-bottom border-left border-color border-width border-style border-collapse " +
		"mso-hide mso-padding-alt margin margin-top margin-right margin-bottom margin-left width height padding")
	// spare are those that Word passes over where nothing is lost: corners are square, long words stick out.
	spare = words("border-radius border-spacing max-width max-height overflow display word-break")
	shown = words("block inline inline-block none table table-cell")

	conditional = regexp.MustCompile(`(?s)<!--\[if mso\]>(.*?)<!\[endif\]-->`)
	relative    = regexp.MustCompile(`\d(rem|vw|vh|ch)\b|calc\(|var\(|url\(`)
	measure     = regexp.MustCompile(`^\d+%?$`)
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// lint gathers what is wrong.
type lint struct{ found []string }

func (l *lint) sayf(node *html.Node, format string, args ...any) {
	l.found = append(l.found, "<"+node.Data+" "+value(node, "class")+">: "+fmt.Sprintf(format, args...))
}

// Lint is what is wrong with the page of an email. Pictures whose size nobody knows are passed over.
func Lint(page string) []string {
	l := &lint{}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	if len(page) >= clipped {
		l.found = append(l.found, fmt.Sprintf("%d bytes: Gmail clips the email", len(page)))
	}
	l.ghosts(page)
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		switch node.DataAtom {
		case atom.Style:
			if node.FirstChild != nil && len(node.FirstChild.Data) > styleMost {
				l.sayf(node, "%d bytes: Gmail drops it", len(node.FirstChild.Data))
			}
		case atom.Table:
			l.table(node)
		case atom.Td, atom.Th:
			l.cell(node)
		case atom.Img:
			l.picture(node)
		case atom.A:
			l.link(node)
		case atom.Hr, atom.Blockquote, atom.Pre:
			l.boxless(node)
		}
		l.style(node)
	}
	return l.found
}

// ghosts wants markup for Outlook alone to be whole, and a width for what has a max-width.
func (l *lint) ghosts(page string) {
	open := map[string]int{}
	var gathered strings.Builder
	for _, found := range conditional.FindAllStringSubmatch(page, -1) {
		gathered.WriteString(found[1])
		for _, tag := range []string{"table", "tr", "td"} {
			open[tag] += strings.Count(found[1], "<"+tag) - strings.Count(found[1], "</"+tag)
		}
	}
	all := gathered.String()
	for tag, n := range open {
		if n != 0 {
			l.found = append(l.found, fmt.Sprintf("<%s> for Outlook alone: %d left open", tag, n))
		}
	}
	if strings.Contains(page, "max-width:600px") && !strings.Contains(all, "width=600") {
		l.found = append(l.found, "no width for Outlook, which knows no max-width")
	}
	if !strings.Contains(all, "PixelsPerInch") {
		l.found = append(l.found, "no resolution for Outlook, which scales pictures otherwise")
	}
}

func (l *lint) table(node *html.Node) {
	if value(node, "role") != "presentation" {
		for inside := range node.Descendants() {
			if inside.DataAtom == atom.Th {
				return // a table of data
			}
		}
		l.sayf(node, "no role=presentation")
	}
	for _, key := range []string{"cellpadding", "cellspacing", "border"} {
		if value(node, key) == "" {
			l.sayf(node, "no %s", key)
		}
	}
}

func (l *lint) cell(node *html.Node) {
	text := false
	for inside := range node.ChildNodes() {
		text = text || inside.Type == html.TextNode && strings.Trim(inside.Data, " \n\u00a0") != "" || inside.DataAtom == atom.P
	}
	if text && !strings.Contains(value(node, "style"), "font-family:") {
		l.sayf(node, "no font, and Outlook hands none down")
	}
}

func (l *lint) picture(node *html.Node) {
	if !slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
		l.sayf(node, "no alt")
	}
	if !measure.MatchString(value(node, "width")) {
		l.sayf(node, "no width: %s", value(node, "src"))
	}
}

// link wants a cell that is padded and coloured for Outlook around what looks like a button.
func (l *lint) link(node *html.Node) {
	if !strings.Contains(value(node, "style"), "padding") {
		return
	}
	cell := node.Parent
	for cell != nil && (cell.DataAtom == atom.Strong || cell.DataAtom == atom.B) {
		cell = cell.Parent
	}
	if cell == nil || cell.DataAtom != atom.Td || !strings.Contains(value(cell, "style"), "mso-padding-alt:") || value(cell, "bgcolor") == "" {
		l.sayf(node, "a button without a padded, coloured cell")
	}
}

func (l *lint) boxless(node *html.Node) {
	if node.DataAtom == atom.Hr {
		l.sayf(node, "Outlook draws its own")
	} else if node.Parent.DataAtom != atom.Td || node.Parent.FirstChild != node.Parent.LastChild {
		l.sayf(node, "not in a cell: Outlook pads and colours nothing else")
	}
}

func (l *lint) style(node *html.Node) {
	for declaration := range strings.SplitSeq(value(node, "style"), ";") {
		property, what, _ := strings.Cut(declaration, ":")
		property, what = strings.TrimSpace(property), strings.TrimSpace(what)
		switch {
		case property == "":
		case !known[property] && !spare[property]:
			l.sayf(node, "Outlook doesn't know %s", property)
		case property == "display" && !shown[what]:
			l.sayf(node, "display:%s", what)
		case relative.MatchString(what):
			l.sayf(node, "Outlook doesn't know %s", declaration)
		default:
			l.box(node, property, what, declaration)
		}
	}
}

// box wants what surrounds text where Word looks for it: in cells and in attributes.
func (l *lint) box(node *html.Node, property, what, declaration string) {
	switch property {
	case "padding":
		if what != "0" && !padded(node) {
			l.sayf(node, "Outlook pads cells alone")
		}
	case "width":
		if strings.HasSuffix(what, "%") && value(node, "width") == "" {
			l.sayf(node, "no attribute for %s", declaration)
		}
	case "background":
		if coloured(node) && value(node, "bgcolor") == "" {
			l.sayf(node, "no bgcolor for %s", declaration)
		}
	}
}

// padded says whether padding is kept, or is a link's or a list's, which lose little.
func padded(node *html.Node) bool {
	return slices.Contains([]atom.Atom{atom.Td, atom.Th, atom.A, atom.Ul, atom.Ol}, node.DataAtom)
}

// coloured says whether a background wants the attribute too.
func coloured(node *html.Node) bool {
	return slices.Contains([]atom.Atom{atom.Td, atom.Th, atom.Table, atom.Body}, node.DataAtom)
}

func value(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
