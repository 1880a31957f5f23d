package staff

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"riverqueue.com/riverui"

	"skychimp/db"
	"skychimp/domain"
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

// JobsPage is River UI inside a page of ours.
func (h *Staff) JobsPage(r *web.Request) error {
	if strings.HasSuffix(r.Path(), "/") {
		return h.Jobs(r)
	}
	return r.Page(fiber.StatusOK, "staff/jobs", queuePath+"/")
}

// Jobs shows the queue and does what an admin asks of it, such as cancelling a job. River UI's
// scripts put style elements into the page, so its addresses alone allow those. No nonce or hash
// would do: the elements are given no nonce, and one of them gets its rules while it is shown.
func (h *Staff) Jobs(r *web.Request) error {
	if r.Path() == queuePath {
		return fiber.ErrNotFound // of all methods, the page alone has this address
	}
	policy := r.GetRespHeader(fiber.HeaderContentSecurityPolicy)
	r.Set(fiber.HeaderContentSecurityPolicy, strings.NewReplacer("style-src 'self'", "style-src 'self' 'unsafe-inline'",
		"frame-ancestors 'none'", "frame-ancestors 'self'").Replace(policy))
	r.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	if strings.HasPrefix(r.Path(), queuePath+"/assets/") {
		r.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable") // their names hold a hash
	}
	if limit := r.Query("limit", "1"); limit != strconv.Itoa(max(1, min(r.QueryInt("limit", 1), 1000))) {
		return fiber.ErrBadRequest // River UI panics at 0
	}
	act, object := jobsAct(r)
	if err := h.screen(r.Ctx); err != nil {
		return err
	}
	r.Vary("HX-Request")
	if act == "" || r.Response().StatusCode() >= fiber.StatusBadRequest {
		return nil
	}
	return h.DB.Audit().Note(r.UserContext(), *r.Viewer.User, domain.AuditEntry{At: time.Now(), Act: act, Object: object})
}

// jobsAct is what is asked of River, and of which jobs or queue; "" when nothing is to be changed.
func jobsAct(r *web.Request) (act domain.Act, object string) {
	parts := strings.Split(strings.TrimPrefix(r.Path(), queuePath+"/api/"), "/")
	switch {
	case r.Reads() || len(parts) < 2:
		return "", ""
	case parts[0] == "jobs":
		var asked struct {
			IDs []string `json:"ids"`
		}
		_ = json.Unmarshal(r.Body(), &asked) // River refuses what is none
		object = strings.Join(asked.IDs[:min(len(asked.IDs), 100)], ", ")
		if rest := len(asked.IDs) - 100; rest > 0 {
			object += fmt.Sprintf(" + %d", rest)
		}
		act = map[string]domain.Act{"cancel": domain.ActJobsCancel, "delete": domain.ActJobsDelete, "retry": domain.ActJobsRetry}[parts[1]]
	case len(parts) > 2:
		act, object = map[string]domain.Act{"pause": domain.ActQueuePause, "resume": domain.ActQueueResume}[parts[2]], parts[1]
	default:
		act, object = domain.ActQueueChange, parts[1]
	}
	return act, object
}
