package email

import (
	_ "embed"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"skychimp/domain"
)

//go:embed frame.html
var frameHTML string

// frame is the page around every email, its indentation taken out.
var frame = template.Must(template.New("frame").Funcs(template.FuncMap{
	"outlook": outlook, "filler": filler}).
	Parse(regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(frameHTML, "")))

// outlook is markup for Outlook on Windows alone, which knows no max-width.
func outlook(markup string) template.HTML {
	return template.HTML("<!--[if mso]>" + markup + "<![endif]-->")
}

// filler follows a preheader with spaces up to what mailboxes show, or they would show what comes behind it.
func filler(preheader string) template.HTML {
	return template.HTML(strings.Repeat("&zwnj;&nbsp;", max(0, maxPreheader+10-utf8.RuneCountInString(preheader))))
}

// page is what the frame shows. What is empty is left out.
type page struct {
	Language, Subject         string
	Look                      look   // its Font stands in every cell: Outlook on Windows hands none down
	Preheader                 string // what a mailbox shows beside the subject, hidden in the email
	Body                      body
	Footer                    string
	UnsubscribeText, ViewText string
	UnsubscribeURL, ViewURL   template.URL
	Picture                   template.URL // is asked for when the email is opened
}

// Direction is "ltr" or "rtl". Mailboxes leave out the element html, so others carry it as well.
func (p page) Direction() string {
	if domain.RightToLeft(p.Language) {
		return "rtl"
	}
	return "ltr"
}

// Start is the side where lines begin: the cell around the email is centred for Outlook, and hands that down.
func (p page) Start() string {
	if domain.RightToLeft(p.Language) {
		return "right"
	}
	return "left"
}

func (p page) html() (string, error) {
	var b strings.Builder
	err := frame.Execute(&b, p)
	return b.String(), err
}

// The bounds of a preheader in characters: shorter paragraphs only greet, and no mailbox
// shows more.
const minPreheader, maxPreheader = 30, 90

// preheader is the beginning of the first paragraph that says something, in whole words.
func preheader(paragraphs []string) string {
	for _, paragraph := range paragraphs {
		if utf8.RuneCountInString(paragraph) < minPreheader {
			continue
		}
		var text string
		for word := range strings.FieldsSeq(paragraph) {
			if text != "" && utf8.RuneCountInString(text+word) >= maxPreheader {
				return text + "…"
			}
			text = strings.TrimPrefix(text+" "+word, " ")
		}
		return text
	}
	return ""
}

// textFooter ends the text part: why the reader got the email and, in an email to a list, how
// to get no more.
func textFooter(lines ...string) string {
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	return "\n\n-- \n" + strings.Join(lines, "\n") + "\n"
}

// Under is the page of an email (HTML) with what stands above emails in mail programs.
func Under(head, page string) string {
	const begin = `<div class="page"`
	return strings.Replace(page, begin, head+begin, 1)
}

// Shown is the page of an email (HTML) as mail programs in the colour scheme, "light" or
// "dark", show it, whatever this browser prefers.
func Shown(page, scheme string) string {
	dark := "not all"
	if scheme == "dark" {
		dark = "all"
	}
	page = strings.Replace(page, ":root{color-scheme:light dark}", ":root{color-scheme:"+scheme+"}", 1)
	return strings.Replace(page, "@media(prefers-color-scheme:dark)", "@media "+dark, 1)
}
