package handlers

import "github.com/gofiber/fiber/v2"

type homeView struct{}

func (s *Site) home(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "home/page", homeView{})
}
