package messages

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// DraftView is the block messages/draft: that something typed earlier wasn't saved, or that what is typed is kept.
type DraftView struct {
	Path    string     // of the draft
	Form    string     // the page with what was typed
	Kept    web.Moment // when, of what is being typed
	Earlier web.Moment // when, of what is not in the form
}

func newDraftView(id int64) DraftView {
	number := strconv.FormatInt(id, 10)
	if id == 0 {
		return DraftView{Path: "/messages/draft", Form: "/messages/new"}
	}
	return DraftView{Path: "/messages/draft?id=" + number, Form: "/messages/" + number + "/edit"}
}

// StartDraft is what was typed on the first page of an owner and not saved: a note that there is something, or where
// it was asked for, the text.
func (h *Messages) StartDraft(r *web.Request, id int64) (view DraftView, typed *domain.MessageDraft, err error) {
	view = startDraftView(id)
	d, err := h.DB.Messages().Draft(r.UserContext(), r.Viewer.User.ID, id)
	switch {
	case err != nil || d == nil || !r.Reads():
		return view, nil, err
	case r.Query("draft") == "":
		view.Earlier = r.Viewer.Moment(d.SavedAt)
		return view, nil, nil
	}
	view.Kept = r.Viewer.Moment(d.SavedAt)
	return view, d, nil
}

func startDraftView(id int64) DraftView {
	return DraftView{Path: "/messages/draft?from=start&id=" + strconv.FormatInt(id, 10), Form: "/start"}
}

// KeepDraft keeps what stands in the form of the message id, by itself while somebody types; the button "discard"
// forgets it instead.
func (h *Messages) KeepDraft(r *web.Request) error {
	id, owner := int64(r.QueryInt("id")), r.Viewer.User.ID
	view := newDraftView(id)
	if r.Query("from") == "start" {
		view = startDraftView(id)
	}
	if r.FormValue("do") == "discard" {
		if err := h.DB.Messages().DropDraft(r.UserContext(), owner, id); err != nil {
			return err
		}
		return r.Redirect(view.Form)
	}
	err := h.DB.Messages().KeepDraft(r.UserContext(), domain.MessageDraft{OwnerID: owner, MessageID: id, Subject: r.FormValue("subject"),
		Preheader: r.FormValue("preheader"), Body: ReadDraft(r).Body, Language: r.FormValue("language")})
	if err != nil {
		return err
	}
	kept, err := h.DB.Messages().Draft(r.UserContext(), owner, id)
	if err != nil || kept == nil {
		return err
	}
	view.Kept = r.Viewer.Moment(kept.SavedAt)
	return r.Block(fiber.StatusOK, "messages/draft", view)
}

// withDraft fills the form with what was typed and not saved, if that is asked for, and else says that there is something.
func (h *Messages) withDraft(r *web.Request, form *messageForm) error {
	form.Draft = newDraftView(form.ID)
	if r.Method() != fiber.MethodGet {
		return nil
	}
	d, err := h.DB.Messages().Draft(r.UserContext(), r.Viewer.User.ID, form.ID)
	if err != nil || d == nil {
		return err
	}
	if r.Query("draft") == "" {
		form.Draft.Earlier = r.Viewer.Moment(d.SavedAt)
		return nil
	}
	form.Subject, form.Beside, form.Language, form.Composer.Draft = d.Subject, d.Preheader, d.Language, OpenDraft(d.Body)
	form.Draft.Kept = r.Viewer.Moment(d.SavedAt)
	return nil
}
