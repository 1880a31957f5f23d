package handlers

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
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

// pulse remembers when the database last answered, so that a database that hangs is noticed
// without asking it on every request.
type pulse struct{ last atomic.Int64 }

// patience is how long the database may take to show that it is there.
const patience = 700 * time.Millisecond

func (p *pulse) beat(now time.Time) { p.last.Store(now.UnixNano()) }

// check asks the database whether it is there, when it hasn't been heard of for a second.
func (p *pulse) check(ctx context.Context, database *db.DB) error {
	if time.Since(time.Unix(0, p.last.Load())) < time.Second {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := database.Ping(ctx); err != nil {
		return err
	}
	p.beat(time.Now())
	return nil
}
