package handlers

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// importRow is a list in the table of imports.
type importRow struct {
	ID                                       int64
	FileName                                 string
	Status                                   domain.ImportStatus
	Total, Done, Created, Updated, Same, Bad int
	At                                       Moment
}

// importsView is the page imports/list.
type importsView struct {
	Rows           []importRow
	MaxMB, MaxRows int
	Problems       templates.Problems
}

// importView is the page imports/show, which changes from step to step.
type importView struct {
	importRow
	Check    *importCheck // while it waits for its owner's word
	Going    bool
	Undoable bool
	BadRows  []badRow
	BadCount string
	Pager    pagerView
}

// badRow is a line that is not taken, with the reason in the reader's words.
type badRow struct {
	Line          int
	Value, Reason string
}

func (s *Site) imports(c *fiber.Ctx) error { return s.importsPage(c, fiber.StatusOK, nil) }

func (s *Site) importsPage(c *fiber.Ctx, status int, problems templates.Problems) error {
	lists, err := s.DB.Imports(c.UserContext(), s.reader(c).User.ID)
	if err != nil {
		return err
	}
	view := importsView{MaxMB: domain.ImportMaxBytes >> 20, MaxRows: domain.ImportMaxRows, Problems: problems}
	for _, one := range lists {
		view.Rows = append(view.Rows, s.importRow(c, one))
	}
	return s.page(c, status, "imports/list", view)
}

func (s *Site) importRow(c *fiber.Ctx, i domain.Import) importRow {
	return importRow{ID: i.ID, FileName: i.FileName, Status: i.Status, Total: i.Total, Done: i.Done, Created: i.Created,
		Updated: i.Updated, Same: i.Unchanged(), Bad: i.Bad, At: s.moment(c, i.CreatedAt)}
}

// upload keeps a list and leads to its columns; nothing is imported yet.
func (s *Site) upload(c *fiber.Ctx) error {
	list, err := s.readUpload(c)
	if err == nil {
		err = s.DB.CreateImport(c.UserContext(), &list)
	}
	if texts, ok := s.problems(c, err); ok {
		return s.importsPage(c, fiber.StatusUnprocessableEntity, texts)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, importPath(list.ID))
}

// showImport shows how far an import is; htmx asks again and again, until the status 286.
func (s *Site) showImport(c *fiber.Ctx) error {
	list, err := s.DB.Import(c.UserContext(), s.reader(c).User.ID, pathID(c))
	if err != nil {
		return err
	}
	return s.importPage(c, fiber.StatusOK, list, nil)
}

func (s *Site) importPage(c *fiber.Ctx, status int, list domain.Import, problems templates.Problems) error {
	view := importView{importRow: s.importRow(c, list), Going: list.Going(), Undoable: list.Status == domain.ImportDone || list.Status == domain.ImportFailed}
	var err error
	switch {
	case list.Status == domain.ImportChecked:
		view.Check, err = s.importCheck(c, list, problems)
	case !list.Going():
		err = s.badRows(c, &view, list)
	}
	if err != nil {
		return err
	}
	if isHTMX(c) && !view.Going && view.Check == nil && status == fiber.StatusOK {
		status = 286 // polling ends
	}
	return s.page(c, status, "imports/show", view)
}

// badRows puts a page of the lines that were not taken into the view.
func (s *Site) badRows(c *fiber.Ctx, view *importView, list domain.Import) error {
	page := max(1, c.QueryInt("page", 1))
	rows, total, err := s.DB.ImportProblems(c.UserContext(), list.OwnerID, list.ID, page)
	for _, row := range rows {
		view.BadRows = append(view.BadRows, s.badRow(c, row.Line, row.Value, row.Problems()))
	}
	view.BadCount = s.tn(c, "imports.bad_rows", total)
	view.Pager = s.pager(c, min(page, db.LastPage(total)), db.LastPage(total))
	return err
}

func (s *Site) badRow(c *fiber.Ctx, line int, value string, problems domain.Problems) badRow {
	reasons := make([]string, len(problems))
	for i, one := range problems {
		reasons[i] = s.templates.Texts().Fill(s.reader(c).Lang, one.Key, one.Args)
	}
	return badRow{line, value, strings.Join(reasons, " ")}
}

func importPath(id int64) string { return "/clients/import/" + strconv.FormatInt(id, 10) }

// mapImport takes the columns over: to see what would happen, or to begin.
func (s *Site) mapImport(c *fiber.Ctx) error {
	owner, id, mapping := s.reader(c).User.ID, pathID(c), mappingOf(c)
	save := s.DB.MapImport
	if c.FormValue("do") == "start" {
		save = s.DB.StartImport
	}
	err := save(c.UserContext(), owner, id, mapping)
	if domain.KindOf(err) == domain.Conflict { // a second click
		return s.redirect(c, importPath(id))
	}
	if texts, ok := s.problems(c, err); ok {
		list, err := s.DB.Import(c.UserContext(), owner, id)
		if err != nil {
			return err
		}
		list.Mapping = mapping
		return s.importPage(c, fiber.StatusUnprocessableEntity, list, texts)
	}
	if err != nil {
		return err
	}
	if isHTMX(c) {
		return s.showImport(c)
	}
	return s.redirect(c, importPath(id))
}

// undoImport erases the clients that an import created.
func (s *Site) undoImport(c *fiber.Ctx) error {
	removed, err := s.DB.UndoImport(c.UserContext(), s.reader(c).User.ID, pathID(c))
	if err != nil {
		return err
	}
	return s.done(c, importPath(pathID(c)), "imports.undone", "Count", removed)
}
