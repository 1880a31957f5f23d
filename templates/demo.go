package templates

import (
	"embed"
	"strings"
)

//go:embed demo/*.md
var demo embed.FS

// DemoPost is an article of the demo, in Markdown.
type DemoPost struct {
	Title, Body string
}

// DemoPosts are the articles of the demo, oldest first.
func DemoPosts() ([]DemoPost, error) {
	files, err := demo.ReadDir("demo")
	if err != nil {
		return nil, err
	}
	var posts []DemoPost
	for _, file := range files {
		text, err := demo.ReadFile("demo/" + file.Name())
		if err != nil {
			return nil, err
		}
		title, body, _ := strings.Cut(string(text), "\n")
		posts = append(posts, DemoPost{strings.TrimPrefix(title, "# "), strings.TrimSpace(body)})
	}
	return posts, nil
}
