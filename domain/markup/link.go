package markup

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"

	"skychimp/domain"
)

// What people type where an address belongs.
const (
	letters   = `\p{L}\p{N}`
	hostName  = `(?:[` + letters + `](?:[` + letters + `\p{M}_-]*)\.)+\p{L}[` + letters + `\p{M}-]+`
	afterHost = `(?::\d{1,5})?(?:[/?#].*)?$`
)

var (
	bareHost  = regexp.MustCompile(`(?s)^` + hostName + afterHost)
	bareEmail = regexp.MustCompile(`^[^\s/:?#@<>()]+@` + hostName + `$`)
	webHost   = regexp.MustCompile(`(?is)^(https?://)((?:[^/?#@]*@)?)([^/?#:@]+)((?::\d{1,5})?(?:[/?#].*)?)$`)
	telephone = regexp.MustCompile(`(?i)^tel:[^a-z]*\d`)
	mailbox   = regexp.MustCompile(`(?i)^mailto:[^?]+@`)
)

// Address is where a link leads whose author typed this: https:// stands before a bare host, mailto: before
// the address of a mailbox, and the host is in punycode. ok is false where it can lead nowhere.
func Address(typed string) (address string, ok bool) {
	typed = strings.TrimSpace(typed)
	switch {
	case strings.HasPrefix(typed, "//"):
		typed = "https:" + typed
	case bareHost.MatchString(typed):
		typed = "https://" + typed
	case bareEmail.MatchString(typed):
		typed = "mailto:" + typed
	}
	if telephone.MatchString(typed) || mailbox.MatchString(typed) {
		return typed, true
	}
	parts := webHost.FindStringSubmatch(typed)
	if parts == nil || strings.ContainsAny(parts[3], " \t\r\n\"<>\\") {
		return typed, false
	}
	host, ok := domain.WireHost(parts[3])
	if !ok {
		return typed, false
	}
	return parts[1] + parts[2] + host + parts[4], true
}

type links struct{}

// A bare address in a text, up to what can't be part of one. The punctuation behind it is goldmark's business.
var (
	path    = `(?::\d+)?(?:[/#?][-` + letters + `\p{M}@:%_\+.~#$!?&/=\(\);,'\^{}\[\]]*)?`
	bareURL = regexp.MustCompile(`^https?://[-` + letters + `\p{M}@:%._\+~#=]{1,256}\.[` + letters + `\p{M}-]+` + path)
	bareWWW = regexp.MustCompile(`^www\.[-` + letters + `\p{M}._]{1,256}\.[` + letters + `\p{M}-]+` + path)
)

// Extend implements goldmark's Extender.
func (links) Extend(m goldmark.Markdown) {
	extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"}),
		extension.WithLinkifyURLRegexp(bareURL), extension.WithLinkifyWWWRegexp(bareWWW)).Extend(m)
	m.Parser().AddOptions(parser.WithASTTransformers(util.Prioritized(links{}, 200)))
}

// Transform implements goldmark's ASTTransformer: what can lead somewhere does.
func (links) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var bare []*ast.AutoLink
	size := 0
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if size > maxAddresses { // small refuses it
			return ast.WalkStop, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			size += len(n.Destination)
			n.Destination = led(n.Destination)
		case *ast.Image:
			size += len(n.Destination)
			n.Destination = led(n.Destination)
		case *ast.AutoLink:
			bare = append(bare, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range bare {
		lead(n, reader.Source())
	}
}

func led(destination []byte) []byte {
	if address, ok := Address(resolved(destination)); ok && address != string(destination) {
		return []byte(address)
	}
	return destination
}

// lead makes a bare address a link with its own address where that isn't what stands there.
func lead(n *ast.AutoLink, source []byte) {
	if n.AutoLinkType != ast.AutoLinkURL {
		return
	}
	if n.Protocol != nil {
		n.Protocol = []byte("https")
	}
	address, ok := Address(string(n.URL(source)))
	if !ok || address == string(n.URL(source)) {
		return
	}
	link := ast.NewLink()
	link.Destination = []byte(address)
	link.AppendChild(link, ast.NewString(n.Label(source)))
	n.Parent().ReplaceChild(n.Parent(), n, link)
}

func resolved(destination []byte) string {
	return string(util.ResolveEntityNames(util.ResolveNumericReferences(destination)))
}

// Target is where a link leads, or what a picture shows.
type Target struct {
	Address string // as led by Address where that is possible
	Picture bool
}

// Targets are those of all links and pictures in what was parsed, also of its HTML.
func Targets(root ast.Node, source []byte) (list []Target) {
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			list = append(list, Target{Address: resolved(n.Destination)})
		case *ast.Image:
			list = append(list, Target{resolved(n.Destination), true})
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				list = append(list, Target{Address: string(n.URL(source))})
			}
		case *ast.RawHTML:
			lead := func(t Target) string { list = append(list, t); return t.Address }
			leadHTML(n.Segments.Value(source), lead)
		case *ast.HTMLBlock:
			lead := func(t Target) string { list = append(list, t); return t.Address }
			leadHTML(n.Lines().Value(source), lead)
		}
		return ast.WalkContinue, nil
	})
	return list
}

// LeadHTML is HTML whose links and pictures have the addresses that Address gives.
func LeadHTML(source []byte) []byte {
	return leadHTML(source, func(t Target) string {
		if address, ok := Address(t.Address); ok {
			return address
		}
		return t.Address
	})
}

func leadHTML(source []byte, lead func(Target) string) []byte {
	out := make([]byte, 0, len(source))
	for tokens := html.NewTokenizer(strings.NewReader(string(source))); ; {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return append(out, tokens.Raw()...)
		}
		raw := string(tokens.Raw())
		if token := tokens.Token(); kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			changed := false
			for i, one := range token.Attr {
				if token.Data == "a" && one.Key == "href" || token.Data == "img" && one.Key == "src" {
					token.Attr[i].Val = lead(Target{one.Val, one.Key == "src"})
					changed = changed || token.Attr[i].Val != one.Val
				}
			}
			if changed {
				raw = token.String()
			}
		}
		out = append(out, raw...)
	}
}
