package imports

import (
	"errors"
	"slices"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// importCheck is the block imports/check: what the columns mean, and what would happen.
type importCheck struct {
	web.Form
	ID       int64
	Columns  []importColumn
	Header   bool
	Tags     string
	Lines    []importLine // the first of the file
	Checked  bool         // the columns can be used, so the rest is there
	Counts   []importCount
	Samples  []importSample
	Bad      []badRow // the first of them
	BadTitle string
}

// HeaderValue is the state of the field: the first line names the columns.
func (v importCheck) HeaderValue() string {
	if v.Header {
		return "yes"
	}
	return ""
}

// importCount is how many rows come to one verdict.
type importCount struct {
	Verdict domain.ImportVerdict
	N       int
}

// importColumn is a column of the file with its meaning.
type importColumn struct {
	Name, Meaning string
	Options       []templates.Option
}

// importLine is a line of the file as it is.
type importLine struct {
	Line  int
	Cells []string
}

// importSample is a row that would be taken.
type importSample struct {
	Line                     int
	Email, FullName, Comment string
	Tags                     []string
	Verdict                  domain.ImportVerdict
	Alike                    bool // the address can be taken for another
}

// importCheck shows the first lines and, when the columns are clear, what the import would do.
func (h *Imports) importCheck(r *web.Request, list domain.Import) (*importCheck, error) {
	view := &importCheck{ID: list.ID, Header: list.Mapping.Header, Tags: list.Mapping.Tags}
	check, err := h.DB.Imports().Check(r.UserContext(), list)
	if err != nil {
		return nil, err
	}
	width := 0
	for _, line := range check.Lines {
		view.Lines = append(view.Lines, importLine{line.Line, line.Cells})
		width = max(width, len(line.Cells))
	}
	own, err := h.DB.Fields().List(r.UserContext(), list.OwnerID)
	if err != nil {
		return nil, err
	}
	h.importColumns(r, view, own, list.Mapping.Columns, max(width, min(len(list.Mapping.Columns), domain.ImportMaxColumns)))
	if list.Mapping.Check() != nil {
		return view, nil //nolint:nilerr // the form itself shows what is missing
	}
	view.Checked = true
	for _, verdict := range []domain.ImportVerdict{domain.ImportNew, domain.ImportChanged, domain.ImportSame, domain.ImportBad} {
		view.Counts = append(view.Counts, importCount{verdict, check.Counts[verdict]})
	}
	view.BadTitle = r.Viewer.TN("imports.bad_rows", check.Counts[domain.ImportBad])
	for _, one := range check.Good {
		view.Samples = append(view.Samples, importSample{one.Line, one.Client.Email, one.Client.FullName, one.Client.Comment, one.Client.Tags, one.Verdict, domain.LooksLikeAnother(one.Client.Email)})
	}
	for _, row := range check.Bad {
		view.Bad = append(view.Bad, h.badRow(r, row.Line, row.Value(), row.Errors))
	}
	return view, nil
}

// importColumns names the columns as spreadsheets do, and fills the table's short lines up.
func (h *Imports) importColumns(r *web.Request, view *importCheck, own []domain.Field, meanings []string, width int) {
	options := []templates.Option{{Label: r.Viewer.T("imports.leave_out")}}
	for _, field := range domain.ImportFields() {
		options = append(options, templates.Option{Value: field, Label: r.Viewer.T("imports.column_" + field)})
	}
	for _, f := range own {
		options = append(options, templates.Option{Value: f.Name(), Label: f.Label})
	}
	for _, kind := range domain.FieldTypes() {
		if len(own) < domain.MaxFields && kind != domain.FieldChoice { // its choices have to be typed
			options = append(options, templates.Option{Value: domain.NewField + string(kind), Label: r.Viewer.T("imports.new_field", "Type", r.Viewer.T("fields.type_"+string(kind)))})
		}
	}
	for i := range width {
		column := importColumn{Name: columnName(i + 1), Options: options}
		if i < len(meanings) {
			column.Meaning = meanings[i]
		}
		view.Columns = append(view.Columns, column)
	}
	for i, line := range view.Lines {
		view.Lines[i].Cells = slices.Concat(line.Cells, make([]string, width-len(line.Cells)))
	}
}

// mappingOf is what the form says about the columns.
func mappingOf(r *web.Request) domain.ImportMapping {
	mapping := domain.ImportMapping{Columns: []string{}, Header: r.FormValue("header") != "", Tags: r.FormValue("tags")}
	for _, column := range r.Context().PostArgs().PeekMulti("columns") {
		if len(mapping.Columns) < domain.ImportMaxColumns {
			mapping.Columns = append(mapping.Columns, string(column))
		}
	}
	return mapping
}

// makeFields makes the fields that columns of the list ask for, and lets the columns mean them.
func (h *Imports) makeFields(r *web.Request, mapping *domain.ImportMapping) error {
	if len(mapping.NewFields(nil)) == 0 {
		return nil
	}
	ctx, owner := r.UserContext(), r.Viewer.User.ID
	list, err := h.DB.Imports().Get(ctx, owner, r.ID())
	if err != nil {
		return err
	}
	check, err := h.DB.Imports().Check(ctx, list)
	if err != nil {
		return err
	}
	var header []string
	if len(check.Lines) > 0 {
		header = check.Lines[0].Cells
	}
	wanted := mapping.NewFields(header)
	for i := range mapping.Columns {
		form, ok := wanted[i]
		if !ok {
			continue
		}
		if form.Label == "" {
			form.Label = r.Viewer.T("imports.column", "Name", columnName(i+1))
		}
		f, err := h.DB.Fields().Create(ctx, owner, form)
		if refused, ok := errors.AsType[domain.ValidationErrors](err); ok { // the form has one place for it
			return domain.ValidationErrors{domain.Errorf(domain.Invalid, "columns", refused[0].Key, "Max", domain.MaxFields)}
		}
		if err != nil {
			return err
		}
		mapping.Columns[i] = f.Name()
	}
	return nil
}
