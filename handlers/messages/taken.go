package messages

import (
	"io"

	"skychimp/domain"
	"skychimp/domain/htmlemail"
	"skychimp/handlers/web"
)

// Sources make messages of HTML emails.
type Sources struct{ Messages *Messages }

// htmlForm is the page messages/html.
type htmlForm struct {
	web.Form
	HTML string
}

// Form asks for the source of an HTML email.
func (h *Sources) Form(r *web.Request) error { return r.Form(nil, "messages/html", &htmlForm{}) }

// Take shows a new message that was made of the source, saving nothing.
func (h *Sources) Take(r *web.Request) error {
	source, err := htmlSource(r)
	var taken htmlemail.Taken
	if err == nil {
		taken, err = htmlemail.Take(source)
	}
	if err != nil {
		return r.Form(err, "messages/html", &htmlForm{HTML: r.FormValue("html")})
	}
	form := h.Messages.newForm(0, domain.MessageForm{Subject: taken.Subject}, OpenDraft(taken.Body))
	return h.Messages.showForm(r, nil, form)
}

// htmlSource is what was typed, or the file.
func htmlSource(r *web.Request) (string, error) {
	upload, err := r.FormFile("file")
	if err != nil || upload.Filename == "" || upload.Size == 0 {
		return r.FormValue("html"), nil
	}
	file, err := upload.Open()
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, htmlemail.MaxBytes+1))
	return string(content), err
}
