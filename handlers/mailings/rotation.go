package mailings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// rotationForm is the block mailings/rotation: the messages that a mailing takes in turn, in the form.
type rotationForm struct {
	Several bool   // the form shows them instead of the choice of one
	ID      int64  // of the mailing
	Path    string // where the form goes
	Turns   []turnRow
	Query   string
	Others  []templates.Option // that the search finds, to add
	More    bool               // it finds others
	All     string             // the button that adds them all, in words
	Thens   []templates.Option // what comes behind the last
	Then    string
}

// Mark is the id of the block.
func (f rotationForm) Mark() string { return fmt.Sprintf("mailing-%d-turns", f.ID) }

type turnRow struct {
	At          int // from 0
	ID          int64
	Subject     string
	First, Last bool
}

func (h *Mailings) rotationForm(r *web.Request, id int64, typed domain.MailingForm) (rotationForm, error) {
	form := rotationForm{ID: id, Path: "/mailings", Query: r.FormValue("turn_q"), Several: len(typed.MessageIDs) > 1 || r.FormValue("several") == "yes" || r.FormValue("rotate") == "several"}
	if !form.Several {
		return form, nil
	}
	if id != 0 {
		form.Path = Path(id)
	}
	subjects, err := h.DB.Messages().Subjects(r.UserContext(), r.Viewer.User.ID, typed.MessageIDs)
	if err != nil {
		return form, err
	}
	for i, id := range typed.MessageIDs {
		form.Turns = append(form.Turns, turnRow{At: i, ID: id, Subject: subjects[id], First: i == 0, Last: i == len(typed.MessageIDs)-1})
	}
	found, more, err := h.DB.Messages().Choices(r.UserContext(), r.Viewer.User.ID, 0, form.Query, domain.MaxRotation)
	form.More = more
	for _, one := range found {
		form.Others = append(form.Others, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Subject})
	}
	form.All = r.Viewer.TN("mailings.rotation_all", len(found))
	form.Thens = []templates.Option{{Value: "", Label: r.Viewer.T("mailings.rotation_again")}, {Value: "stop", Label: r.Viewer.T("mailings.rotation_stop")}}
	if typed.RotationStops {
		form.Then = "stop"
	}
	return form, err
}

// turned changes the list of messages as the button says that was pressed, false when it was another one. Messages in
// turn need a mailing that repeats: from the second one on it is weekly, unless it repeats already.
func turned(r *web.Request, h *Mailings, form *domain.MailingForm) (bool, error) {
	act, number, _ := strings.Cut(r.FormValue("rotate"), ":")
	at, _ := strconv.Atoi(number)
	ids := slices.Clone(form.MessageIDs)
	inside := at >= 0 && at < len(ids)
	switch {
	case act == "":
		return r.FormValue("find") != "", nil // the search, without JavaScript
	case act == "add":
		ids = append(ids, oldestFirst(web.Numbers(r, "add_message"))...)
	case act == "all":
		all, err := h.others(r, ids)
		if err != nil {
			return true, err
		}
		ids = append(ids, all...)
	case inside:
		ids = moved(ids, act, at)
	}
	if form.MessageIDs, form.MessageID = ids, 0; len(ids) > 0 {
		form.MessageID = ids[0]
	}
	if len(ids) > 1 && form.Periodicity == string(domain.Once) {
		form.Periodicity = string(domain.Weekly)
	}
	return true, nil
}

// others are the messages that the search finds and that are not in turn yet.
func (h *Mailings) others(r *web.Request, ids []int64) ([]int64, error) {
	found, _, err := h.DB.Messages().Choices(r.UserContext(), r.Viewer.User.ID, 0, r.FormValue("turn_q"), domain.MaxRotation)
	all := make([]int64, 0, len(found))
	for _, one := range found {
		if !slices.Contains(ids, one.ID) {
			all = append(all, one.ID)
		}
	}
	return oldestFirst(all), err
}

// moved are the messages after one of them went up, down or out.
func moved(ids []int64, act string, at int) []int64 {
	switch {
	case act == "up" && at > 0:
		ids[at-1], ids[at] = ids[at], ids[at-1]
	case act == "down" && at < len(ids)-1:
		ids[at+1], ids[at] = ids[at], ids[at+1]
	case act == "drop":
		ids = slices.Delete(ids, at, at+1)
	}
	return ids
}

// oldestFirst is the order in which messages were written.
func oldestFirst(ids []int64) []int64 { return slices.Sorted(slices.Values(ids)) }

// turns are the messages of a mailing as its page lists them.
type turns struct {
	Rows []turnRow
	Then string
}

func (h *Mailings) turnsOf(r *web.Request, m domain.Mailing) (turns, error) {
	if len(m.MessageIDs) == 0 {
		return turns{}, nil
	}
	subjects, err := h.DB.Messages().Subjects(r.UserContext(), m.OwnerID, m.MessageIDs)
	list := turns{Then: r.Viewer.T("mailings.rotation_again")}
	if m.RotationStops {
		list.Then = r.Viewer.T("mailings.rotation_stop")
	}
	for i, id := range m.MessageIDs {
		list.Rows = append(list.Rows, turnRow{At: i, ID: id, Subject: subjects[id]})
	}
	return list, err
}

// subject is that of a run to come, the next one is 0; "" where the mailing sends one message.
func (t turns) subject(m domain.Mailing, ahead int) string {
	next := m.MessageOf(ahead, m.MessageID)
	for _, one := range t.Rows {
		if one.ID == next {
			return one.Subject
		}
	}
	return ""
}

// subjectsOf are those of the runs to come of mailings that take several messages in turn, by mailing and occurrence.
func (h *Mailings) subjectsOf(r *web.Request, mailings []domain.Mailing) (map[int64]map[int]string, error) {
	subjects := map[int64]map[int]string{}
	for _, m := range mailings {
		if len(m.MessageIDs) == 0 {
			continue
		}
		list, err := h.turnsOf(r, m)
		if err != nil {
			return nil, err
		}
		subjects[m.ID] = map[int]string{}
		for i, one := range m.Upcoming(time.Now(), rotationAhead) {
			subjects[m.ID][one.No] = list.subject(m, i)
		}
	}
	return subjects, nil
}

// rotationAhead is how many runs ahead it is told.
const rotationAhead = 400
