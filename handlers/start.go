package handlers

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// start is the page that an owner comes to: it shows the next step to the first mailing, and
// afterwards how things stand.
func (s *Site) start(c *fiber.Ctx) error {
	start, err := s.DB.Start(c.UserContext(), s.reader(c).User.ID)
	if err != nil {
		return err
	}
	switch start.Step() {
	case domain.StepClients:
		return s.page(c, fiber.StatusOK, "start/clients", pastedView{})
	case domain.StepLetter:
		return s.showStartLetter(c, fiber.StatusOK, s.startLetterOf(c, start))
	}
	return s.startHome(c)
}

// startClients takes the first clients.
func (s *Site) startClients(c *fiber.Ctx) error {
	view, err := s.takePasted(c)
	switch {
	case err != nil:
		return err
	case view.Problems != nil:
		return s.page(c, fiber.StatusUnprocessableEntity, "start/clients", view)
	}
	s.setFlash(c, view.Taken)
	return s.redirect(c, "/start")
}
