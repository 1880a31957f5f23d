package messages

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain/email"
	"skychimp/handlers/web"
)

// Answers ask the links of messages.
type Answers struct{ Messages *Messages }

// linksView is the page messages/links and its block messages/link-answers.
type linksView struct {
	ID      int64 // 0: of what stands in a form
	Subject string
	Asked   string   // how many, in words
	Dead    []string // what is wrong, in words
}

// OfForm asks the links of what stands in the form: the block messages/link-answers.
func (h *Answers) OfForm(r *web.Request) error {
	view, err := h.ask(r, ReadDraft(r).Body)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "messages/link-answers", view)
}

// Show asks the links of a message.
func (h *Answers) Show(r *web.Request) error {
	m, err := h.Messages.ownMessage(r)
	if err != nil {
		return err
	}
	view, err := h.ask(r, m.Body)
	if err != nil {
		return err
	}
	view.ID, view.Subject = m.ID, m.Subject
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "messages/link-answers", view)
	}
	return r.Page(fiber.StatusOK, "messages/links", view)
}

// ask leaves out this service's own addresses: it would ask itself.
func (h *Answers) ask(r *web.Request, body string) (view linksView, err error) {
	var list []string
	for _, one := range email.WebLinks(body) {
		if u, err := url.Parse(one); err == nil && u.Scheme+"://"+u.Host != r.Site.Absolute("") {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return view, nil
	}
	release, err := h.Messages.asking.Take(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return view, err
	}
	defer release()
	answers := h.Messages.checker.Ask(r.UserContext(), list)
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
