package domain

import (
	"slices"
	"strings"
	"time"
)

// Message is what is sent. What its subject and body may hold is checked by email.Check.
type Message struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	Subject   string
	Preheader string // stands beside the subject; empty: the first sentence that says something
	Body      string
	Language  string // one of MessageLanguages; empty: as the text reads
	HTMLSize  int    `bun:"html_size"` // bytes of the HTML of its emails, about; 0: not known
	Revision  int
	CreatedAt time.Time `bun:",nullzero,default:now()"`
	UpdatedAt time.Time `bun:",nullzero,default:now()"`
}

// ClipSize is from how many bytes of HTML on an owner is warned: Gmail shows an email up to 102 kB and hides the rest,
// with the link to unsubscribe.
const ClipSize = 90_000

// Long is the size in kB of emails that mailboxes may not show to their end, 0 when they are shorter.
func (m Message) Long() int {
	if m.HTMLSize < ClipSize {
		return 0
	}
	return m.HTMLSize / 1000
}

// EmailLanguage is the language of emails with a subject and a body: the chosen one, else what the text reads like,
// else the owner's.
func EmailLanguage(chosen, subject, body, owner string) string {
	if slices.Contains(MessageLanguages(), chosen) {
		return chosen
	}
	return DetectLanguage(subject+"\n"+body, owner)
}

// MessageForm is the form of a message: Body is Markdown with placeholders.
type MessageForm struct {
	Subject, Body, Language string
	Preheader               *string // nil keeps what there is
}

// Change applies the form as a new revision; runs keep the one they started with.
func (m *Message) Change(form MessageForm, now time.Time) {
	m.Subject, m.Body = strings.TrimSpace(form.Subject), strings.ReplaceAll(form.Body, "\r\n", "\n")
	m.Language = form.Language
	if form.Preheader != nil {
		m.Preheader = strings.TrimSpace(*form.Preheader)
	}
	m.Revision++
	m.UpdatedAt = now
}

// How many versions of a message are kept, and how long.
const (
	MaxVersions = 30
	VersionLife = 365 * 24 * time.Hour
)

// MessageVersion is what a message was after one save. Author is the name of who saved it.
type MessageVersion struct {
	MessageID                                  int64 `bun:",pk"`
	Revision                                   int   `bun:",pk"`
	OwnerID                                    int64
	Author, Subject, Preheader, Body, Language string
	SavedAt                                    time.Time
}

// Form is the form that brings it back.
func (v MessageVersion) Form() MessageForm {
	return MessageForm{Subject: v.Subject, Preheader: &v.Preheader, Body: v.Body, Language: v.Language}
}

// MessageDraft is what its owner typed into the form of a message, 0 for a new one, and didn't save.
type MessageDraft struct {
	OwnerID, MessageID                 int64
	Subject, Preheader, Body, Language string
	SavedAt                            time.Time `bun:",nullzero,default:now()"`
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
