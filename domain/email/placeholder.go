package email

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	fieldFirst       field = 'f'
	fieldLast        field = 'l'
	fieldOwn         field = 'o' // one of the owner's
	fieldRun         field = 'r' // filled in before, see RunWords
	fieldUnsubscribe field = 'u'
	fieldToken       field = 't'
	fieldVisit       field = 'v'
)

// placeholders are the names that an owner may use.
var placeholders = map[string]field{"name": fieldName, "first_name": fieldFirst, "last_name": fieldLast, "email": fieldEmail, "comment": fieldComment,
	"issue": fieldRun, "date": fieldRun, "posts": fieldRun}

// use is a placeholder: whose value stands there, and what does where that is empty.
type use struct {
	field    field
	own      *domain.Field
	fallback string
	source   string // as it was written
}

// readUse reads what stands between the braces; ok is false for a name that nobody has.
func readUse(inner string, fields []domain.Field) (u use, name string, ok bool) {
	name, fallback, _ := strings.Cut(inner, "|")
	name = strings.TrimSpace(name)
	u = use{field: placeholders[name], fallback: strings.TrimSpace(fallback), source: "{{" + inner + "}}"}
	if at := slices.IndexFunc(fields, func(f domain.Field) bool { return f.Key == name }); (u.field == 0 || u.field == fieldRun) && at >= 0 {
		u.field, u.own = fieldOwn, &fields[at]
	}
	return u, name, u.field != 0
}

// nearest is the known name that a reader most likely meant.
func nearest(name string, fields []domain.Field) string {
	names := slices.Sorted(maps.Keys(placeholders))
	for _, f := range fields {
		names = append(names, f.Key)
	}
	name = strings.ToLower(name)
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is how many letters have to be typed, dropped or changed.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	x = x[:min(len(x), 64)]
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			change := before
			if x[i] != y[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}

// Uses are the placeholders that the texts hold without a word for where there is none, each once.
func Uses(fields []domain.Field, texts ...string) (names []string) {
	for _, found := range placeholder.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
		if u, name, ok := readUse(found[1], fields); ok && u.fallback == "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Check tells, as domain.ValidationErrors, what keeps a message from being sent. What passes can be compiled, to
// an HTML part of about size bytes.
func Check(subject, body string, fields ...domain.Field) (size int, err error) {
	if p := problems(subject, body, fields); len(p) > 0 {
		return 0, p
	}
	names := conditions(subject, body)
	for _, holds := range []bool{true, false} {
		one, err := checkBody(subject, resolve(body, func(string) bool { return holds }), fields)
		if err != nil || len(names) == 0 {
			return one, err
		}
		size = max(size, one)
	}
	return size, nil
}

// checkBody is Check for a body without conditions.
func checkBody(subject, body string, fields []domain.Field) (size int, err error) {
	content, err := parseMarkdown(newMarks(fields, body), body)
	if err != nil {
		return 0, err
	}
	plain := lookOf(domain.Brand{}, "", "")
	markup, err := content.html("", plain)
	if err == nil {
		err = content.problems().Err()
	}
	if err != nil {
		return 0, err
	}
	whole, err := page{Language: "en", Subject: subject, Look: plain, Body: markup}.html()
	return len(whole) + personalSize, err
}

// personalSize is what names, addresses and a preheader add to an email.
const personalSize = 1000

// problems are those seen without parsing the body.
func problems(subject, body string, fields []domain.Field) domain.ValidationErrors {
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
	checkPlaceholders(&p, "subject", subject, fields)
	switch {
	case !isText(body):
		p.Add("body", "messages.not_text")
	case strings.TrimSpace(body) == "":
		p.Add("body", "messages.body_required")
	case len(body) > maxBody:
		p.Add("body", "messages.body_too_long", "Max", maxBody)
	}
	checkPlaceholders(&p, "body", body, fields)
	return p
}

// maxTypedPreheader is the limit of a preheader in characters; no mailbox shows more.
const maxTypedPreheader = 150

// CheckPreheader tells, as domain.ValidationErrors, what is wrong with a preheader.
func CheckPreheader(text string, fields ...domain.Field) error {
	var p domain.ValidationErrors
	switch {
	case !isText(text) || strings.ContainsAny(text, "\r\n"):
		p.Add("preheader", "messages.not_text")
	case utf8.RuneCountInString(text) > maxTypedPreheader:
		p.Add("preheader", "messages.preheader_too_long", "Max", maxTypedPreheader)
	}
	checkPlaceholders(&p, "preheader", text, fields)
	return p.Err()
}

// isText: SUBSTITUTE stands where a form held something else.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\x1a") }

// checkPlaceholders notes each unknown placeholder once, and no more than a reader can use.
func checkPlaceholders(p *domain.ValidationErrors, where, text string, fields []domain.Field) {
	seen := map[string]bool{}
	if key := brokenConditions(text); key != "" {
		p.Add(where, key)
	}
	if len(conditions(text)) > maxConditions {
		p.Add(where, "messages.conditions_many", "Max", maxConditions)
	}
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		inner := found[1]
		if tag := condition.FindStringSubmatch(found[0]); tag != nil {
			if inner = tag[1]; inner == "" {
				continue // else, /if
			}
		}
		_, name, ok := readUse(inner, fields)
		if ok || seen[name] {
			continue
		}
		if seen[name] = true; len(seen) > 5 {
			return
		}
		p.Add(where, "messages.placeholder_unknown", "Name", shorten(name, 40), "Nearest", nearest(name, fields))
	}
}

// marks stand in for placeholders while a text goes through Markdown, the sanitiser and the
// frame: letters and digits that none of them changes and that the texts don't contain.
type marks struct {
	prefix  string
	pattern *regexp.Regexp
	fields  []domain.Field
	uses    *[]use
	known   map[string]int // the place in uses, by what stands between the braces
}

func newMarks(fields []domain.Field, texts ...string) marks {
	all := strings.Join(texts, "\n")
	m := marks{prefix: "qz0x", fields: fields, uses: &[]use{{field: fieldUnsubscribe}, {field: fieldToken}, {field: fieldVisit}}, known: map[string]int{}}
	for i := 1; strings.Contains(all, m.prefix); i++ {
		m.prefix = "qz" + strconv.Itoa(i) + "x"
	}
	m.pattern = regexp.MustCompile(m.prefix + "([0-9]+)([vw])")
	return m
}

// mark stands for a use; inURL turns it into one for the value inside an address.
func (m marks) mark(use int) string { return m.prefix + strconv.Itoa(use) + "v" }

// unsubscribe stands for the address to unsubscribe at.
func (m marks) unsubscribe() string { return m.mark(0) }

// view is an address in which Token stands for what names the recipient.
func (m marks) view(address string) string {
	return m.inURL(strings.Replace(address, Token, m.mark(1), 1))
}

// visit stands for the token of the delivery, within an address.
func (m marks) visit() string { return m.inURL(m.mark(2)) }

func (m marks) inURL(address string) string {
	return m.pattern.ReplaceAllString(address, m.prefix+"${1}w")
}

// hide puts marks in the place of placeholders.
func (m marks) hide(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		inner := found[2 : len(found)-2]
		at, known := m.known[inner]
		if !known {
			u, _, ok := readUse(inner, m.fields)
			if !ok {
				return found
			}
			at = len(*m.uses)
			*m.uses, m.known[inner] = append(*m.uses, u), at
		}
		return m.mark(at)
	})
}

