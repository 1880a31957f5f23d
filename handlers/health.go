package handlers

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// healthz: the process is up.
func (s *Site) healthz(c *fiber.Ctx) error { return c.SendString("ok") }

// readyz: the database and the queue in it can be used, and emails that could be sent are.
func (s *Site) readyz(c *fiber.Ctx) error {
	still, err := s.DB.Ready(c.UserContext())
	switch {
	case err != nil:
		return err
	case still:
		return c.Status(fiber.StatusServiceUnavailable).SendString(domain.StandstillText)
	}
	return c.SendString("ok")
}

// patience is how long a request goes on before anybody asks whether the database is there.
const patience = 400 * time.Millisecond

// deadline ends what a request asked of the database when that takes too long, and within a second
// when the database is away. A request that asks it for nothing, or soon has its answer, costs no question.
func (s *Site) deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), 30*time.Second)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var look func()
	look = func() {
		if ctx.Err() != nil {
			return
		}
		if err := s.DB.Alive(); err != nil {
			giveUp(err)
			return
		}
		time.AfterFunc(patience/4, look)
	}
	defer time.AfterFunc(patience, look).Stop()
	c.SetUserContext(ctx)
	err := c.Next()
	if gone := context.Cause(ctx); err != nil && domain.KindOf(gone) == domain.Away {
		return gone
	}
	return err
}
