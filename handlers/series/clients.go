package series

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	dbseries "skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// clientsView is the page series/clients.
type clientsView struct {
	web.Form
	ID           int64
	Name, Emails string
	State        string
	States       []templates.Option
	Found        string
	Rows         []clientRow
	Pager        web.Pager
	MayAdd       bool
	Fragment     bool
}

// clientRow is one client in the series.
type clientRow struct {
	ID          int64
	Series      int64
	Email, Name string
	Step, Steps int // the next one; 0: none
	Got         int
	DueAt       web.Moment
	Soon        bool // the time is still worked out
	Left        string
	Finished    bool
	Remove      bool
}

// Clients shows who is where.
func (h *Series) Clients(r *web.Request) error { return h.clients(r, nil, "") }

func (h *Series) clients(r *web.Request, refusal error, emails string) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	view := &clientsView{ID: s.ID, Name: s.Mailing.Name, Emails: emails, State: r.Query("state"), MayAdd: s.Mailing.MayEdit(), Fragment: r.HTMX() && r.Reads()}
	where := dbseries.Where{State: view.State, Page: max(1, r.QueryInt("page", 1)), Step: int64(r.QueryInt("step"))}
	list, total, err := h.kept().Clients(r.UserContext(), s, where)
	if err != nil {
		return err
	}
	for _, one := range list {
		view.Rows = append(view.Rows, clientOf(r, s, one))
	}
	view.Found = r.Viewer.Found("series.found", total)
	last := max(1, (total+dbseries.PageSize-1)/dbseries.PageSize)
	view.Pager = r.Pager(min(where.Page, last), last)
	if view.Fragment {
		return r.Block(fiber.StatusOK, "series/results", view)
	}
	for _, one := range []string{"", "waiting", "finished", "left"} {
		view.States = append(view.States, templates.Option{Value: one, Label: r.Viewer.T("series.state_" + one)})
	}
	return r.Form(refusal, "series/clients", view)
}

func clientOf(r *web.Request, s rules.Series, one dbseries.Client) clientRow {
	row := clientRow{ID: one.ID, Series: s.ID, Email: one.Email, Name: one.FullName, Steps: len(s.Steps), Got: len(one.Passed), Finished: one.LeftReason == rules.LeftFinished,
		Remove: one.LeftAt.IsZero() && s.Mailing.MayEdit()}
	switch {
	case row.Finished:
	case one.LeftReason != "":
		row.Left = r.Viewer.T(rules.LeftKey(one.LeftReason))
	case !one.DueAt.IsZero():
		if row.Step = 1; one.NextStepID != 0 {
			if step := s.Step(one.NextStepID); step != nil {
				row.Step = step.Position
			}
		}
		if row.Soon = one.DueAt.Unix() == 0; !row.Soon {
			row.DueAt = r.Viewer.Moment(one.DueAt)
		}
	}
	return row
}

// AddClients adds clients by hand: by their numbers, or their addresses.
func (h *Series) AddClients(r *web.Request) error {
	ids, emails := append(web.Numbers(r, "client_ids"), web.Numbers(r, "ids")...), r.FormValue("emails")
	addresses := strings.FieldsFunc(emails, func(c rune) bool { return strings.ContainsRune(" \t\r\n,;", c) })
	if len(addresses) > maxByHand || len(ids) > maxByHand {
		return h.clients(r, domain.ValidationErrors{domain.Errorf(domain.Invalid, "emails", "series.add_many", "Max", maxByHand)}, emails)
	}
	found, err := h.kept().Find(r.UserContext(), r.Viewer.User.ID, addresses)
	if err != nil {
		return err
	}
	if ids = append(ids, found...); len(ids) == 0 {
		return h.clients(r, domain.ValidationErrors{domain.Errorf(domain.Invalid, "emails", "series.add_nobody")}, emails)
	}
	added, err := h.kept().Add(r.UserContext(), r.Viewer.User.ID, r.ID(), ids)
	if err != nil {
		return err
	}
	return r.Done(Path(r.ID())+"/clients", "series.added_n", "Added", added.Added, "Others", int64(len(addresses)-len(found))+added.Already+added.Suppressed)
}

// maxByHand is how many clients a form adds.
const maxByHand = 1000

// RemoveClient takes a client out.
func (h *Series) RemoveClient(r *web.Request) error {
	client, err := strconv.ParseInt(r.FormValue("client_id"), 10, 64)
	if err != nil {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	if err := h.kept().Remove(r.UserContext(), r.Viewer.User.ID, r.ID(), client); err != nil {
		return err
	}
	query := url.Values{}
	if state := r.Query("state"); state != "" {
		query.Set("state", state)
	}
	path := Path(r.ID()) + "/clients"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return r.Done(path, "series.removed")
}
