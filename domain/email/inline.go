package email

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"skychimp/domain"
	"skychimp/domain/htmlemail"
)

// rule is one selector of content.css with its declarations ("color:#fff").
type rule struct {
	cascadia.Sel
	declarations []string
}

// readRules reads the few kinds of CSS that content.css is made of: rules without strings, comments and at-rules.
// They come in the order in which they win, the strongest last.
func readRules(css string) (rules []rule, err error) {
	for block := range strings.SplitSeq(strings.TrimSpace(css), "}") {
		selectors, body, ok := strings.Cut(block, "{")
		if !ok {
			continue
		}
		var declarations []string
		for one := range strings.SplitSeq(body, ";") {
			name, value, _ := strings.Cut(one, ":")
			declarations = append(declarations, strings.TrimSpace(name)+":"+strings.TrimSpace(value))
		}
		group, err := cascadia.ParseGroup(strings.TrimSpace(selectors))
		if err != nil {
			return nil, fmt.Errorf("content.css: %w", err)
		}
		for _, one := range group {
			rules = append(rules, rule{one, declarations})
		}
	}
	slices.SortStableFunc(rules, func(a, b rule) int {
		x, y := a.Specificity(), b.Specificity()
		return slices.CompareFunc(x[:], y[:], cmp.Compare[int])
	})
	return rules, nil
}

// mirrored is content.css for languages that are written from right to left.
var mirrored = strings.NewReplacer("border-left", "border-right", "text-align: left", "text-align: right",
	"padding: 0 0 0 24px", "padding: 0 24px 0 0", "padding: 0 0 0 12px", "padding: 0 12px 0 0", "padding: 0 12px 0 0", "padding: 0 0 0 12px", "6px 0 6px 16px", "6px 16px 6px 0")

// body is what the frame holds: the picture at its upper edge, if there is one, and what stands below.
type body struct{ Hero, Content template.HTML }

// style writes the style of content.css into the elements. Being parsed on its own, markup
// that an author left open is closed and can't reach the frame.
func style(markup, language string, look look) (b body, err error) {
	css := look.css()
	if domain.RightToLeft(language) {
		css = mirrored.Replace(css)
	}
	rules, err := readRules(css)
	if err != nil {
		return b, err
	}
	nodes, err := html.ParseFragment(strings.NewReader(markup), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return b, err
	}
	all := element(atom.Body) // rules look at parents
	for _, node := range nodes {
		all.AppendChild(node)
	}
	kept := strings.Contains(markup, `class="`+htmlemail.Class+`"`)
	boxed(all)
	if hero := bleeding(all); hero != nil {
		dress(hero, rules, false)
		if b.Hero, err = rendered(hero); err != nil {
			return b, err
		}
	}
	dress(all, rules, kept)
	b.Content, err = rendered(all)
	return b, err
}

// dress gives all that stands in a node its style. What was taken over with its look keeps that.
func dress(root *html.Node, rules []rule, taken bool) {
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		fitPicture(node)
		if taken && inTaken(node) {
			fitTaken(node)
			continue
		}
		node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Key == "style" })
		inline(node, rules)
		fallBack(node)
	}
}

// rendered is the HTML of what stands in a node.
func rendered(root *html.Node) (template.HTML, error) {
	var out strings.Builder
	for node := range root.ChildNodes() {
		if err := html.Render(&out, node); err != nil {
			return "", err
		}
	}
	return template.HTML(out.String()), nil
}

// inline gives an element the declarations of all rules that are about it. The last of a property wins, and stands
// where it is set: border after border-bottom takes that back.
func inline(node *html.Node, rules []rule) {
	var set []string
	for _, one := range rules {
		if !one.Match(node) {
			continue
		}
		for _, declaration := range one.declarations {
			property, _, _ := strings.Cut(declaration, ":")
			set = slices.DeleteFunc(set, func(s string) bool { return strings.HasPrefix(s, property+":") })
			set = append(set, declaration)
		}
	}
	if len(set) > 0 {
		node.Attr = append(node.Attr, html.Attribute{Key: "style", Val: strings.Join(set, ";")})
	}
}
