// Package topics answers what concerns the topics that clients may leave.
package topics

import (
	"cmp"
	"strconv"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Topics answers what concerns an owner's topics.
type Topics struct{ DB *db.DB }

// topicRow is the block topics/row.
type topicRow struct {
	ID             int64
	Name, Details  string
	Left, Mailings int64
}

func row(t db.TopicRow) topicRow {
	return topicRow{t.ID, t.Name, t.Details, t.Left, t.Mailings}
}

// topicsView is the page topics/list, with the form of a new topic.
type topicsView struct {
	topicForm
	Rows []topicRow
	Max  int
}

// More reports whether there may be another topic.
func (v topicsView) More() bool { return len(v.Rows) < v.Max }

// topicForm is the page topics/edit and its block topics/form.
type topicForm struct {
	web.ListForm
	domain.TopicForm
}

// deleteView is the page topics/delete.
type deleteView struct {
	web.Form
	ID   int64
	Name string
}

const path = "/topics"

func readForm(r *web.Request) domain.TopicForm {
	return domain.TopicForm{Name: r.FormValue("name"), Details: r.FormValue("details")}
}

// List shows the topics and the form of a new one.
func (h *Topics) List(r *web.Request) error { return h.list(r, nil, domain.TopicForm{}) }

func (h *Topics) list(r *web.Request, refusal error, typed domain.TopicForm) error {
	list, err := h.DB.Topics().Rows(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := &topicsView{topicForm: topicForm{web.ListForm{Noun: "topic"}, typed}, Max: domain.MaxTopics}
	for _, one := range list {
		view.Rows = append(view.Rows, row(one))
	}
	return r.Form(refusal, "topics/list", view)
}

// Create makes a topic.
func (h *Topics) Create(r *web.Request) error {
	typed := readForm(r)
	t, err := h.DB.Topics().Create(r.UserContext(), r.Viewer.User.ID, typed)
	if err != nil {
		return h.list(r, err, typed)
	}
	return r.Saved(path, web.Fragment{Block: "topics/row", View: row(db.TopicRow{Topic: t})}, "topics.created")
}

// own is the topic of the path, if it is the viewer's.
func (h *Topics) own(r *web.Request) (domain.Topic, error) {
	return h.DB.Topics().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// Edit shows the form with what is saved.
func (h *Topics) Edit(r *web.Request) error {
	t, err := h.own(r)
	if err != nil {
		return err
	}
	return h.edit(r, nil, t, t.Form())
}

func (h *Topics) edit(r *web.Request, refusal error, stored domain.Topic, typed domain.TopicForm) error {
	form := &topicForm{web.ListForm{Noun: "topic", ID: stored.ID}, typed}
	form.Against(r, refusal, stored.Form(), templates.Option{Label: r.Viewer.T("topics.name"), Value: stored.Name},
		templates.Option{Label: r.Viewer.T("topics.details"), Value: stored.Details})
	form.Revision = cmp.Or(form.Revision, web.Revision(stored.Form()))
	return r.Form(refusal, "topics/edit", form)
}

// Update saves the form.
func (h *Topics) Update(r *web.Request) error {
	typed := readForm(r)
	_, err := h.DB.Topics().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(t *domain.Topic, others []domain.Topic) error {
		return cmp.Or(r.CheckRevision(t.Form()), t.Change(typed, others))
	})
	if err != nil {
		stored, gone := h.own(r)
		if gone != nil {
			return gone
		}
		return h.edit(r, err, stored, typed)
	}
	list, err := h.DB.Topics().Rows(r.UserContext(), r.Viewer.User.ID)
	for _, one := range list {
		if one.ID == r.ID() {
			return r.Saved(path, web.Fragment{Block: "topics/row", View: row(one)}, "topics.saved")
		}
	}
	return err
}

// AskDelete asks whether it is meant.
func (h *Topics) AskDelete(r *web.Request) error { return h.showDelete(r, nil) }

func (h *Topics) showDelete(r *web.Request, refusal error) error {
	t, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Form(refusal, "topics/delete", &deleteView{ID: t.ID, Name: t.Name})
}

// Delete deletes a topic that no mailing needs.
func (h *Topics) Delete(r *web.Request) error {
	err := h.DB.Topics().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	switch {
	case domain.KindOf(err) == domain.Conflict && !r.HTMX():
		return h.showDelete(r, err)
	case err != nil:
		return err
	}
	return r.Saved(path, web.Fragment{}, "topics.deleted")
}

// Options are the choices of a mailing's topic, the first of them none.
func Options(r *web.Request, list []domain.Topic) []templates.Option {
	options := []templates.Option{{Label: r.Viewer.T("topics.none")}}
	for _, one := range list {
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Name})
	}
	return options
}
