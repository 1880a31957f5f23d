// Package mailings answers what concerns mailings and their calendar.
package mailings

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/holdout"
	"skychimp/handlers/runs"
	"skychimp/handlers/segments"
	"skychimp/handlers/senders"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Mailings answers what concerns mailings.
type Mailings struct {
	DB      *db.DB
	Runs    *runs.Runs
	Senders *senders.Senders

	Segments *segments.Segments
	Holdouts *holdout.Holdouts
}

// mailingRow is the block mailings/row, and the head of a mailing's page.
type mailingRow struct {
	ID             int64
	Name           string
	MessageID      int64
	Subject        string // of its message
	Long           int    // kB, where mailboxes may not show its emails to their end; else 0, and in lists
	Periodicity    domain.Periodicity
	Status         domain.MailingStatus
	DisabledReason string
	NextRunAt      web.Moment
	LastRunAt      web.Moment
	Audience       string // in words
	Last           lastRun
	// What the viewer may do with it now.
	Edit, Launch, Stop, Run, Delete, Oversee bool
	Pause, Resume, Copy                      bool
	Again                                    bool // as a copy
	Paused                                   bool
	Recall                                   recallView
}

// lastRun is what came of the latest run, ID 0: there was none.
type lastRun struct{ ID, Planned, Accepted, Failed int64 }

// MenuID and MenuName are for the row's menu.
func (m mailingRow) Menu() templates.Menu {
	return templates.Menu{ID: "mailing-" + strconv.FormatInt(m.ID, 10) + "-menu", Name: m.Name}
}

// mailingsView is the page mailings/list and its block mailings/results.
type mailingsView struct {
	Query, Status string
	Statuses      []templates.Option
	Sort          string
	Heads         []web.Head
	Self          string // the address of these results
	Found         string // how many, in words
	Fragment      bool   // without the page around it
	Rows          []mailingRow
	Pager         web.Pager
}

// Empty tells an owner without mailings from a search without results.
func (v mailingsView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" && v.Status == "" }

// List is the list; its search asks for the results alone.
func (h *Mailings) List(r *web.Request) error {
	filter := db.MailingFilter{OwnerID: r.Viewer.User.ID, Query: r.Query("q"),
		Status: domain.MailingStatus(r.Query("status")), Page: r.ListPage()}
	var place func(n int) db.Cursor
	if filter.Sort = r.Query("sort"); db.MailingSorts()[filter.Sort] == "" {
		filter.Sort = ""
	}
	rows, total, err := h.DB.Mailings().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	if filter.Sort == "" {
		place = func(n int) db.Cursor { return db.Cursor{rows[n].ID} }
	}
	view := mailingsView{Query: filter.Query, Status: string(filter.Status), Self: r.OriginalURL(), Fragment: r.HTMX(),
		Found: r.Viewer.Found("mailings.found", total), Pager: r.ListPager(filter.Page, total, len(rows), place), Sort: filter.Sort,
		Heads: r.Heads(filter.Sort, []string{"last"}, "name", "mailings.mailing", "", "mailings.status", "", "mailings.audience", "last", "mailings.last_result", "next", "mailings.next_run")}
	for _, one := range rows {
		view.Rows = append(view.Rows, newRow(r, one))
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "mailings/results", view)
	}
	view.Statuses = []templates.Option{{Label: r.Viewer.T("mailings.all_statuses")}}
	for _, one := range []domain.MailingStatus{domain.Created, domain.Running, domain.Finished} {
		view.Statuses = append(view.Statuses, templates.Option{Value: string(one), Label: r.Viewer.T("mailings.status_" + string(one))})
	}
	return r.Page(fiber.StatusOK, "mailings/list", view)
}

// audienceOf says in words who gets a mailing.
func audienceOf(r *web.Request, m domain.Mailing) string {
	switch m.Audience {
	case domain.AudienceTags:
		return strings.Join(m.Tags, ", ")
	case domain.AudiencePicked:
		return r.Viewer.T("mailings.audience_picked")
	}
	return r.Viewer.T("mailings.audience_" + string(m.Audience))
}

// newRow is the mailing as lists show it.
func newRow(r *web.Request, m db.MailingRow) mailingRow {
	now, user := time.Now(), r.Viewer.User
	mine := m.OwnerID == user.ID && user.MayOwn()
	return mailingRow{
		ID: m.ID, Name: m.Name, MessageID: m.MessageID, Subject: m.Subject, Periodicity: m.Periodicity, Status: m.Status,
		DisabledReason: m.DisabledReason, NextRunAt: r.Viewer.Moment(m.NextRunAt), LastRunAt: r.Viewer.Moment(m.LastRunAt),
		Audience: audienceOf(r, m.Mailing), Last: lastRun{m.LastRunID, m.LastPlanned, m.LastAccepted, m.LastFailed},
		Edit: mine && m.MayEdit(), Launch: mine && m.MayLaunch(now), Stop: mine && m.MayStop(now), Run: mine && m.MayRun(now), Delete: mine, Oversee: user.MayOversee(),
		Pause: mine && m.MayPause(), Resume: mine && m.MayResume(), Copy: mine, Again: mine && m.Status == domain.Finished, Paused: m.Paused(), Recall: recallOf(r, m.Mailing),
	}
}

// saved answers with the mailing as it is now: for htmx as its row.
func (h *Mailings) saved(r *web.Request, err error, m domain.Mailing, path, done string) error {
	if err != nil {
		return err
	}
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	return r.Saved(path, web.Fragment{Block: "mailings/row", View: row}, done)
}

// AskDelete asks whether it is meant, for browsers without JavaScript.
func (h *Mailings) AskDelete(r *web.Request) error {
	m, err := h.ownMailing(r)
	if err != nil {
		return err
	}
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "mailings/delete", row)
}

func (h *Mailings) Delete(r *web.Request) error {
	if err := h.DB.Mailings().Delete(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()); err != nil {
		return err
	}
	return r.Saved("/mailings", web.Fragment{Event: "mailings-changed"}, "mailings.deleted")
}

// readableMailing is the mailing of the path, if the viewer owns it or oversees all.
func (h *Mailings) readableMailing(r *web.Request) (domain.Mailing, error) {
	return noSeries(h.DB.Mailings().Get(r.UserContext(), r.OwnerID(), r.ID()))
}

// ownMailing is the mailing of the path, if it is the viewer's.
func (h *Mailings) ownMailing(r *web.Request) (domain.Mailing, error) {
	return noSeries(h.DB.Mailings().Get(r.UserContext(), r.Viewer.User.ID, r.ID()))
}

// noSeries refuses a series, which has pages of its own.
func noSeries(m domain.Mailing, err error) (domain.Mailing, error) {
	if err == nil && m.Kind == domain.KindSeries {
		err = domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return m, err
}

// rowOf adds to a mailing what its row shows besides.
func (h *Mailings) rowOf(r *web.Request, m domain.Mailing) (mailingRow, error) {
	row, err := h.DB.Mailings().Row(r.UserContext(), m.ID)
	if err != nil {
		return mailingRow{}, err
	}
	row.Mailing = m
	long := 0
	if m.MessageID != 0 {
		message, err := h.DB.Messages().Get(r.UserContext(), m.OwnerID, m.MessageID)
		if err != nil {
			return mailingRow{}, err
		}
		row.Subject, long = message.Subject, message.Long()
	}
	shown := newRow(r, row)
	shown.Long = long
	return shown, nil
}

// Path is the mailing's page.
func Path(id int64) string { return "/mailings/" + strconv.FormatInt(id, 10) }
