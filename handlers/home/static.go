package home

import (
	"mime"
	"path"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// Static serves a file. Under the current hash browsers keep it for ever; an older page's
// address still works.
func (h *Home) Static(r *web.Request) error {
	name := r.Params("*")
	content, ok := h.Files.Read(name)
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	r.Set(fiber.HeaderCacheControl, "no-cache")
	if r.Params("hash") == h.Files.Hash {
		r.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	r.Set(fiber.HeaderContentType, mime.TypeByExtension(path.Ext(name)))
	return r.Send(content)
}
