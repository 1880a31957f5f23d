package handlers

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// pastedView is the page clients/several and its block clients/pasted. After a mistake
// Addresses holds the lines that were not taken, and Taken says what became of the others.
type pastedView struct {
	Addresses, Tags, Taken string
	Bad                    []badRow
	Problems               templates.Problems
}

func (s *Site) severalForm(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "clients/several", pastedView{})
}

func (s *Site) createSeveral(c *fiber.Ctx) error {
	view, err := s.takePasted(c)
	switch {
	case err != nil:
		return err
	case view.Problems != nil:
		return s.page(c, fiber.StatusUnprocessableEntity, "clients/several", view)
	}
	s.setFlash(c, view.Taken)
	return s.redirect(c, "/clients")
}

// takePasted saves the pasted clients that are right; those that are there already are left
// alone.
func (s *Site) takePasted(c *fiber.Ctx) (pastedView, error) {
	view := pastedView{Addresses: c.FormValue("addresses"), Tags: c.FormValue("tags")}
	clients, bad, err := domain.ParseClients(view.Addresses, view.Tags)
	if err != nil {
		var ok bool
		if view.Problems, ok = s.problems(c, err); ok {
			err = nil
		}
		return view, err
	}
	if len(clients) > 0 {
		created, err := s.DB.CreateClients(c.UserContext(), s.reader(c).User.ID, clients)
		if err != nil {
			return view, err
		}
		view.Taken = s.t(c, "clients.created_several", "Created", created, "Known", len(clients)-created)
	}
	if len(bad) == 0 {
		return view, nil
	}
	lines := make([]string, len(bad))
	for i, one := range bad {
		lines[i] = one.Text
		view.Bad = append(view.Bad, s.badRow(c, i+1, one.Text, one.Problems))
	}
	view.Addresses = strings.Join(lines, "\n")
	view.Problems = templates.Problems{"addresses": s.tn(c, "clients.lines_left", len(bad))}
	return view, nil
}
