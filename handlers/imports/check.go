package imports

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// importCheck is the block imports/check: what the columns mean, and what would happen.
type importCheck struct {
	web.Form
	ID           int64
	Sheets       []templates.Option // where a workbook has several
	Sheet        string
	Columns      []importColumn
	Headers      []templates.Option // the lines that may name the columns
	Header       string
	Tags         string
	Source, On   string // how and when the clients have agreed
	Emails       int    // columns of addresses
	Each         string
	Names, Dates string
	NamesOrders  []templates.Option // where full names are taken apart
	DatesOrders  []templates.Option // where there are dates like 05/01/2026
	Lines        []importLine       // the first of the sheet
	Checked      bool               // the columns can be used, so the rest is there
	Counts       []importCount
	Part         int // how many rows were looked at, where there are more
	Samples      []importSample
	Bad          []badRow // the first of them
	BadTitle     string
}

// importCount is how many rows come to one verdict.
type importCount struct {
	Verdict domain.ImportVerdict
	N       int
}

// importColumn is a column of the file with its meaning.
type importColumn struct {
	Name, Title, Meaning string // Title is what the file calls it
	Options, Fields, New []templates.Option
	Samples              []string // a few of its values, for screens without room for the table
}

// columnSamples is how many values of a column are shown beside its choice.
const columnSamples = 3

// samples are the first values of a column below its title.
func (v *importCheck) samples(column int, title string) (values []string) {
	for _, line := range v.Lines {
		if column < len(line.Cells) && len(values) < columnSamples && strings.TrimSpace(line.Cells[column]) != "" && line.Cells[column] != title {
			values = append(values, line.Cells[column])
		}
	}
	return values
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
	First, Last              string
	Suppressed               domain.Suppression
	Tags                     []string
	Verdict                  domain.ImportVerdict
	Alike                    bool // the address can be taken for another
}

// importCheck shows the first lines and, when the columns are clear, what the import would do.
func (h *Imports) importCheck(r *web.Request, list domain.Import) (*importCheck, error) {
	m := list.Mapping
	view := &importCheck{ID: list.ID, Sheet: strconv.Itoa(m.Sheet), Tags: m.Tags, Source: m.ConsentSource, On: m.ConsentOn, Emails: m.Emails(), Names: string(m.Names), Dates: string(m.Dates)}
	if m.Each {
		view.Each = "yes"
	}
	check, err := h.DB.Imports().Check(r.UserContext(), list)
	if err != nil {
		return nil, err
	}
	own, err := h.DB.Fields().List(r.UserContext(), list.OwnerID)
	if err != nil {
		return nil, err
	}
	if len(list.Sheets) > 1 {
		for i, one := range list.Sheets {
			if one.Total > 0 {
				view.Sheets = append(view.Sheets, templates.Option{Value: strconv.Itoa(i), Label: r.Viewer.T("imports.sheet_option", "Name", one.Name, "Rows", one.Total)})
			}
		}
	}
	view.headers(r, check, m)
	view.orders(r, check, m)
	view.columns(r, check, own, m)
	if m.Check() != nil {
		return view, nil //nolint:nilerr // the form itself shows what is missing
	}
	view.Checked = true
	for _, verdict := range []domain.ImportVerdict{domain.ImportNew, domain.ImportChanged, domain.ImportSame, domain.ImportBad} {
		view.Counts = append(view.Counts, importCount{verdict, check.Counts[verdict]})
	}
	if check.Part {
		view.Part = check.Rows
	}
	view.BadTitle = r.Viewer.TN("imports.bad_rows", check.Counts[domain.ImportBad])
	for _, one := range check.Good {
		sample := importSample{Line: one.Line, Email: one.Client.Email, FullName: one.Client.FullName, Comment: one.Client.Comment, Suppressed: one.Client.SuppressedReason,
			Tags: one.Client.Tags, Verdict: one.Verdict, Alike: domain.LooksLikeAnother(one.Client.Email)}
		sample.First, sample.Last = one.Client.Names()
		view.Samples = append(view.Samples, sample)
	}
	for _, row := range check.Bad {
		view.Bad = append(view.Bad, h.badRow(r, row.Line, row.Value(), row.Errors))
	}
	return view, nil
}

// headers are the lines that may name the columns: the first ones, and none.
func (v *importCheck) headers(r *web.Request, check domain.ImportCheck, m domain.ImportMapping) {
	v.Headers = []templates.Option{{Label: r.Viewer.T("imports.header_none")}}
	for i, line := range check.Lines {
		v.Headers = append(v.Headers, templates.Option{Value: strconv.Itoa(i + 1), Label: r.Viewer.T("imports.header_line", "Line", line.Line)})
	}
	if m.Header {
		v.Header = strconv.Itoa(m.Above + 1)
	}
}

// orders are the questions about names and dates, where the list has such.
func (v *importCheck) orders(r *web.Request, check domain.ImportCheck, m domain.ImportMapping) {
	if slices.Contains(m.Columns, "full_name") && !slices.Contains(m.Columns, "first_name") {
		for _, order := range []domain.NameOrder{"", domain.FirstNameFirst, domain.LastNameFirst} {
			v.NamesOrders = append(v.NamesOrders, templates.Option{Value: string(order), Label: r.Viewer.T("imports.names_" + cmp.Or(string(order), "guess"))})
		}
	}
	if check.Dates {
		for _, order := range []domain.ImportDates{"", domain.DayFirst, domain.MonthFirst} {
			v.DatesOrders = append(v.DatesOrders, templates.Option{Value: string(order), Label: r.Viewer.T("imports.dates_" + cmp.Or(string(order), "ask"))})
		}
	}
}

