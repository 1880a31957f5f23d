package email

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"skychimp/domain/htmlemail"
)

// inTaken reports whether a node belongs to an email that was taken over with its look.
func inTaken(node *html.Node) bool {
	for one := node; one != nil; one = one.Parent {
		if slices.ContainsFunc(one.Attr, func(a html.Attribute) bool { return a.Key == "class" && a.Val == htmlemail.Class }) {
			return true
		}
	}
	return false
}

// pixels is a width that is fixed.
var pixels = regexp.MustCompile(`^([0-9]{1,4})(px)?$`)

// fitTaken makes what was taken over no wider than the sheet, and keeps its colours where programs are dark: the ground it
// was made for stays, and so do the words of its links.
func fitTaken(node *html.Node) {
	style := ""
	for i, a := range node.Attr {
		switch {
		case a.Key == "style":
			style = strings.TrimSuffix(strings.TrimSpace(a.Val), ";")
		case a.Key == "width" && node.DataAtom != atom.Img:
			if found := pixels.FindStringSubmatch(a.Val); found != nil {
				if n, _ := strconv.Atoi(found[1]); n > sheetWidth {
					node.Attr[i].Val = "100%"
				}
			}
		}
	}
	node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Key == "style" })
	add := func(declaration string) { style = strings.TrimPrefix(style+";"+declaration, ";") }
	switch {
	case node.DataAtom == atom.Img:
		add("max-width:100%;height:auto")
	case strings.Contains(style, "width"):
		add("max-width:100%")
	}
	switch node.DataAtom {
	case atom.A:
		color := "#0b57b7"
		if found := ownColor.FindStringSubmatch(style); found != nil {
			color = found[1]
		}
		add("color:" + strings.TrimSpace(color) + "!important")
	case atom.Div:
		if slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == "class" && a.Val == htmlemail.Class }) {
			style = strings.TrimSuffix("background-color:#ffffff;color:#1d2430;"+style, ";")
		}
	}
	if style != "" {
		node.Attr = append(node.Attr, html.Attribute{Key: "style", Val: style})
	}
}

var ownColor = regexp.MustCompile(`(?:^|;)\s*color:\s*([^;!]+)`)
