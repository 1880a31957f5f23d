package handlers

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/jhillyerd/enmime/v2"

	"skychimp/db"
	"skychimp/domain"
)

// inboxRow is a letter in the list of the dev inbox.
type inboxRow struct {
	ID                 int64
	Recipient, Subject string
	ReceivedAt         Moment
}

// inboxView is the page inbox/list and its block inbox/results.
type inboxView struct {
	Query    string
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []inboxRow
	Pager    pagerView
}

// inboxLetterView is the page inbox/show.
type inboxLetterView struct {
	inboxRow
	Sender, Text, Raw string
	HasHTML           bool
}

// inbox lists what the dev inbox has taken, newest first.
func (s *Site) inbox(c *fiber.Ctx) error {
	if !s.Inbox {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	page := max(1, c.QueryInt("page", 1))
	letters, total, err := s.DB.InboxLetters(c.UserContext(), c.Query("q"), page)
	if err != nil {
		return err
	}
	view := inboxView{Query: c.Query("q"), Found: s.tn(c, "inbox.found", total), Fragment: isHTMX(c),
		Pager: s.pager(c, page, db.LastPage(total))}
	for _, one := range letters {
		view.Rows = append(view.Rows, s.inboxRow(c, one))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "inbox/results", view)
	}
	return s.page(c, fiber.StatusOK, "inbox/list", view)
}

func (s *Site) inboxRow(c *fiber.Ctx, one db.InboxLetter) inboxRow {
	return inboxRow{ID: one.ID, Recipient: one.Recipient, Subject: one.Subject, ReceivedAt: s.moment(c, one.ReceivedAt)}
}

// inboxLetter shows one letter: its text with the links, the HTML in a frame, the source.
func (s *Site) inboxLetter(c *fiber.Ctx) error {
	letter, parsed, err := s.readLetter(c)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "inbox/show", inboxLetterView{inboxRow: s.inboxRow(c, letter),
		Sender: letter.Sender, Text: parsed.Text, Raw: string(bytes.ToValidUTF8(letter.Raw, []byte("?"))), HasHTML: parsed.HTML != ""})
}

// inboxHTML is the HTML part alone, for the frame; its links open in the whole window, so that
// a mailbox can be confirmed from here.
func (s *Site) inboxHTML(c *fiber.Ctx) error {
	_, parsed, err := s.readLetter(c)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "+
		"form-action 'none'; frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation")
	c.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	c.Vary("HX-Request")
	c.Type("html", "utf-8")
	return c.SendString(`<base target="_top">` + parsed.HTML)
}

func (s *Site) readLetter(c *fiber.Ctx) (db.InboxLetter, *enmime.Envelope, error) {
	if !s.Inbox {
		return db.InboxLetter{}, nil, domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	letter, err := s.DB.InboxLetter(c.UserContext(), pathID(c))
	if err != nil {
		return letter, nil, err
	}
	parsed, err := enmime.ReadEnvelope(bytes.NewReader(letter.Raw))
	if err != nil {
		parsed = &enmime.Envelope{} // the source tells what came
	}
	return letter, parsed, nil
}
