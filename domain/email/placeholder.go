package email

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"skychimp/domain"
)

// The limits of what an owner writes: the subject in characters, the body in bytes.
const (
	maxSubject = 200
	maxBody    = 200_000
)

// placeholder is {{name}}, with or without spaces inside.
var placeholder = regexp.MustCompile(`\{\{([^{}\r\n]*)\}\}`)

// field is a value of the Recipient that a piece ends with; 0 is none.
type field byte

const (
	fieldName        field = 'n'
	fieldEmail       field = 'e'
	fieldComment     field = 'c'
	fieldUnsubscribe field = 'u'
)

// placeholders are the names that an owner may use.
var placeholders = map[string]field{"name": fieldName, "email": fieldEmail, "comment": fieldComment}

// Uses are the placeholders that the texts hold, each once.
func Uses(texts ...string) (names []string) {
	for _, found := range placeholder.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
		if name := strings.TrimSpace(found[1]); placeholders[name] != 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Check tells, as domain.ValidationErrors, what keeps a message from being sent. What passes can be compiled, to
// an HTML part of about size bytes.
func Check(subject, body string) (size int, err error) {
	if p := problems(subject, body); len(p) > 0 {
		return 0, p
	}
	content, err := parseMarkdown(newMarks(body), body)
	if err != nil {
		return 0, err
	}
	markup, err := content.html("")
	if err == nil {
		err = content.problems().Err()
	}
	if err != nil {
		return 0, err
	}
	whole, err := page{Language: "en", Subject: subject, Content: markup}.html()
	return len(whole) + personalSize, err
}

// personalSize is what names, addresses and a preheader add to an email.
const personalSize = 1000

// problems are those seen without parsing the body.
func problems(subject, body string) domain.ValidationErrors {
	var p domain.ValidationErrors
	switch {
	case !isText(subject):
		p.Add("subject", "messages.not_text")
	case strings.TrimSpace(subject) == "":
		p.Add("subject", "messages.subject_required")
	case strings.ContainsAny(subject, "\r\n"):
		p.Add("subject", "messages.subject_line_break")
	case utf8.RuneCountInString(subject) > maxSubject:
		p.Add("subject", "messages.subject_too_long", "Max", maxSubject)
	}
	checkPlaceholders(&p, "subject", subject)
	switch {
	case !isText(body):
		p.Add("body", "messages.not_text")
	case strings.TrimSpace(body) == "":
		p.Add("body", "messages.body_required")
	case len(body) > maxBody:
		p.Add("body", "messages.body_too_long", "Max", maxBody)
	}
	checkPlaceholders(&p, "body", body)
	return p
}

// maxTypedPreheader is the limit of a preheader in characters; no mailbox shows more.
const maxTypedPreheader = 150

// CheckPreheader tells, as domain.ValidationErrors, what is wrong with a preheader.
func CheckPreheader(text string) error {
	var p domain.ValidationErrors
	switch {
	case !isText(text) || strings.ContainsAny(text, "\r\n"):
		p.Add("preheader", "messages.not_text")
	case utf8.RuneCountInString(text) > maxTypedPreheader:
		p.Add("preheader", "messages.preheader_too_long", "Max", maxTypedPreheader)
	}
	checkPlaceholders(&p, "preheader", text)
	return p.Err()
}

// isText: SUBSTITUTE stands where a form held something else.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\x1a") }

// checkPlaceholders notes each unknown placeholder once, and no more than a reader can use.
func checkPlaceholders(p *domain.ValidationErrors, where, text string) {
	seen := map[string]bool{}
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSpace(found[1])
		if placeholders[name] != 0 || seen[name] {
			continue
		}
		if seen[name] = true; len(seen) > 5 {
			return
		}
		p.Add(where, "messages.placeholder_unknown", "Name", shorten(name, 40))
	}
}

// marks stand in for placeholders while a text goes through Markdown, the sanitiser and the
// frame: letters and digits that none of them changes and that the texts don't contain.
type marks struct {
	prefix  string
	pattern *regexp.Regexp
	toURL   *strings.Replacer
}

func newMarks(texts ...string) marks {
	all := strings.Join(texts, "\n")
	m := marks{prefix: "qz0x"}
	for i := 1; strings.Contains(all, m.prefix); i++ {
		m.prefix = "qz" + strconv.Itoa(i) + "x"
	}
	m.pattern = regexp.MustCompile(m.prefix + "([necu])([vw])")
	m.toURL = strings.NewReplacer(m.prefix+"nv", m.prefix+"nw", m.prefix+"ev", m.prefix+"ew", m.prefix+"cv", m.prefix+"cw")
	return m
}

// mark stands for the value of f; inURL turns it into one for the value inside an address.
func (m marks) mark(f field) string { return m.prefix + string(f) + "v" }

func (m marks) inURL(address string) string { return m.toURL.Replace(address) }

// hide puts marks in the place of placeholders.
func (m marks) hide(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		return m.mark(placeholders[strings.TrimSpace(found[2:len(found)-2])])
	})
}

// reveal puts the placeholders back.
func (m marks) reveal(text string) string {
	return m.pattern.ReplaceAllStringFunc(text, func(found string) string {
		for name, f := range placeholders {
			if string(f) == found[len(m.prefix):len(found)-1] {
				return "{{" + name + "}}"
			}
		}
		return found
	})
}

// split cuts a finished text at its marks; plain is how values are written outside addresses.
func (m marks) split(text string, plain escape) []piece {
	found := m.pattern.FindAllStringSubmatchIndex(text, -1)
	pieces := make([]piece, 0, len(found)+1)
	start, seen, inside := 0, 0, false
	for _, at := range found {
		p := piece{text: text[start:at[0]], field: field(text[at[2]]), escape: escapeURL}
		start = at[1]
		if text[at[4]] == 'v' {
			inside, seen = insideTag(inside, text[seen:at[0]]), at[0]
			if p.escape = plain; plain == escapeHTML && inside {
				p.escape = escapeAttribute
			}
			p.join(text[:at[0]], text[start:])
			start += len(p.after)
		}
		pieces = append(pieces, p.prepared())
	}
	return append(pieces, piece{text: text[start:]}.prepared())
}

// join takes out of the text what makes no sense without a value: the comma and spaces before
// it or, where it comes first in its line or element, those behind it. So both
// "Hello, {{name}}!" and "{{name}}, hello!" can greet somebody without a name.
func (p *piece) join(all, rest string) {
	fixed := strings.TrimRight(p.text, " ")
	if fixed != p.text {
		fixed = strings.TrimSuffix(fixed, ",")
	}
	p.text, p.before = fixed, p.text[len(fixed):]
	if all == "" || strings.HasSuffix(all, "\n") || opensElement(all) {
		p.after = rest[:len(rest)-len(strings.TrimLeft(strings.TrimPrefix(rest, ","), " "))]
	}
}

// insideTag reports whether a text, which begins within a tag or not, ends within one. A sanitised attribute
// holds no angle bracket.
func insideTag(begins bool, text string) bool {
	at := strings.LastIndexAny(text, "<>")
	if at < 0 {
		return begins
	}
	return text[at] == '<'
}

// opensElement reports whether a text ends with an opening tag, of which it looks for the beginning
// not further back than tags are long.
func opensElement(text string) bool {
	if !strings.HasSuffix(text, ">") {
		return false
	}
	text = text[max(0, len(text)-1000):]
	tag := text[strings.LastIndexByte(text, '<')+1:]
	return tag[0] != '/'
}
