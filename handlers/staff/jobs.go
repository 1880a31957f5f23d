package staff

import (
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"riverqueue.com/riverui"

	"skychimp/db"
	"skychimp/handlers/web"
)

const queuePath = "/admin/jobs"

// newJobsScreen is River UI, which has no authentication of its own.
// Its background counting isn't started: it only matters to queues of more than 10,000 jobs.
func newJobsScreen(database *db.DB, log *slog.Logger) (fiber.Handler, error) {
	screen, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(database.Queue(), nil), Logger: log, Prefix: queuePath,
	})
	if err != nil {
		return nil, err
	}
	return adaptor.HTTPHandler(screen), nil
}

// Jobs shows the queue and does what an admin asks of it, such as cancelling a job. River UI's
// scripts put style elements into the page, so its addresses alone allow those. No nonce or hash
// would do: the elements are given no nonce, and one of them gets its rules while it is shown.
func (h *Staff) Jobs(r *web.Request) error {
	policy := r.GetRespHeader(fiber.HeaderContentSecurityPolicy)
	r.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(policy, "style-src 'self'", "style-src 'self' 'unsafe-inline'", 1))
	switch path := r.Path(); {
	case path == queuePath:
		r.Request().SetRequestURI(queuePath + "/") // River UI would send the browser there
	case strings.HasPrefix(path, queuePath+"/assets/"):
		r.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable") // their names hold a hash
	}
	if r.Method() != fiber.MethodGet && r.Method() != fiber.MethodHead {
		r.Site.Log.Info("queue", "number", r.Number, "user", r.Viewer.User.ID, "method", r.Method(), "path", r.Path())
	}
	if err := h.screen(r.Ctx); err != nil {
		return err
	}
	r.Vary("HX-Request")
	return nil
}
