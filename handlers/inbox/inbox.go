// Package inbox is the test inbox: the mail server that takes emails, and the pages that show them.
package inbox

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// Inbox shows the emails that the test inbox took.
type Inbox struct{ DB *db.DB }

// inboxRow is an email in the list of the test inbox.
type inboxRow struct {
	ID                 int64
	Recipient, Subject string
	ReceivedAt         web.Moment
}

// inboxView is the page inbox/list and its block inbox/results.
type inboxView struct {
	Query    string
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []inboxRow
	Pager    web.Pager
}

// inboxEmailView is the page inbox/show.
type inboxEmailView struct {
	inboxRow
	Sender, Text, Raw string
	HasHTML           bool
}

// List lists what the test inbox has taken, newest first.
func (h *Inbox) List(r *web.Request) error {
	if !r.Site.Inbox {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	page := max(1, r.QueryInt("page", 1))
	emails, total, err := h.DB.Inbox().List(r.UserContext(), r.Query("q"), page)
	if err != nil {
		return err
	}
	view := inboxView{Query: r.Query("q"), Found: r.Viewer.TN("inbox.found", total), Fragment: r.HTMX(),
		Pager: r.Pager(page, db.LastPage(total))}
	for _, one := range emails {
		view.Rows = append(view.Rows, h.inboxRow(r, one))
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "inbox/results", view)
	}
	return r.Page(fiber.StatusOK, "inbox/list", view)
}

func (h *Inbox) inboxRow(r *web.Request, one db.InboxEmail) inboxRow {
	return inboxRow{ID: one.ID, Recipient: one.Recipient, Subject: one.Subject, ReceivedAt: r.Viewer.Moment(one.ReceivedAt)}
}

// Show shows one email: its text with the links, the HTML in a frame, the source.
func (h *Inbox) Show(r *web.Request) error {
	email, parsed, err := h.readEmail(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "inbox/show", inboxEmailView{inboxRow: h.inboxRow(r, email),
		Sender: email.Sender, Text: parsed.Text, Raw: string(bytes.ToValidUTF8(email.Raw, []byte("?"))), HasHTML: parsed.HTML != ""})
}

// HTML is the HTML part alone, for the frame; its links open in the whole window, so that
// a mailbox can be confirmed from here.
func (h *Inbox) HTML(r *web.Request) error {
	_, parsed, err := h.readEmail(r)
	if err != nil {
		return err
	}
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "+
		"form-action 'none'; frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation")
	r.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	r.Vary("HX-Request")
	r.Type("html", "utf-8")
	return r.SendString(`<base target="_top">` + parsed.HTML)
}

func (h *Inbox) readEmail(r *web.Request) (db.InboxEmail, content, error) {
	if !r.Site.Inbox {
		return db.InboxEmail{}, content{}, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	email, err := h.DB.Inbox().Get(r.UserContext(), r.ID())
	if err != nil {
		return email, content{}, err
	}
	return email, read(email.Raw), nil
}
