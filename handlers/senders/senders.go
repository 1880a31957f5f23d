// Package senders answers what concerns the addresses that owners write from.
package senders

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/resolver"
	"skychimp/handlers/web"
)

// Senders answers what concerns an owner's senders.
type Senders struct {
	DB    *db.DB
	Vault *emailauth.Vault
	DNS   *resolver.Resolver
}

// lookupTime is how long a page waits for DNS.
const lookupTime = 8 * time.Second

// senderRow is the block senders/row.
type senderRow struct {
	ID                    int64
	Name, Email, Host     string
	Confirmed, Green, New bool // New: DNS has not been asked yet
	UsedBy                string
}

// sendersView is the page senders/list.
type sendersView struct {
	Rows []senderRow
}

// List is the list.
func (h *Senders) List(r *web.Request) error {
	rows, err := h.DB.Senders().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := sendersView{}
	for _, one := range rows {
		view.Rows = append(view.Rows, h.row(r, one))
	}
	return r.Page(fiber.StatusOK, "senders/list", view)
}

func (h *Senders) row(r *web.Request, s db.SenderRow) senderRow {
	return senderRow{ID: s.ID, Name: s.Name, Email: s.Email, Host: s.Domain.Domain, Confirmed: s.Confirmed(), Green: s.Domain.Green(),
		New: s.Domain.CheckedAt.IsZero(), UsedBy: r.Viewer.TN("senders.used_by", s.Mailings)}
}

// senderView is the page senders/show.
type senderView struct {
	senderRow
	ReplyTo   string
	CheckedAt web.Moment
	Records   []recordView
}

// recordView is one record to publish.
type recordView struct {
	Kind, Name, Value, ID string
	Found                 []string
	Good, Needed, Asked   bool
	Says                  string // what was found, in words
}

// Show shows a sender: to htmx as the row of the list.
func (h *Senders) Show(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "senders/row", h.row(r, s))
	}
	return r.Page(fiber.StatusOK, "senders/show", h.view(r, s))
}

func (h *Senders) view(r *web.Request, s db.SenderRow) senderView {
	view := senderView{senderRow: h.row(r, s), ReplyTo: s.ReplyTo, CheckedAt: r.Viewer.Moment(s.Domain.CheckedAt)}
	if view.ReplyTo == "" {
		view.ReplyTo = s.Email
	}
	records := s.Domain.Records
	if len(records) == 0 {
		records = s.Domain.Wanted()
	}
	for _, one := range records {
		shown := recordView{Kind: one.Kind, Name: one.Name, Value: one.Value, ID: "record-" + one.Kind, Found: one.Found,
			Good: one.Good(), Needed: one.Needed(), Asked: one.Verdict != "", Says: r.Viewer.T("senders.not_asked")}
		if shown.Asked {
			shown.Says = r.Viewer.T("senders.found_" + string(one.Verdict))
		}
		view.Records = append(view.Records, shown)
	}
	return view
}

// own is the sender of the path, if it is the viewer's.
func (h *Senders) own(r *web.Request) (db.SenderRow, error) {
	return h.DB.Senders().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// Check looks DNS up now.
func (h *Senders) Check(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	if s.Domain, err = h.look(r.UserContext(), s.Domain); err != nil {
		return err
	}
	said := "senders.checked_missing"
	if s.Domain.Green() {
		said = "senders.checked_green"
	}
	return r.Saved(path(s.ID), web.Fragment{Block: "senders/records", View: h.view(r, s)}, said)
}

// look asks DNS about a domain and keeps the answers.
func (h *Senders) look(ctx context.Context, d domain.SenderDomain) (domain.SenderDomain, error) {
	bounded, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	return h.DB.Senders().Judge(ctx, d.ID, h.DNS.Texts(bounded, d.Names()), time.Now())
}

// Before looks up the domain of a mailing's sender before its launch; sender 0 is none.
func (h *Senders) Before(ctx context.Context, owner, sender int64) error {
	if sender == 0 {
		return nil
	}
	s, err := h.DB.Senders().Get(ctx, owner, sender)
	if err != nil || !s.Confirmed() {
		return err
	}
	_, err = h.look(ctx, s.Domain)
	return err
}

func path(id int64) string { return "/senders/" + strconv.FormatInt(id, 10) }
