package email

import (
	"net/url"
	"slices"
	"strings"

	"skychimp/domain/markup"
)

// WebLinks are the addresses of pages and pictures that a body leads to and that are the same for all clients, each once, but for samples.
func WebLinks(body string) (list []string) {
	content, err := parseMarkdown(newMarks(nil, body), body)
	if err != nil {
		return nil
	}
	for _, target := range markup.Targets(content.root, content.source) {
		address, ok := markup.Address(target.Address)
		at, err := url.Parse(address)
		if !ok || err != nil || !strings.HasPrefix(at.Scheme, "http") || isSample(at) || content.marks.reveal(address) != address || strings.Contains(address, "{{") {
			continue
		}
		at.Fragment = ""
		if one := at.String(); !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}
