package domain

import (
	"strings"
	"time"
)

// Message is what is sent. What its subject and body may hold is checked by letter.Check.
type Message struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	Subject   string
	Body      string
	Revision  int
	CreatedAt time.Time `bun:",nullzero,default:now()"`
	UpdatedAt time.Time `bun:",nullzero,default:now()"`
}

// MessageForm is the form of a message: Body is Markdown with placeholders.
type MessageForm struct {
	Subject, Body string
}

// Change applies the form as a new revision; runs keep the one they started with.
func (m *Message) Change(form MessageForm, now time.Time) {
	m.Subject, m.Body = strings.TrimSpace(form.Subject), strings.ReplaceAll(form.Body, "\r\n", "\n")
	m.Revision++
	m.UpdatedAt = now
}

// Picture is one that its owner put into an email, or may. File is the name under which it is served.
type Picture struct {
	ID      int64 `bun:",pk,autoincrement"`
	OwnerID int64
	File    string
	Bytes   int
	Alt     string    // the words it had last
	UsedAt  time.Time `bun:",nullzero,default:now()"`
}

// What the pictures of an owner may take: emails that went out show them, so none is ever taken away.
const (
	maxPictures     = 500
	maxPictureBytes = 60 << 20
)

// CheckPictures refuses one more picture to an owner who has so many, of so many bytes.
func CheckPictures(count, bytes int) error {
	if count >= maxPictures || bytes >= maxPictureBytes {
		return Errorf(Invalid, "image", "messages.pictures_full", "Max", maxPictures)
	}
	return nil
}
