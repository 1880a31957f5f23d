package templates

import (
	"embed"
	"slices"
	"strings"
)

//go:embed starts/*/*.md
var starts embed.FS

// StartNames are the examples that a new message can begin with.
func StartNames() []string { return []string{"promotion", "news", "reminder", "congratulations"} }

// Start is the example of that name: the first line of its file is the subject, the rest the
// body in Markdown. Both are empty for a name or a language that doesn't exist.
func Start(lang, name string) (subject, body string) {
	if !slices.Contains(StartNames(), name) {
		return "", ""
	}
	text, err := starts.ReadFile("starts/" + lang + "/" + name + ".md")
	if err != nil {
		return "", ""
	}
	subject, body, _ = strings.Cut(string(text), "\n")
	return subject, strings.TrimSpace(body)
}
