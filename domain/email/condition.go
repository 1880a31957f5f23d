package email

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxConditions bounds the emails that a message can become: two for each value that it asks about.
const maxConditions = 8

// condition is {{#if city}}, {{else}} or {{/if}}; the name is its first group.
var (
	condition     = regexp.MustCompile(`\{\{\s*(?:#if\s+([^{}|\r\n]*?)|else|/if)\s*\}\}`)
	conditionLine = regexp.MustCompile(`(?m)^[ \t]*(\{\{\s*(?:#if\s+[^{}|\r\n]*?|else|/if)\s*\}\})[ \t]*\r?\n`)
)

// conditions are the names that texts ask about, each once.
func conditions(texts ...string) (names []string) {
	for _, text := range texts {
		for _, found := range condition.FindAllStringSubmatch(text, -1) {
			if name := found[1]; name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// brokenConditions is the key of what is wrong with a text's conditions, "" when nothing is.
func brokenConditions(text string) string {
	var open []bool // has an else already
	for _, found := range condition.FindAllStringSubmatch(text, -1) {
		switch {
		case found[1] != "":
			open = append(open, false)
		case len(open) == 0:
			return "messages.if_unopened"
		case strings.Contains(found[0], "/if"):
			open = open[:len(open)-1]
		case open[len(open)-1]:
			return "messages.if_unopened"
		default:
			open[len(open)-1] = true
		}
	}
	if len(open) > 0 {
		return "messages.if_unclosed"
	}
	return ""
}

// resolve leaves of a text with conditions, which are not broken, what holds. One that has a line for itself leaves no
// empty one behind.
func resolve(text string, holds func(name string) bool) string {
	if !strings.Contains(text, "{{") || !condition.MatchString(text) {
		return text
	}
	text = conditionLine.ReplaceAllString(text, "$1")
	var out strings.Builder
	type branch struct{ outer, holds, shown bool }
	stack, start := []branch{{true, true, true}}, 0
	for _, at := range condition.FindAllStringSubmatchIndex(text, -1) {
		top := &stack[len(stack)-1]
		if top.shown {
			out.WriteString(text[start:at[0]])
		}
		start = at[1]
		switch {
		case at[2] >= 0:
			yes := holds(text[at[2]:at[3]])
			stack = append(stack, branch{top.shown, yes, top.shown && yes})
		case strings.Contains(text[at[0]:at[1]], "/if"):
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		default:
			top.shown = top.outer && !top.holds
		}
	}
	out.WriteString(text[start:])
	return out.String()
}

// variants are the emails that a message with conditions becomes, each compiled when somebody first gets it.
type variants struct {
	source Source
	asked  []use // what the conditions ask about
	names  []string

	mu   sync.Mutex
	made map[uint16]*Template
}

// of is the email of the recipient.
func (v *variants) of(r *Recipient) (*Template, error) {
	var holds uint16
	for i := range v.asked {
		p := piece{use: &v.asked[i]}
		value := p.value(r)
		yes, isBool := false, false
		if own := p.use.own; own != nil {
			yes, isBool = r.Fields[own.ID].(bool)
		}
		if isBool && yes || !isBool && value != "" {
			holds |= 1 << i
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if known := v.made[holds]; known != nil {
		return known, nil
	}
	one := v.source
	says := func(name string) bool { return holds&(1<<slices.Index(v.names, name)) != 0 }
	one.Subject, one.Preheader, one.Body = resolve(one.Subject, says), resolve(one.Preheader, says), resolve(one.Body, says)
	made, err := compileOne(one)
	if err == nil {
		v.made[holds] = made
	}
	return made, err
}
