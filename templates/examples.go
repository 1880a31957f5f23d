package templates

import (
	"embed"
	"slices"
	"strings"
)

//go:embed examples/*/*.md
var examples embed.FS

// ExampleNames are the examples that a new message can begin with.
func ExampleNames() []string {
	return []string{"promotion", "news", "event", "digest", "reminder", "congratulations"}
}

// Example is the example of that name: the first line of its file is the subject, the rest the
// body in Markdown. Both are empty for a name or a language that doesn't exist.
func Example(lang, name string) (subject, body string) {
	if !slices.Contains(ExampleNames(), name) {
		return "", ""
	}
	text, err := examples.ReadFile("examples/" + lang + "/" + name + ".md")
	if err != nil {
		return "", ""
	}
	subject, body, _ = strings.Cut(string(text), "\n")
	return subject, strings.TrimSpace(body)
}

// IsExample reports whether a message still is an example, word for word.
func IsExample(subject, body string) bool {
	languages, _ := examples.ReadDir("examples")
	for _, lang := range languages {
		for _, name := range ExampleNames() {
			if s, b := Example(lang.Name(), name); s == strings.TrimSpace(subject) && b == strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n")) {
				return true
			}
		}
	}
	return false
}
