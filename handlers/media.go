package handlers

import (
	"io"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// media serves a picture. Its name changes with what it shows, so browsers keep it for ever.
func (s *Site) media(c *fiber.Ctx) error {
	name := c.Params("name")
	if !mediaName.MatchString(name) {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	file, size, err := s.Media.Open(c.UserContext(), name)
	if err != nil {
		return err
	}
	defer file.Close()
	content := make([]byte, size)
	if _, err := io.ReadFull(file, content); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, mediaType(name))
	c.Set("Cross-Origin-Resource-Policy", "cross-origin") // feed readers show it too
	return c.Send(content)
}

func mediaType(name string) string {
	return map[string]string{"jpg": "image/jpeg", "png": "image/png"}[strings.TrimPrefix(path.Ext(name), ".")]
}
