package runs

import (
	"skychimp/domain"
	"skychimp/handlers/web"
)

// refusalsView is the block runs/refusals: what the mail servers refused.
type refusalsView struct {
	RunID      int64
	Holds      []holdRow
	Classes    []classRow
	More       bool  // there are more than were counted
	Suppressed int64 // clients that get no more emails because of the run
	Undoable   bool  // by the viewer
}

// holdRow is a receiving domain that gets nothing of the run for now.
type holdRow struct {
	Domain string
	Until  web.Moment
	Reply
}

// classRow counts the attempts of a class.
type classRow struct {
	Class  domain.Class
	Count  int64
	Action action
}

func (h *Runs) refusals(r *web.Request, run domain.Run) (refusalsView, error) {
	found, err := h.DB.Runs().Refusals(r.UserContext(), run)
	view := refusalsView{RunID: run.ID, More: found.More, Suppressed: found.Suppressed, Undoable: run.OwnerID == r.Viewer.User.ID}
	for _, one := range found.Holds {
		view.Holds = append(view.Holds, holdRow{Domain: one.Domain, Until: r.Viewer.Moment(one.Until),
			Reply: Reply{Answer: domain.Answer{Code: one.Code, Text: one.Answer}.String(), Class: one.Class}})
	}
	for _, one := range found.Classes {
		view.Classes = append(view.Classes, classRow{one.Class, one.Count, actionOf(r, run, one.Class)})
	}
	return view, err
}

// Unsuppress lets the clients get emails again whose addresses the run found dead.
func (h *Runs) Unsuppress(r *web.Request) error {
	n, err := h.DB.Runs().Unsuppress(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	r.Browser().SetFlash(r.Viewer.TN("runs.unsuppressed", n))
	return r.Redirect("/runs/" + r.Params("id"))
}
