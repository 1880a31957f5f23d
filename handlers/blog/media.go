package blog

import (
	"io"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
)

// Picture serves a picture. Its name changes with what it shows, so browsers keep it for ever.
func (h *Blog) Picture(r *web.Request) error {
	name := r.Params("name")
	if !pictures.IsFile(name) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	file, size, err := h.Media.Open(r.UserContext(), name)
	if err != nil {
		return err
	}
	defer file.Close()
	content := make([]byte, size)
	if _, err := io.ReadFull(file, content); err != nil {
		return err
	}
	r.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	r.Set(fiber.HeaderContentType, pictures.Type(name))
	r.Set("Cross-Origin-Resource-Policy", "cross-origin") // feed readers show it too
	return r.Send(content)
}
