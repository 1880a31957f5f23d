package pictures

import (
	"io"

	"skychimp/handlers/web"
)

// Uploaded is the file of a form's field, nil when none was chosen. One that is too large is refused with a
// domain.Error of the field "image".
func Uploaded(r *web.Request, field string) ([]byte, error) {
	upload, err := r.FormFile(field)
	if err != nil || upload.Filename == "" { // no form with files, or nothing chosen
		return nil, nil
	}
	if upload.Size > MaxBytes {
		return nil, refuse("blog.image_too_large", "Max", MaxBytes>>20)
	}
	file, err := upload.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
