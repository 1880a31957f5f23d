package mailings

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// Launches answers what has a mailing begin, wait, go on and end.
type Launches struct{ Mailings *Mailings }

func (h *Launches) Launch(r *web.Request) error {
	if err := h.ready(r, "launch"); err != nil {
		return err
	}
	m, err := h.Mailings.DB.Mailings().Launch(r.UserContext(), r.Viewer.User.ID, r.ID(), r.Site.RecallFor)
	return h.Mailings.saved(r, err, m, Path(m.ID), "mailings.launched")
}

func (h *Launches) Stop(r *web.Request) error {
	m, err := h.Mailings.DB.Mailings().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(m *domain.Mailing) error { return m.Stop(time.Now()) })
	return h.Mailings.saved(r, err, m, Path(m.ID), "mailings.stopped")
}

// Run asks for a run out of turn.
func (h *Launches) Run(r *web.Request) error {
	if err := h.ready(r, "run"); err != nil {
		return err
	}
	last, err := h.Mailings.lastRun(r, domain.Mailing{ID: r.ID()})
	if err != nil {
		return err
	}
	if err := h.Mailings.DB.Mailings().RunNow(r.UserContext(), r.Viewer.User.ID, r.ID(), r.Site.RecallFor); err != nil {
		return err
	}
	m, err := h.Mailings.readableMailing(r)
	done := "mailings.run_started"
	if recallOf(r, m).Open {
		done = "mailings.run_waits"
	}
	return h.Mailings.saved(r, err, m, fmt.Sprintf("%s?after=%d", Path(m.ID), last.ID), done)
}

// recallView is the block mailings/recall: what was just launched or sent can be taken back. htmx asks for it each second.
type recallView struct {
	ID      int64
	Open    bool
	Seconds int64
}

func recallOf(r *web.Request, m domain.Mailing) recallView {
	now := time.Now()
	view := recallView{ID: m.ID, Open: m.OwnerID == r.Viewer.User.ID && m.Recallable(now)}
	if view.Open {
		view.Seconds = int64(m.Recall.Until.Sub(now).Round(time.Second) / time.Second)
	}
	return view
}

// ShowRecall is the remaining time.
func (h *Launches) ShowRecall(r *web.Request) error {
	m, err := h.Mailings.ownMailing(r)
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Redirect(Path(m.ID))
	}
	view, status := recallOf(r, m), fiber.StatusOK
	if !view.Open {
		status = web.StopPolling
	}
	return r.Block(status, "mailings/recall", view)
}

// TakeBack undoes a launch or a run out of turn before its first email.
func (h *Launches) TakeBack(r *web.Request) error {
	m, err := h.Mailings.DB.Mailings().TakeBack(r.UserContext(), r.Viewer.User.ID, r.ID())
	return h.Mailings.saved(r, err, m, Path(m.ID), "mailings.recalled")
}

// Pause holds a mailing.
func (h *Launches) Pause(r *web.Request) error {
	m, err := h.Mailings.DB.Mailings().Pause(r.UserContext(), r.Viewer.User.ID, r.ID())
	return h.Mailings.saved(r, err, m, Path(m.ID), "mailings.paused_done")
}

// Resume lets it go on.
func (h *Launches) Resume(r *web.Request) error {
	m, err := h.Mailings.DB.Mailings().Resume(r.UserContext(), r.Viewer.User.ID, r.ID())
	return h.Mailings.saved(r, err, m, Path(m.ID), "mailings.resumed")
}

// Copy makes a mailing like the one of the path, and opens it for changes; one that begins a finished mailing again
// keeps its name and leads to what would go out.
func (h *Launches) Copy(r *web.Request) error {
	name := func(name string) string { return r.Viewer.T("mailings.copy_name", "Name", name) }
	again := r.FormValue("again") != ""
	if again {
		name = func(name string) string { return name }
	}
	m, err := h.Mailings.DB.Mailings().Copy(r.UserContext(), r.Viewer.User.ID, r.ID(), name, time.Now())
	if err != nil {
		return err
	}
	if again && m.MessageID != 0 {
		return r.Done(Path(m.ID)+"/review", "mailings.begun_again")
	}
	return r.Done(Path(m.ID)+"/edit", "mailings.copied")
}
