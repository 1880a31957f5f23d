// Package htmlemail takes an HTML email that somebody else's program made over into a message, with its look.
package htmlemail

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/vanng822/go-premailer/premailer"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"skychimp/domain"
)

// What an email that is taken over may be: the styles of so many rules are put into so many elements.
const (
	MaxBytes    = 400_000
	maxElements = 4_000
	maxDepth    = 80     // parsers of browsers follow 512
	maxSheets   = 60_000 // bytes of style sheets
	maxSteps    = 40_000 // rules times elements
)

// Class is that of the element around what was taken over: no style of ours reaches inside.
const Class = "html"

// Taken is what an HTML email became.
type Taken struct {
	Subject, Body string
	Dropped       int // pictures that were inside the email and are none of the web
}

// Take makes a message of HTML source: one HTML block of Markdown, with the styles of its style sheets in its elements. What
// programs and no mail program would show is left out; the rest is sanitised where emails are composed, like all that is typed.
func Take(source string) (Taken, error) {
	switch {
	case strings.TrimSpace(source) == "" || !strings.Contains(source, "<"):
		return Taken{}, domain.Errorf(domain.Invalid, "html", "messages.html_none")
	case len(source) > MaxBytes:
		return Taken{}, domain.Errorf(domain.Invalid, "html", "messages.html_large", "Max", MaxBytes/1000)
	}
	elements, depth := measure(source)
	if elements > maxElements || depth > maxDepth {
		return Taken{}, domain.Errorf(domain.Invalid, "html", "messages.html_many")
	}
	source = withoutComments.ReplaceAllString(source, "")
	source = atRules(source)
	size, rules := 0, 0
	for _, sheet := range styleSheets.FindAllString(source, -1) {
		size, rules = size+len(sheet), rules+strings.Count(sheet, "{")+strings.Count(sheet, ",")
	}
	if size > maxSheets || rules*elements > maxSteps {
		source = styleSheets.ReplaceAllString(source, "")
	}
	inlined := source
	if made, err := premailer.NewPremailerFromString(source, premailer.NewOptions(premailer.WithRemoveClasses(true), premailer.WithCssToAttributes(false))); err == nil {
		if text, err := made.Transform(); err == nil {
			inlined = text
		}
	}
	root, err := html.Parse(strings.NewReader(inlined))
	if err != nil {
		return Taken{}, domain.Errorf(domain.Invalid, "html", "messages.html_none")
	}
	return take(root)
}

// measure counts elements and how deep they stand in each other.
func measure(source string) (elements, deepest int) {
	depth := 0
	for tokens := html.NewTokenizer(strings.NewReader(source)); ; {
		switch tokens.Next() {
		case html.ErrorToken:
			return elements, deepest
		case html.StartTagToken:
			elements++
			if name, _ := tokens.TagName(); !void[string(name)] {
				depth++
				deepest = max(deepest, depth)
			}
		case html.SelfClosingTagToken:
			elements++
		case html.EndTagToken:
			depth = max(0, depth-1)
		}
	}
}

// void are elements without an end.
var void = map[string]bool{"br": true, "hr": true, "img": true, "meta": true, "link": true, "input": true, "col": true, "area": true, "wbr": true, "p": true, "li": true, "td": true, "tr": true}

var (
	withoutComments = regexp.MustCompile(`(?s)<!--.*?-->|<!\[[^>]*>`)
	styleSheets     = regexp.MustCompile(`(?is)<style[^>]*>.*?</style>`)
)

// atRules takes rules for some media out of the style sheets: they can't stand in an element.
func atRules(source string) string {
	return styleSheets.ReplaceAllStringFunc(source, func(sheet string) string {
		var b strings.Builder
		for {
			at := strings.IndexByte(sheet, '@')
			if at < 0 {
				return b.String() + sheet
			}
			b.WriteString(sheet[:at])
			sheet = sheet[at:]
			end, depth := len("@"), 0
			for ; end < len(sheet); end++ {
				if c := sheet[end]; c == '{' {
					depth++
				} else if c == '}' {
					depth--
				} else if c == '<' || c == ';' && depth == 0 {
					break
				}
				if sheet[end] == '}' && depth <= 0 {
					break
				}
			}
			if end < len(sheet) && sheet[end] != '<' {
				end++
			}
			if depth > 0 {
				return "" // nobody knows where it ends
			}
			sheet = sheet[end:]
		}
	})
}

// take reads the body of the page, and its title as the subject.
func take(root *html.Node) (t Taken, err error) {
	body := t.strip(root)
	if body == nil {
		return t, domain.Errorf(domain.Invalid, "html", "messages.html_none")
	}
	var out bytes.Buffer
	for child := range body.ChildNodes() {
		if err := html.Render(&out, child); err != nil {
			return t, err
		}
	}
	inner := blankLines.ReplaceAllString(strings.ReplaceAll(out.String(), "\r", ""), "\n")
	if strings.TrimSpace(inner) == "" {
		return t, domain.Errorf(domain.Invalid, "html", "messages.html_none")
	}
	// A blank line would end the block of HTML.
	t.Body = `<div class="` + Class + `"` + ground(body) + ">\n" + strings.TrimSpace(inner) + "\n</div>"
	return t, nil
}

// strip removes from the page what no mail program shows, links that lead nowhere, and pictures that are none of the web,
// which it counts. It reads the subject and finds the body, nil where there is none.
func (t *Taken) strip(root *html.Node) (body *html.Node) {
	var gone []*html.Node
	for node := range root.Descendants() {
		for i, a := range node.Attr {
			if a.Key == "style" {
				node.Attr[i].Val = backgrounds.ReplaceAllString(a.Val, "${1}background-color:$2")
			}
		}
		switch node.DataAtom {
		case atom.Title:
			if node.FirstChild != nil && t.Subject == "" {
				t.Subject = strings.Join(strings.Fields(node.FirstChild.Data), " ")
			}
		case atom.Body:
			body = node
		case atom.Script, atom.Style, atom.Noscript, atom.Iframe, atom.Object, atom.Form, atom.Svg, atom.Head, atom.Template:
			gone = append(gone, node)
		case atom.Img:
			if !web(attribute(node, "src")) {
				gone = append(gone, node)
				t.Dropped++
			}
		case atom.A:
			if leadsNowhere(attribute(node, "href")) {
				node.Attr = nil
			}
		}
	}
	for _, node := range gone {
		if node.Parent != nil {
			node.Parent.RemoveChild(node)
		}
	}
	return body
}

// leadsNowhere reports whether a link opens nothing outside the email.
func leadsNowhere(href string) bool {
	return href == "" || strings.HasPrefix(href, "#") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(href)), "javascript:")
}

// backgrounds are the short form of a color: only the long one is kept in emails, and white words would stand on white.
var backgrounds = regexp.MustCompile(`(?i)(^|[;\s])background\s*:\s*(#[0-9a-f]{3,8}\b|rgba?\([^()]*\)|[a-z]{3,20}\b)[^;]*`)

var blankLines = regexp.MustCompile(`\n\s*\n?`)

// ground is the style of the element around, of what the body of the page had.
func ground(body *html.Node) string {
	style := attribute(body, "style")
	if color := attribute(body, "bgcolor"); color != "" {
		style = "background-color:" + color + ";" + style
	}
	if style == "" {
		return ""
	}
	return ` style="` + html.EscapeString(strings.Join(strings.Fields(style), " ")) + `"`
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func web(address string) bool {
	address = strings.ToLower(strings.TrimSpace(address))
	return strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")
}
