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
