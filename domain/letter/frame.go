package letter

import (
	_ "embed"
	"html/template"
	"regexp"
	"slices"
	"strings"
)

//go:embed frame.html
var frameHTML string

// frame is the page around every letter, its indentation taken out.
var frame = template.Must(template.New("frame").Parse(regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(frameHTML, "")))

// page is what the frame shows. The button and the unsubscribe link are left out when empty.
type page struct {
	Language, Subject, Sender string
	Content                   template.HTML
	ButtonText, ButtonURL     string
	Footer                    string
	UnsubscribeText           string
	UnsubscribeURL            template.URL
}

func (p page) html() (string, error) {
	var b strings.Builder
	err := frame.Execute(&b, p)
	return b.String(), err
}

// textFooter ends the text part: why the reader got the letter and, in a letter to a list, how
// to get no more.
func textFooter(lines ...string) string {
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	return "\n\n--\n" + strings.Join(lines, "\n") + "\n"
}
