package messages

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain/email"
	"skychimp/handlers/web"
)

// linksView is the page messages/links and its block messages/link-answers.
type linksView struct {
	ID      int64 // 0: of what stands in a form
	Subject string
	Asked   string   // how many, in words
	Dead    []string // what is wrong, in words
}

// LinkAnswers asks the links of what stands in the form: the block messages/link-answers.
func (h *Messages) LinkAnswers(r *web.Request) error {
	view, err := h.askLinks(r, ReadDraft(r).Body)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "messages/link-answers", view)
}

// Links asks the links of a message.
func (h *Messages) Links(r *web.Request) error {
	m, err := h.ownMessage(r)
	if err != nil {
		return err
	}
	view, err := h.askLinks(r, m.Body)
	if err != nil {
		return err
	}
	view.ID, view.Subject = m.ID, m.Subject
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "messages/link-answers", view)
	}
	return r.Page(fiber.StatusOK, "messages/links", view)
}

// askLinks leaves out this service's own addresses: it would ask itself.
func (h *Messages) askLinks(r *web.Request, body string) (view linksView, err error) {
	var list []string
	for _, one := range email.WebLinks(body) {
		if u, err := url.Parse(one); err == nil && u.Scheme+"://"+u.Host != r.Site.Absolute("") {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return view, nil
	}
	release, err := h.asking.Take(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return view, err
	}
	defer release()
	answers := h.checker.Ask(r.UserContext(), list)
	view.Asked = r.Viewer.TN("messages.links_asked", len(answers))
	for _, one := range answers {
		switch {
		case !one.Dead():
		case one.Problem != "":
			view.Dead = append(view.Dead, r.Viewer.T("messages.link_problem_"+string(one.Problem), "Address", one.Address))
		default:
			view.Dead = append(view.Dead, r.Viewer.T("messages.link_answers", "Address", one.Address, "Status", one.Status))
		}
	}
	return view, nil
}