// columns names the columns as spreadsheets do, and fills the table's short lines up.
func (v *importCheck) columns(r *web.Request, check domain.ImportCheck, own []domain.Field, m domain.ImportMapping) {
	width := len(check.Types)
	for _, line := range check.Lines {
		cells := make([]string, len(line.Cells))
		for i, cell := range line.Cells {
			cells[i] = domain.CellText(cell)
		}
		v.Lines = append(v.Lines, importLine{line.Line, cells})
	}
	options := []templates.Option{{Label: r.Viewer.T("imports.leave_out")}}
	for _, field := range domain.ImportFields() {
		options = append(options, templates.Option{Value: field, Label: r.Viewer.T("imports.column_" + field)})
	}
	var fields []templates.Option
	for _, f := range own {
		fields = append(fields, templates.Option{Value: f.Name(), Label: f.Label})
	}
	made := map[domain.FieldType][]templates.Option{}
	for _, guess := range domain.FieldTypes() {
		if len(own) < domain.MaxFields {
			made[guess] = newFields(r, guess)
		}
	}
	for i := range width {
		column := importColumn{Name: columnName(i + 1), Options: options, Fields: fields, New: made[check.Types[i]]}
		if i < len(m.Columns) {
			column.Meaning = m.Columns[i]
		}
		if m.Header && m.Above < len(v.Lines) && i < len(v.Lines[m.Above].Cells) {
			column.Title = v.Lines[m.Above].Cells[i]
		}
		column.Samples = v.samples(i, column.Title)
		v.Columns = append(v.Columns, column)
	}
	for i, line := range v.Lines {
		v.Lines[i].Cells = slices.Concat(line.Cells, make([]string, width-len(line.Cells)))
	}
}

// newFields are the kinds of a field that can be made for a column, first the one that its cells look like.
func newFields(r *web.Request, guess domain.FieldType) []templates.Option {
	options := []templates.Option{{Value: domain.NewField + string(guess), Label: r.Viewer.T("imports.new_field_guess", "Type", r.Viewer.T("fields.type_"+string(guess)))}}
	for _, kind := range domain.FieldTypes() {
		if kind != guess {
			options = append(options, templates.Option{Value: domain.NewField + string(kind), Label: r.Viewer.T("imports.new_field", "Type", r.Viewer.T("fields.type_"+string(kind)))})
		}
	}
	return options
}

// mappingOf is what the form says about the columns. For another sheet than before it is what that one seems to have.
func (h *Imports) mappingOf(r *web.Request, list domain.Import) (m domain.ImportMapping, another bool, err error) {
	if sheet, err := strconv.Atoi(r.FormValue("sheet")); err == nil && sheet != list.Mapping.Sheet && sheet >= 0 && sheet < len(list.Sheets) {
		m, err := h.DB.Imports().Guess(r.UserContext(), list, sheet)
		m.Tags, m.ConsentSource, m.ConsentOn = r.FormValue("tags"), r.FormValue("consent_source"), r.FormValue("consent_on")
		return m, true, err
	}
	m = domain.ImportMapping{Columns: []string{}, Tags: r.FormValue("tags"), Sheet: list.Mapping.Sheet, Each: r.FormValue("each") != "",
		ConsentSource: r.FormValue("consent_source"), ConsentOn: r.FormValue("consent_on")}
	for _, column := range r.Context().PostArgs().PeekMulti("columns") {
		if len(m.Columns) < domain.ImportMaxColumns {
			m.Columns = append(m.Columns, string(column))
		}
	}
	if header := r.FormValue("header"); header != "" {
		line, err := strconv.Atoi(header) // "yes" is the first one
		m.Header, m.Above = true, max(0, line-1)
		if err != nil {
			m.Above = 0
		}
	}
	if order := domain.NameOrder(r.FormValue("names")); order == domain.FirstNameFirst || order == domain.LastNameFirst {
		m.Names = order
	}
	if order := domain.ImportDates(r.FormValue("dates")); order == domain.DayFirst || order == domain.MonthFirst {
		m.Dates = order
	}
	return m, false, nil
}

// makeFields makes the fields that columns of the list ask for, and lets the columns mean them.
func (h *Imports) makeFields(r *web.Request, list domain.Import, mapping *domain.ImportMapping) error {
	if len(mapping.NewFields(nil)) == 0 || list.Status != domain.ImportChecked {
		return nil
	}
	ctx := r.UserContext()
	check, err := h.DB.Imports().Check(ctx, list)
	if err != nil {
		return err
	}
	var header []string
	if mapping.Above < len(check.Lines) {
		header = check.Lines[mapping.Above].Cells
	}
	list.Mapping = *mapping
	wanted := mapping.NewFields(header)
	for i := range mapping.Columns {
		form, ok := wanted[i]
		if !ok {
			continue
		}
		if form.Label == "" {
			form.Label = r.Viewer.T("imports.column", "Name", columnName(i+1))
		}
		if form.Type == string(domain.FieldChoice) {
			values, err := h.DB.Imports().Values(ctx, list, i, domain.MaxChoices)
			if err != nil {
				return err
			}
			form.Choices = strings.Join(values, "\n")
		}
		f, err := h.DB.Fields().Create(ctx, list.OwnerID, form)
		if refused, ok := errors.AsType[domain.ValidationErrors](err); ok { // the form has one place for it
			return domain.ValidationErrors{domain.Errorf(domain.Invalid, "columns", refused[0].Key, "Max", cmp.Or[any](refused[0].Args["Max"], domain.MaxFields))}
		}
		if err != nil {
			return err
		}
		mapping.Columns[i] = f.Name()
	}
	return nil
}
