package handlers

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"

	"skychimp/domain"
)

// Reader is the person who asks.
type Reader struct {
	User *domain.User // nil: a visitor
	Lang string
	Zone *time.Location
}

const readerKey, languageCookie = "reader", "language"

// reader is who asks; before the session is known, or without one, a visitor.
func (s *Site) reader(c *fiber.Ctx) Reader {
	if known, ok := c.Locals(readerKey).(Reader); ok {
		return known
	}
	visitor := Reader{Lang: visitorLanguage(c), Zone: time.UTC}
	c.Locals(readerKey, visitor) // pages ask often
	return visitor
}

// setReader makes user the one who asks, from here on in this request.
func (s *Site) setReader(c *fiber.Ctx, user domain.User) {
	to := Reader{User: &user, Lang: user.Language, Zone: user.Location()}
	if !slices.Contains(domain.Languages(), to.Lang) {
		to.Lang = visitorLanguage(c)
	}
	c.Locals(readerKey, to)
}

// languageMatcher knows domain.Languages; it takes longer to make than a page.
var languageMatcher = func() language.Matcher {
	var tags []language.Tag
	for _, lang := range domain.Languages() {
		tags = append(tags, language.Make(lang))
	}
	return language.NewMatcher(tags)
}()

// visitorLanguage is what the visitor chose here, else what his browser asks for.
func visitorLanguage(c *fiber.Ctx) string {
	if chosen := c.Cookies(languageCookie); slices.Contains(domain.Languages(), chosen) {
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

// changeLanguage is the switch at the foot of every page.
func (s *Site) changeLanguage(c *fiber.Ctx) error {
	chosen := c.FormValue("language")
	if !slices.Contains(domain.Languages(), chosen) {
		return domain.Refuse(domain.Invalid, "language", "account.language_unknown")
	}
	if user := s.reader(c).User; user != nil {
		_, err := s.DB.UpdateUser(c.UserContext(), user.ID, func(u *domain.User) error {
			u.Language = chosen
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.setCookie(c, languageCookie, chosen, 365*24*time.Hour)
	return s.redirect(c, localPath(c.FormValue("next"), "/"))
}
