package messages

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/domain/blocks"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
)

// shelfPictures is how many earlier pictures are offered.
const shelfPictures = 12

// AddPicture answers with the address of the picture in the field "image", as plain text, or with what is wrong with it.
func (h *Messages) AddPicture(r *web.Request) error {
	file, err := h.KeepPicture(r, "image")
	if err == nil && file == "" {
		err = domain.Errorf(domain.Invalid, "image", "messages.picture_none")
	}
	if text := r.Viewer.Problem(err); text != "" {
		return r.Status(fiber.StatusUnprocessableEntity).SendString(text)
	}
	if err != nil {
		return err
	}
	r.Vary("HX-Request")
	return r.SendString(mediaAddress(r, file))
}

// KeepPicture keeps the picture of a field and is its file, "" when none was chosen.
func (h *Messages) KeepPicture(r *web.Request, field string) (file string, err error) {
	upload, err := pictures.Uploaded(r, field)
	if err != nil || upload == nil {
		return "", err
	}
	release, err := r.Unfolding()
	if err != nil {
		return "", err
	}
	file, content, err := pictures.ForEmail(upload)
	release()
	if err != nil {
		return "", err
	}
	if err := h.Media.Save(r.UserContext(), file, pictures.Type(file), content); err != nil {
		return "", err
	}
	err = h.DB.Pictures().Add(r.UserContext(), domain.Picture{OwnerID: r.Viewer.User.ID, File: file, Bytes: len(content)})
	return file, err
}

// Drawn is a picture of an example, the same for ever.
func (h *Messages) Drawn(r *web.Request) error {
	content, ok, err := h.gallery.Read(r.Params("name"))
	if err != nil {
		return err
	}
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	r.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	r.Set("Cross-Origin-Resource-Policy", "cross-origin") // mail programs in browsers show it too
	r.Set(fiber.HeaderContentType, "image/png")
	return r.Send(content)
}

// mediaAddress is the address of a file, "" for none.
func mediaAddress(r *web.Request, file string) string {
	if file == "" {
		return ""
	}
	return r.Site.Absolute("/media/" + file)
}

// Composed does what a button of a composer says: with the draft (see Draft.Do), or with a picture: "upload:3" takes the
// file of block 3, "use:3:<file>" one from the shelf, "upload-right" and "use-right" those of the right column. A refused
// picture is told as what is wrong with its block.
func (h *Messages) Composed(r *web.Request) (d Draft, focus int, err error) {
	d, button := ReadDraft(r), r.FormValue("do")
	what, rest, _ := strings.Cut(button, ":")
	number, file, _ := strings.Cut(rest, ":")
	what, right := strings.CutSuffix(what, "-right")
	if what != "upload" && what != "use" {
		d, focus = d.Do(button)
		return d, focus, nil
	}
	n, notOne := strconv.Atoi(number)
	if notOne != nil || n < 0 || n >= len(d.Blocks) {
		return d, -1, nil //nolint:nilerr // no button of ours: nothing happens
	}
	address := ""
	if what == "use" && pictures.IsFile(file) {
		address = mediaAddress(r, file)
	}
	side := ""
	if right {
		side = "right."
	}
	if what == "upload" {
		if file, err = h.KeepPicture(r, "b"+number+"."+side+"file"); r.Viewer.Problem(err) == "" && err != nil {
			return d, n, err
		}
		address = mediaAddress(r, file)
	}
	b := &d.Blocks[n]
	switch {
	case address == "":
	case right:
		b.Right.Picture = address
	default:
		b.Picture = address
	}
	blocks.Settle(d.Blocks)
	d.Body = blocks.Body(d.Blocks)
	return d, n, err
}
