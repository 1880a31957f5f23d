package messages

import (
	"cmp"
	"strconv"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// versionsView is the page messages/versions.
type versionsView struct {
	web.Form
	ID       int64
	Subject  string
	Revision string // of the message, for its form
	Shown    int    // the version that is shown
	Rows     []versionRow
	Max      int
}

// versionRow is one version of a message.
type versionRow struct {
	Number          int
	Author, Subject string
	SavedAt         web.Moment
	Current         bool
}

// Versions are what a message was.
type Versions struct{ Messages *Messages }

// Show shows what the message was after each save, and one of them as an email.
func (h *Versions) Show(r *web.Request) error { return h.show(r, nil) }

func (h *Versions) show(r *web.Request, refused error) error {
	m, err := h.Messages.ownMessage(r)
	if err != nil {
		return err
	}
	list, err := h.Messages.DB.Messages().Versions(r.UserContext(), m.OwnerID, m.ID)
	if err != nil {
		return err
	}
	view := &versionsView{ID: m.ID, Subject: m.Subject, Revision: web.Revision(m.Revision), Max: domain.MaxVersions}
	for _, one := range list {
		view.Rows = append(view.Rows, versionRow{one.Revision, one.Author, one.Subject, r.Viewer.Moment(one.SavedAt), one.Revision == m.Revision})
		if one.Revision == r.QueryInt("revision") {
			view.Shown = one.Revision
		}
	}
	return r.Form(refused, "messages/versions", view)
}

// Restore makes a version what the message is, as another save.
func (h *Versions) Restore(r *web.Request) error {
	owner, id := r.Viewer.User.ID, r.ID()
	revision, _ := strconv.Atoi(r.FormValue("version")) // none is 0
	version, err := h.Messages.DB.Messages().Version(r.UserContext(), owner, id, revision)
	if err != nil {
		return err
	}
	fields, err := h.Messages.DB.Fields().List(r.UserContext(), owner)
	if err != nil {
		return err
	}
	m, err := h.Messages.DB.Messages().Update(r.UserContext(), owner, id, func(m *domain.Message) error {
		return cmp.Or(r.CheckRevision(m.Revision), Change(m, version.Form(), fields))
	})
	switch {
	case web.Changed(err):
		return h.show(r, err)
	case err != nil: // it names a field that is gone: its owner takes that out
		form := h.Messages.newForm(id, version.Form(), OpenDraft(version.Body))
		form.Revision = r.FormValue("revision")
		return h.Messages.showForm(r, err, form)
	}
	if err := h.Messages.DB.Messages().DropDraft(r.UserContext(), owner, id); err != nil {
		return err
	}
	key, args := saved(m, "messages.restored")
	return r.Done(messagePath(id), key, args...)
}