// reveal puts the placeholders back.
func (m marks) reveal(text string) string {
	return m.pattern.ReplaceAllStringFunc(text, func(found string) string {
		if u := m.use(found[len(m.prefix) : len(found)-1]); u != nil {
			return u.source
		}
		return found
	})
}

// use is the one of a mark, nil where the number is none.
func (m marks) use(number string) *use {
	at, err := strconv.Atoi(number)
	if err != nil || at >= len(*m.uses) {
		return nil
	}
	return &(*m.uses)[at]
}

// split cuts a finished text at its marks; plain is how values are written outside addresses.
func (m marks) split(text string, plain escape) []piece {
	found := m.pattern.FindAllStringSubmatchIndex(text, -1)
	pieces := make([]piece, 0, len(found)+1)
	start, seen, inside := 0, 0, false
	for _, at := range found {
		p := piece{text: text[start:at[0]], use: m.use(text[at[2]:at[3]]), escape: escapeURL}
		start = at[1]
		if text[at[4]] == 'v' {
			inside, seen = insideTag(inside, text[seen:at[0]]), at[0]
			if p.escape = plain; plain == escapeHTML && inside {
				p.escape = escapeAttribute
			}
			p.join(text[:at[0]], text[start:], m.prefix)
			start += len(p.after)
		}
		pieces = append(pieces, p.prepared())
	}
	return append(pieces, piece{text: text[start:]}.prepared())
}

// join takes out of the text what makes no sense without a value: the comma and spaces before
// it or, where it comes first in its line or element, those behind it. So both
// "Hello, {{name}}!" and "{{name}}, hello!" can greet somebody without a name.
func (p *piece) join(all, rest, mark string) {
	if p.use == nil || p.use.fallback != "" {
		return
	}
	fixed := strings.TrimRight(p.text, " ")
	if fixed != p.text {
		fixed = strings.TrimSuffix(fixed, ",")
	}
	p.text, p.before = fixed, p.text[len(fixed):]
	if all == "" || strings.HasSuffix(all, "\n") || opensElement(all) {
		p.after = rest[:len(rest)-len(strings.TrimLeft(strings.TrimPrefix(rest, ","), " "))]
		if p.after != "" && beginsSentence(all) {
			p.capital(rest[len(p.after):], mark)
		}
	}
}

// betweenNames is what may stand between a name and the word behind it.
var betweenNames = regexp.MustCompile(`^(?:<[a-z][^<>]*>|\*+)*`)

// capital lets the word that comes first where there is no value begin as a sentence does.
func (p *piece) capital(rest, mark string) {
	tags := betweenNames.FindString(rest)
	letter, size := utf8.DecodeRuneInString(rest[len(tags):])
	if unicode.IsLower(letter) && !strings.HasPrefix(rest[len(tags):], mark) {
		p.without = tags + string(unicode.ToUpper(letter))
		p.after += rest[:len(tags)+size]
	}
}

// beginsSentence reports whether a line that ends here goes on with another sentence.
func beginsSentence(text string) bool {
	if strings.HasSuffix(text, "\n\n") {
		return true
	}
	text = strings.TrimRight(text[max(0, len(text)-1000):], " \n")
	return text == "" || strings.ContainsAny(text[len(text)-1:], ".!?>:")
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
