package email

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"skychimp/domain"
	"skychimp/domain/digest"
)

// RunWords are what texts say of their run, the same for all recipients: they are filled in when it is made.
type RunWords struct {
	Issue    int
	Date     time.Time // in the zone that it is to be read in
	Language string
}

var runWord = regexp.MustCompile(`\{\{ *(issue|date) *(?:\|[^{}\r\n]*)?\}\}`)

// Fill puts them in the place of {{issue}} and {{date}}, but for those that are keys of the owner's fields.
func (w RunWords) Fill(text string, fields []domain.Field) string {
	return runWord.ReplaceAllStringFunc(text, func(found string) string {
		name, _, _ := strings.Cut(strings.Trim(found, "{}"), "|")
		name = strings.TrimSpace(name)
		switch {
		case slices.ContainsFunc(fields, func(f domain.Field) bool { return f.Key == name }):
			return found
		case name == "issue":
			return strconv.Itoa(max(1, w.Issue))
		}
		day := domain.Field{ID: 1, Type: domain.FieldDate}
		return day.Say(w.Language, domain.FieldValues{1: w.Date.Format(time.DateOnly)})
	})
}

// examplePosts show where those of a digest will stand.
func examplePosts() []digest.Post {
	return []digest.Post{{Title: "Lorem ipsum", Link: "https://example.com/1", Summary: "Dolor sit amet, consectetur adipiscing elit."},
		{Title: "Sed do eiusmod", Link: "https://example.com/2", Summary: "Tempor incididunt ut labore et dolore magna aliqua."}}
}

// asToday fills in what a text is shown with that no run was made of: the first issue, today.
func (s Source) asToday() Source {
	words := RunWords{Date: time.Now(), Language: s.Language}
	for _, text := range []*string{&s.Subject, &s.Preheader, &s.Body} {
		*text = digest.Fill(words.Fill(*text, s.Fields), examplePosts())
	}
	return s
}
