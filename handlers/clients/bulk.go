package clients

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	dbseries "skychimp/db/series"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// bulkView is the page clients/bulk: what would be done to how many, before it is done.
type bulkView struct {
	web.Form
	domain.BulkForm
	Query, Tag, Segment string // what the list showed
	Question, Button    string
	Note                string
	Danger              bool
}

// bulkActView is the page clients/bulk-act and its block clients/bulk-state.
type bulkActView struct {
	ID      int64
	Working bool
	Done    int64
	Total   int64
	Says    string
	Undo    bool // it can be taken back
}

// Refresh: without JavaScript the page is asked for again.
func (v bulkActView) Refresh() bool { return v.Working }

// bulkMenu is what can be done to many clients.
func (h *Clients) bulkMenu(r *web.Request) (options []templates.Option, err error) {
	for _, one := range domain.BulkDos() {
		if one != domain.BulkSeries {
			options = append(options, templates.Option{Value: string(one), Label: r.Viewer.T("clients.bulk_do_" + string(one))})
		}
	}
	series, err := dbseries.In(h.DB).Open(r.UserContext(), r.Viewer.User.ID)
	for _, one := range series {
		options = append(options, templates.Option{Value: fmt.Sprint("series:", one.ID), Label: r.Viewer.T("clients.bulk_into", "Name", one.Name)})
	}
	return options, err
}

// readBulk reads the form. A program that names clients may send the tag as `tag`, which is a filter beside `all`.
func readBulk(r *web.Request) (form domain.BulkForm, f db.ClientFilter, segment string) {
	form = domain.BulkForm{Do: r.FormValue("do"), Tags: r.FormValue("tags"), All: r.FormValue("all") == "yes"}
	if act, id, named := strings.Cut(form.Do, ":"); named && act == string(domain.BulkSeries) { // as the menu has it
		form.Do = act
		form.Series, _ = strconv.ParseInt(id, 10, 64)
	} else {
		form.Series, _ = strconv.ParseInt(r.FormValue("series"), 10, 64)
	}
	f.Query, f.Tag, segment = r.FormValue("q"), r.FormValue("tag"), r.FormValue("segment")
	if segment != "" {
		if f.Segment, _ = strconv.ParseInt(segment, 10, 64); f.Segment <= 0 {
			f.Segment = -1
		}
	}
	if form.All {
		return form, f, segment
	}
	if form.Tags == "" {
		form.Tags = f.Tag
	}
	form.IDs = web.Numbers(r, "ids")
	return form, f, segment
}

// Bulk says to how many clients something would be done, and does it when that is confirmed.
func (h *Clients) Bulk(r *web.Request) error {
	form, filter, segment := readBulk(r)
	view := &bulkView{BulkForm: form, Query: filter.Query, Tag: filter.Tag, Segment: segment, Danger: form.Do == string(domain.BulkDelete)}
	act, err := domain.NewBulkAct(r.Viewer.User.ID, form)
	if err == nil && act.SeriesID != 0 {
		if _, err := dbseries.In(h.DB).Get(r.UserContext(), act.OwnerID, act.SeriesID); err != nil {
			return err
		}
	}
	if err == nil {
		err = h.DB.Bulk().Prepare(r.UserContext(), &act, filter)
	}
	if err == nil && act.Total == 0 {
		err = domain.ValidationErrors{domain.Errorf(domain.Invalid, "", "clients.bulk_nobody")}
	}
	if err != nil {
		view.Question = r.Viewer.T("clients.bulk_refused")
		return r.Form(err, "clients/bulk", view)
	}
	if r.FormValue("confirm") == "" {
		view.Question = r.Viewer.TN("clients.bulk_ask_"+form.Do, int(act.Total), "Tags", strings.Join(act.Tags, ", "))
		view.Button, view.Note = r.Viewer.T("clients.bulk_do_"+form.Do), r.Viewer.T("clients.bulk_note")
		return r.Page(fiber.StatusOK, "clients/bulk", view)
	}
	if err := h.DB.Bulk().Start(r.UserContext(), &act); err != nil {
		return err
	}
	return r.Redirect(fmt.Sprint("/clients/bulk/", act.ID))
}

// ShowBulk shows how far an act is; htmx asks again and again, until the answer is web.StopPolling.
func (h *Clients) ShowBulk(r *web.Request) error {
	act, err := h.DB.Bulk().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	undone := act
	view := bulkActView{ID: act.ID, Working: act.Working(), Done: act.Done, Total: act.Total, Undo: act.Changed > 0 && undone.Undo(time.Now()) == nil}
	switch act.Status {
	case domain.BulkUndoing:
		view.Total, view.Says = act.Changed, r.Viewer.T("clients.bulk_undoing")
	case domain.BulkUndone:
		view.Says = r.Viewer.T("clients.bulk_undone")
	case domain.BulkRunning:
		view.Says = r.Viewer.T("clients.bulk_working")
	default:
		view.Says = r.Viewer.TN("clients.bulk_did_"+string(act.Act), int(act.Changed))
	}
	if !r.HTMX() {
		return r.Page(fiber.StatusOK, "clients/bulk-act", view)
	}
	status := fiber.StatusOK
	if !view.Working {
		status = web.StopPolling
	}
	return r.Block(status, "clients/bulk-state", view)
}

// UndoBulk takes an act back.
func (h *Clients) UndoBulk(r *web.Request) error {
	if err := h.DB.Bulk().Undo(r.UserContext(), r.Viewer.User.ID, r.ID(), time.Now()); err != nil {
		return err
	}
	return r.Redirect(fmt.Sprint("/clients/bulk/", r.ID()))
}
