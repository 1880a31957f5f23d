package handlers

import (
	"mime"
	"path"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// static serves a file. Under the current hash browsers keep it for ever; an older page's
// address still works.
func (s *Site) static(c *fiber.Ctx) error {
	name := c.Params("*")
	content, ok := s.files.Read(name)
	if !ok {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if c.Params("hash") == s.files.Hash {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	c.Set(fiber.HeaderContentType, mime.TypeByExtension(path.Ext(name)))
	return c.Send(content)
}
