package report

import (
	"regexp"
	"slices"
	"strings"
)

// Where a token was found, the likeliest place first.
const (
	rankEnvelope = iota // whom the report was addressed to
	rankStatus          // the envelope id, or the original sender of a complaint
	rankReturned        // the email that came back
	rankText            // anywhere
)

// tokenAt finds what may be a return token: in a Message-ID or an envelope sender.
var tokenAt = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])([a-z2-7]{16,37})@`)

// add notes the tokens of texts that hold addresses or Message-IDs.
func (p *parser) add(rank int, texts ...string) {
	for _, text := range texts {
		for _, match := range tokenAt.FindAllStringSubmatch(text, maxTokens) {
			p.addToken(rank, match[1])
		}
	}
}

func (p *parser) addToken(rank int, token string) {
	token = strings.ToLower(token)
	if len(p.found[rank]) < maxTokens && !slices.Contains(p.found[rank], token) {
		p.found[rank] = append(p.found[rank], token)
	}
}

// findTokens looks through all that can be read, for reports of no known form.
func (p *parser) findTokens(raw string) { p.add(rankText, p.text.String(), raw) }

func (p *parser) tokens() []string {
	var all []string
	for _, found := range p.found {
		for _, token := range found {
			if len(all) < maxTokens && !slices.Contains(all, token) {
				all = append(all, token)
			}
		}
	}
	return all
}
