package web

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"

	"skychimp/domain"
	"skychimp/templates"
)

// Viewer is the person who asks, for whom texts, times and refusals are written.
type Viewer struct {
	User *domain.User // nil: a visitor
	Lang string
	Zone *time.Location

	texts *templates.Texts
}

// SetViewer makes user the one who asks, from here on in this request.
func (r *Request) SetViewer(user domain.User) {
	to := Viewer{User: &user, Lang: user.Language, Zone: user.Location(), texts: r.Site.Templates.Texts()}
	if !slices.Contains(domain.Languages(), to.Lang) {
		to.Lang = visitorLanguage(r.Ctx)
	}
	r.Viewer = to
}

// LanguageCookie keeps what a visitor chose.
const LanguageCookie = "language"

// languageMatcher knows domain.Languages; it takes longer to make than a page.
var languageMatcher = func() language.Matcher {
	var tags []language.Tag
	for _, lang := range domain.Languages() {
		tags = append(tags, language.Make(lang))
	}
	return language.NewMatcher(tags)
}()

// visitorLanguage is what the visitor chose here, or else what the browser asks for.
func visitorLanguage(c *fiber.Ctx) string {
	if chosen := c.Cookies(LanguageCookie); slices.Contains(domain.Languages(), chosen) {
		return chosen
	}
	languages := domain.Languages()
	wanted, _, err := language.ParseAcceptLanguage(c.Get(fiber.HeaderAcceptLanguage))
	if err != nil {
		return languages[0]
	}
	_, index, _ := languageMatcher.Match(wanted...)
	return languages[index]
}
