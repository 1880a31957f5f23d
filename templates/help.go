package templates

import (
	"embed"
	"strings"
)

//go:embed help
var help embed.FS

// GuideNames are the guides in the order in which they are offered.
func GuideNames() []string { return []string{"user", "manager", "content", "operator"} }

// Guide is a guide in Markdown. Its pictures are files beside it.
func Guide(lang, name string) ([]byte, error) {
	return help.ReadFile("help/" + lang + "/" + name + ".md")
}

// GuidePicture is a picture of the guides as PNG, false when there is none of that name.
func GuidePicture(lang, name string) ([]byte, bool) {
	if !strings.HasSuffix(name, ".png") {
		return nil, false
	}
	picture, err := help.ReadFile("help/" + lang + "/" + name)
	return picture, err == nil
}
