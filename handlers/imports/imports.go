// Package imports takes lists of clients in, from files and by bulk add.
package imports

import (
	"strconv"
	"strings"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// Imports takes lists of clients in.
type Imports struct{ DB *db.DB }

// importRow is a list in the table of imports.
type importRow struct {
	ID                                       int64
	FileName                                 string
	Status                                   domain.ImportStatus
	Total, Done, Created, Updated, Same, Bad int
	At                                       web.Moment
}

// importsView is the page imports/list.
type importsView struct {
	web.Form
	Rows           []importRow
	MaxMB, MaxRows int
}

// importView is the page imports/show, which changes from step to step.
type importView struct {
	web.Form
	importRow
	Check    *importCheck // while it waits for its owner's word
	Going    bool
	Undoing  bool
	Undoable bool
	BadRows  []badRow
	BadCount string
	Pager    web.Pager
}

// badRow is a line that is not taken, with the reason in the viewer's words.
type badRow struct {
	Line          int
	Value, Reason string
}

func (h *Imports) List(r *web.Request) error { return h.importsPage(r, nil) }

func (h *Imports) importsPage(r *web.Request, refusal error) error {
	lists, err := h.DB.Imports().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := &importsView{MaxMB: domain.ImportMaxBytes >> 20, MaxRows: domain.ImportMaxRows}
	for _, one := range lists {
		view.Rows = append(view.Rows, h.importRow(r, one))
	}
	return r.Form(refusal, "imports/list", view)
}

func (h *Imports) importRow(r *web.Request, i domain.Import) importRow {
	return importRow{ID: i.ID, FileName: i.FileName, Status: i.Status, Total: i.Total, Done: i.Done, Created: i.Created,
		Updated: i.Updated, Same: i.Same, Bad: i.Bad, At: r.Viewer.Moment(i.CreatedAt)}
}

// Upload keeps a list and leads to its columns; nothing is imported yet.
func (h *Imports) Upload(r *web.Request) error {
	list, err := h.upload(r)
	if err != nil {
		return h.importsPage(r, err)
	}
	return r.Redirect(importPath(list.ID))
}

// Show shows how far an import is; htmx asks again and again, until the answer is web.StopPolling.
func (h *Imports) Show(r *web.Request) error {
	list, err := h.DB.Imports().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	return h.importPage(r, nil, list)
}

func (h *Imports) importPage(r *web.Request, refusal error, list domain.Import) error {
	view := importView{importRow: h.importRow(r, list), Going: list.Going(), Undoing: list.Status == domain.ImportUndoing, Undoable: list.Undoable(time.Now())}
	var err error
	switch {
	case list.Status == domain.ImportChecked:
		view.Check, err = h.importCheck(r, list)
	case !list.Going() && !view.Undoing:
		err = h.badRows(r, &view, list)
	}
	if err != nil {
		return err
	}
	status, err := r.Refused(refusal, &view)
	if err != nil {
		return err
	}
	if r.HTMX() && !view.Going && !view.Undoing && view.Check == nil && refusal == nil {
		status = web.StopPolling
	}
	if view.Check != nil {
		view.Check.Form = view.Form
	}
	return r.Page(status, "imports/show", view)
}

// badRows puts a page of the lines that were not taken into the view.
func (h *Imports) badRows(r *web.Request, view *importView, list domain.Import) error {
	page := r.ListPage()
	rows, total, err := h.DB.Imports().Problems(r.UserContext(), list.OwnerID, list.ID, page)
	for _, row := range rows {
		view.BadRows = append(view.BadRows, h.badRow(r, row.Line, row.Value, row.Errors()))
	}
	view.BadCount = r.Viewer.TN("imports.bad_rows", total)
	view.Pager = r.ListPager(page, total, len(rows), func(n int) db.Cursor { return db.Cursor{int64(rows[n].Line)} })
	return err
}

func (h *Imports) badRow(r *web.Request, line int, value string, problems domain.ValidationErrors) badRow {
	reasons := make([]string, len(problems))
	for i, one := range problems {
		reasons[i] = r.Viewer.Text(one)
	}
	return badRow{line, value, strings.Join(reasons, " ")}
}

func importPath(id int64) string { return "/clients/import/" + strconv.FormatInt(id, 10) }

// Map takes the columns over: to see what would happen, or to begin.
func (h *Imports) Map(r *web.Request) error {
	ctx, owner, id := r.UserContext(), r.Viewer.User.ID, r.ID()
	list, err := h.DB.Imports().Get(ctx, owner, id)
	if err != nil {
		return err
	}
	mapping, another, err := h.mappingOf(r, list)
	if err != nil {
		return err
	}
	save := h.DB.Imports().Map
	if r.FormValue("do") == "start" && !another {
		save = h.DB.Imports().Start
	}
	if err = h.makeFields(r, list, &mapping); err == nil {
		err = save(ctx, owner, id, mapping)
	}
	if another && domain.KindOf(err) == domain.Invalid {
		err = nil // the columns of another sheet are not chosen yet
	}
	if domain.KindOf(err) == domain.Conflict { // a second click
		return r.Redirect(importPath(id))
	}
	if err != nil {
		list.Mapping = mapping
		return h.importPage(r, err, list)
	}
	if r.HTMX() {
		return h.Show(r)
	}
	return r.Redirect(importPath(id))
}

// Undo erases the clients that an import created, and restores those it changed.
func (h *Imports) Undo(r *web.Request) error {
	removed, err := h.DB.Imports().Undo(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	list, err := h.DB.Imports().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	if list.Status == domain.ImportUndoing {
		return r.Done(importPath(r.ID()), "imports.undo_begun")
	}
	return r.Done(importPath(r.ID()), "imports.undone", "Count", removed, "Restored", list.Updated)
}
