package senders

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// senderForm is the blocks senders/form (a new sender) and senders/edit-row, and their pages.
type senderForm struct {
	web.ListForm
	domain.SenderForm
}

func newForm(id int64, typed domain.SenderForm) *senderForm {
	return &senderForm{ListForm: web.ListForm{Noun: "sender", ID: id}, SenderForm: typed}
}

func readForm(r *web.Request) domain.SenderForm {
	return domain.SenderForm{Name: r.FormValue("name"), Email: r.FormValue("email"), ReplyTo: r.FormValue("reply_to")}
}

// createdSender is the block senders/created: the new row, and no form any more.
type createdSender struct{ Row senderRow }

// deleteSenderView is the page senders/delete.
type deleteSenderView struct {
	web.Form
	ID          int64
	Name, Email string
}

// confirmView is the page senders/confirm behind the link in the email to a mailbox.
type confirmView struct{ Email, Path string }

// New begins with the viewer's own name.
func (h *Senders) New(r *web.Request) error {
	return r.ListForm(nil, newForm(0, domain.SenderForm{Name: r.Viewer.User.Name}))
}

// Create saves a sender, asks its mailbox and looks DNS up.
func (h *Senders) Create(r *web.Request) error {
	typed, s := readForm(r), domain.Sender{OwnerID: r.Viewer.User.ID}
	err := s.Change(typed, *r.Viewer.User, time.Now())
	if err == nil {
		err = h.mayAsk(r, s)
	}
	if err == nil {
		err = h.DB.Senders().Create(r.UserContext(), &s, h.Vault)
	}
	if err != nil {
		return r.ListForm(err, newForm(0, typed))
	}
	row, err := h.looked(r, s.ID)
	if err != nil {
		return err
	}
	made := createdSender{h.row(r, row)}
	return r.Saved(path(s.ID), web.Fragment{Block: "senders/created", View: made}, said(row, "senders.created"), "Email", s.Email)
}

// said is the text of a key, or that the mailbox was written to.
func said(s db.SenderRow, key string) string {
	if !s.Confirmed() {
		return "senders.asked"
	}
	return key
}

// mayAsk bounds the emails that ask mailboxes.
func (h *Senders) mayAsk(r *web.Request, s domain.Sender) error {
	if s.Confirmed() {
		return nil
	}
	wait, err := h.DB.Quotas().Take(r.UserContext(), time.Now(), domain.ConfirmingSender(s.OwnerID, s.Email)...)
	if wait > 0 {
		return web.TooMany("account.too_many_emails", wait)
	}
	return err
}

// looked is the viewer's sender after DNS was asked.
func (h *Senders) looked(r *web.Request, id int64) (row db.SenderRow, err error) {
	if row, err = h.DB.Senders().Get(r.UserContext(), r.Viewer.User.ID, id); err == nil {
		row.Domain, err = h.look(r.UserContext(), row.Domain)
	}
	return row, err
}

// Edit shows the form with what is saved.
func (h *Senders) Edit(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	form := newForm(s.ID, formOf(s.Sender))
	form.Revision = web.Revision(formOf(s.Sender))
	return r.ListForm(nil, form)
}

// formOf is the form as the sender is stored.
func formOf(s domain.Sender) domain.SenderForm {
	return domain.SenderForm{Name: s.Name, Email: s.Email, ReplyTo: s.ReplyTo}
}

// Update saves the form. Another address is asked to confirm, and its domain is looked up.
func (h *Senders) Update(r *web.Request) error {
	typed, user, id := readForm(r), *r.Viewer.User, r.ID()
	before, err := h.own(r)
	if err != nil {
		return err
	}
	stored := before.Sender
	err = h.DB.Senders().Update(r.UserContext(), user.ID, id, h.Vault, func(s *domain.Sender) error {
		stored = *s
		if err := r.CheckRevision(formOf(stored)); err != nil {
			return err
		}
		if err := s.Change(typed, user, time.Now()); err != nil || s.Email == before.Email {
			return err
		}
		return h.mayAsk(r, *s)
	})
	if err != nil {
		form := newForm(id, typed)
		form.Against(r, err, formOf(stored), templates.Option{Label: r.Viewer.T("senders.name"), Value: stored.Name},
			templates.Option{Label: r.Viewer.T("senders.email"), Value: stored.Email},
			templates.Option{Label: r.Viewer.T("senders.reply_to"), Value: stored.ReplyTo})
		return r.ListForm(err, form)
	}
	row, err := h.looked(r, id)
	if err != nil {
		return err
	}
	key := "senders.saved"
	if row.Email != before.Email {
		key = said(row, key)
	}
	return r.Saved(path(id), web.Fragment{Block: "senders/row", View: h.row(r, row)}, key, "Email", row.Email)
}

// Ask writes to the mailbox once more.
func (h *Senders) Ask(r *web.Request) error {
	s, err := h.own(r)
	if err == nil {
		err = h.mayAsk(r, s.Sender)
	}
	if err == nil {
		err = h.DB.Senders().AskAgain(r.UserContext(), r.Viewer.User.ID, s.ID)
	}
	if err != nil {
		return err
	}
	return r.Saved(path(s.ID), web.Fragment{}, said(s, "senders.saved"), "Email", s.Email)
}

// AskDelete asks for confirmation, for browsers without JavaScript.
func (h *Senders) AskDelete(r *web.Request) error { return h.showDelete(r, nil) }

func (h *Senders) showDelete(r *web.Request, refusal error) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Form(refusal, "senders/delete", &deleteSenderView{ID: s.ID, Name: s.Name, Email: s.Email})
}

// Delete deletes a sender that no mailing needs.
func (h *Senders) Delete(r *web.Request) error {
	err := h.DB.Senders().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	switch {
	case err != nil && r.HTMX():
		return err
	case err != nil:
		return h.showDelete(r, err)
	}
	return r.Saved("/senders", web.Fragment{}, "senders.deleted")
}

// Link asks for a click: programs that open every link of an email confirm nothing.
func (h *Senders) Link(r *web.Request) error {
	link, _ := web.SecretHash(r.Params("token"))
	s, err := h.DB.Senders().ByToken(r.UserContext(), link, time.Now())
	if err != nil {
		return deadLink(r, err)
	}
	return r.Page(fiber.StatusOK, "senders/confirm", confirmView{Email: s.Email, Path: r.Path()})
}

// Confirm needs no session: whoever has the mailbox may be somebody else than the owner.
func (h *Senders) Confirm(r *web.Request) error {
	link, _ := web.SecretHash(r.Params("token"))
	s, err := h.DB.Senders().Confirm(r.UserContext(), link, time.Now())
	if err != nil {
		return deadLink(r, err)
	}
	return r.Page(fiber.StatusOK, "senders/confirmed", confirmView{Email: s.Email})
}

// deadLink answers a link that was used or has expired.
func deadLink(r *web.Request, err error) error {
	if domain.KindOf(err) != domain.NotFound {
		return err
	}
	return r.Page(fiber.StatusGone, "senders/dead-link", nil)
}
