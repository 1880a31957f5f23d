package domain

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"skychimp/domain/digest"
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

// Rotation is the messages that a mailing sends one after the other, and how many runs it has made.
type Rotation struct {
	MessageIDs    []int64 `bun:"message_ids,array,nullzero,default:'{}'"` // none: always the one of the mailing
	RotationStops bool    // the mailing ends with the last of them; else the first comes again
	RotationFrom  int     // runs that were made before
	Issues        int     // runs that were made
}

// MaxRotation is how many messages a mailing may take in turn.
const MaxRotation = 50

// RotationOver reports whether the last message went out and the mailing ends with it.
func (r Rotation) RotationOver() bool {
	return r.RotationStops && len(r.MessageIDs) > 0 && r.Issues-r.RotationFrom >= len(r.MessageIDs)
}

// RotationLeft is how many runs there will be, false when they go on.
func (r Rotation) RotationLeft() (runs int, bounded bool) {
	return max(0, len(r.MessageIDs)-(r.Issues-r.RotationFrom)), r.RotationStops && len(r.MessageIDs) > 0
}

// MessageOf is the message of the run that is so many runs from now, the next one is 0; otherwise is that of a mailing of
// one message.
func (r Rotation) MessageOf(ahead int, otherwise int64) int64 {
	if len(r.MessageIDs) == 0 || r.RotationOver() {
		return otherwise
	}
	return r.MessageIDs[max(0, r.Issues-r.RotationFrom+ahead)%len(r.MessageIDs)]
}

// changeMessages takes the messages of a form.
func changeMessages(m *Mailing, p *ValidationErrors, form MailingForm) {
	m.MessageID = form.MessageID
	if len(form.MessageIDs) < 2 {
		m.Rotation = Rotation{MessageIDs: []int64{}, Issues: m.Issues}
		return
	}
	switch {
	case len(form.MessageIDs) > MaxRotation:
		p.Add("message_id", "mailings.rotation_long", "Max", MaxRotation)
	case form.Periodicity == string(Once):
		p.Add("message_id", "mailings.rotation_once")
	}
	if len(m.MessageIDs) == 0 {
		m.RotationFrom = m.Issues
	}
	m.MessageIDs, m.RotationStops = form.MessageIDs, form.RotationStops
	m.MessageID = m.MessageOf(0, form.MessageIDs[len(form.MessageIDs)-1])
}

// TakeMessage gives the run that is made its number and its message, and the mailing the next one.
func (r *Run) TakeMessage(m *Mailing) {
	m.Issues++
	r.Issue, r.MessageID = m.Issues, m.MessageID
	if m.MessageID = m.MessageOf(0, m.MessageID); m.RotationOver() {
		m.NextRunAt = time.Time{}
	}
}

// GiveMessageBack undoes TakeMessage for a run that was taken back.
func (r Run) GiveMessageBack(m *Mailing) {
	if r.Issue > 0 && m.Issues == r.Issue {
		m.Issues, m.MessageID = m.Issues-1, r.MessageID
	}
}

// changeDigest takes where the posts of a form come from. Another source begins anew.
func changeDigest(m *Mailing, p *ValidationErrors, form MailingForm) {
	source := ""
	switch form.Digest {
	case "":
	case digest.Blog:
		source = digest.Blog
	case "feed":
		source = strings.TrimSpace(form.FeedURL)
		address, err := url.Parse(source)
		if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Hostname() == "" || len(source) > 500 {
			p.Add("feed_url", "mailings.feed_url_wrong")
		}
	default:
		p.Add("digest", "mailings.digest_unknown")
	}
	if source != m.Digest.Source {
		m.Digest = digest.Digest{Source: source}
	}
}
