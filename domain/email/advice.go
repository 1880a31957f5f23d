package email

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/net/html"

	"skychimp/domain"
	"skychimp/domain/markup"
)

// longSubject is how many characters of a subject a phone shows.
const longSubject = 60

// Advice is what an author may want to change before a message goes out, as texts with their arguments. What keeps it from
// being sent is Check's.
func Advice(subject, body string) (list domain.ValidationErrors) {
	if utf8.RuneCountInString(strings.TrimSpace(subject)) > longSubject {
		list.Add("subject", "messages.advice_subject", "Max", longSubject)
	}
	content, err := parseMarkdown(newMarks(nil, body), body)
	if err != nil {
		return list
	}
	for _, target := range markup.Targets(content.root, content.source) {
		at, err := url.Parse(target.Address)
		if target.Picture || err != nil || at.Host == "" {
			continue
		}
		switch {
		case isSample(at):
			list.Add("body", "messages.advice_sample", "Address", shorten(content.marks.reveal(target.Address), 60))
		case at.Scheme == "http":
			list.Add("body", "messages.advice_http", "Address", shorten(content.marks.reveal(target.Address), 60))
		}
	}
	if content.wordless() {
		list.Add("body", "messages.advice_alt")
	}
	if size, err := Check(subject, body); err == nil && size >= domain.ClipSize {
		list.Add("body", "messages.advice_clipped")
	}
	return list
}

// isSample tells the addresses that stand for others (RFC 2606).
func isSample(at *url.URL) bool {
	host := strings.TrimPrefix(strings.ToLower(at.Hostname()), "www.")
	return host == "example.com" || host == "example.org" || host == "example.net" || strings.HasSuffix(host, ".example")
}

// wordless reports whether a picture has no words for who doesn't see it.
func (c content) wordless() (found bool) {
	_ = ast.Walk(c.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Image:
			found = found || strings.TrimSpace(c.inline(n)) == ""
		case *ast.HTMLBlock:
			found = found || entering && pictureWithoutWords(string(n.Lines().Value(c.source)))
		case *ast.RawHTML:
			found = found || entering && pictureWithoutWords(string(n.Segments.Value(c.source)))
		}
		return ast.WalkContinue, nil
	})
	return found
}

func pictureWithoutWords(source string) bool {
	for tokens := html.NewTokenizer(strings.NewReader(source)); tokens.Next() != html.ErrorToken; {
		token := tokens.Token()
		if token.Data != "img" {
			continue
		}
		words := ""
		for _, a := range token.Attr {
			if a.Key == "alt" {
				words = strings.TrimSpace(a.Val)
			}
		}
		if words == "" {
			return true
		}
	}
	return false
}

// NamesClients reports whether the message greets its clients by name.
func NamesClients(subject, body string) bool {
	for _, found := range placeholder.FindAllStringSubmatch(subject+"\n"+body, -1) {
		if u, _, _ := readUse(found[1], nil); u.field == fieldName || u.field == fieldFirst {
			return true
		}
	}
	return false
}
