package senders

import (
	"strconv"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Options are the viewer's senders for the choice of one, behind the service's own address.
func (h *Senders) Options(r *web.Request) ([]templates.Option, error) {
	rows, err := h.DB.Senders().List(r.UserContext(), r.Viewer.User.ID)
	options := []templates.Option{{Label: r.Viewer.T("senders.default", "Name", r.Viewer.User.SenderName())}}
	for _, one := range rows {
		label := one.Name + " <" + one.Email + ">"
		switch {
		case !one.Confirmed():
			label = r.Viewer.T("senders.choice_unconfirmed", "Sender", label)
		case !one.Domain.Green():
			label = r.Viewer.T("senders.choice_not_green", "Sender", label)
		}
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: label})
	}
	return options, err
}

// Choice is whom emails with a sender would come from now.
type Choice struct {
	domain.From
	Unconfirmed bool   // the service's address stands in for it
	Refusal     string // why nothing can be launched from it, "" when it can
}

// Choice of the viewer's sender; 0 is none. DNS is asked where it would be refused: the records may be there by now.
func (h *Senders) Choice(r *web.Request, id int64) (Choice, error) {
	user := *r.Viewer.User
	if id == 0 {
		return Choice{From: user.From()}, nil
	}
	s, err := h.DB.Senders().Get(r.UserContext(), user.ID, id)
	if err == nil && s.Confirmed() && !s.Domain.Green() {
		s.Domain, err = h.look(r.UserContext(), s.Domain)
	}
	return Choice{From: s.From(user, s.Domain), Unconfirmed: !s.Confirmed(), Refusal: r.Viewer.Problem(s.MayLaunch(s.Domain))}, err
}
