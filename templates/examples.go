package templates

import (
	"embed"
	"regexp"
	"slices"
	"strings"
)

//go:embed examples/*/*.md
var examples embed.FS

// ExampleNames are the examples that a new message can begin with.
func ExampleNames() []string {
	return []string{"promotion", "news", "event", "digest", "reminder", "congratulations"}
}

// ExamplePictures is where the pictures of examples are, behind the address of the service.
const ExamplePictures = "/pictures/"

// Example is the example of that name: the first line of its file is the subject, the rest the
// body in Markdown, whose pictures are at base. Both are empty for a name or a language that doesn't exist.
func Example(lang, name, base string) (subject, body string) {
	if !slices.Contains(ExampleNames(), name) {
		return "", ""
	}
	text, err := examples.ReadFile("examples/" + lang + "/" + name + ".md")
	if err != nil {
		return "", ""
	}
	subject, body, _ = strings.Cut(string(text), "\n")
	return subject, strings.TrimSpace(strings.ReplaceAll(body, "]("+ExamplePictures, "]("+base+ExamplePictures))
}

// anyBase is the address of a service before that of an example's picture.
var anyBase = regexp.MustCompile(`\]\(https?://[^/()\s]+` + ExamplePictures)

// IsExample reports whether a message still is an example, word for word.
func IsExample(subject, body string) bool {
	body = anyBase.ReplaceAllString(strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n")), "]("+ExamplePictures)
	languages, _ := examples.ReadDir("examples")
	for _, lang := range languages {
		for _, name := range ExampleNames() {
			if s, b := Example(lang.Name(), name, ""); s == strings.TrimSpace(subject) && b == body {
				return true
			}
		}
	}
	return false
}
