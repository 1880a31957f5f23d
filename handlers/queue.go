package handlers

import (
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"riverqueue.com/riverui"

	"skychimp/db"
)

const queuePath = "/admin/jobs"

// newQueueScreen is River UI: a program of its own in the browser, which asks nobody who he is.
// Its background counting isn't started: it only matters to queues of more than 10,000 jobs.
func newQueueScreen(database *db.DB, log *slog.Logger) (fiber.Handler, error) {
	client, err := database.Queue()
	if err != nil {
		return nil, err
	}
	screen, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(client, nil), Logger: log, Prefix: queuePath,
	})
	if err != nil {
		return nil, err
	}
	return adaptor.HTTPHandler(screen), nil
}

// queue shows the queue and does what an admin asks of it, such as cancelling a job. River UI's
// scripts put style elements into the page, so its addresses alone allow those. No nonce or hash
// would do: the elements are given no nonce, and one of them gets its rules while it is shown.
func (s *Site) queue(c *fiber.Ctx) error {
	policy := c.GetRespHeader(fiber.HeaderContentSecurityPolicy)
	c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(policy, "style-src 'self'", "style-src 'self' 'unsafe-inline'", 1))
	switch path := c.Path(); {
	case path == queuePath:
		c.Request().SetRequestURI(queuePath + "/") // River UI would send the browser there
	case strings.HasPrefix(path, queuePath+"/assets/"):
		c.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable") // their names hold a hash
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		s.Log.Info("queue", "number", c.Locals(numberKey), "user", s.reader(c).User.ID, "method", c.Method(), "path", c.Path())
	}
	if err := s.queueScreen(c); err != nil {
		return err
	}
	c.Vary("HX-Request")
	return nil
}
