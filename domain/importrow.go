package domain

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ImportRow is a client of a line, read by the mapping. Errors say why it can't be imported.
type ImportRow struct {
	Line       int
	Form       ClientForm
	Names      ClientDetails // the two names, where the list has them apart
	Values     FieldValues
	Suppressed Suppression // what the list says of it
	Errors     ValidationErrors
	fresh      Client // made of the form
}

// formulaMark stands before a formula that its file has no value of, and before the error that is its value.
const formulaMark = "\x1f"

// FormulaCell is the text of a cell whose formula has no value.
func FormulaCell(formula string) string { return formulaMark + formula }

// CellText is what a page shows of a cell.
func CellText(cell string) string { return strings.TrimPrefix(cell, formulaMark) }

// Body are the lines of the import's sheet below its header.
func (i Import) Body(lines iter.Seq2[ImportLine, error]) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		above := 0
		if i.Mapping.Header {
			above = i.Mapping.Above + 1
		}
		for line, err := range lines {
			if err == nil && line.Sheet != i.Mapping.Sheet {
				continue
			}
			if err == nil && above > 0 {
				above--
				continue
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Rows reads the import's lines. A line has as many clients as it names, most often one; the rows of one line are not
// kept from it to the next. A second one with the same address is a bad one.
func (i Import) Rows(lines iter.Seq2[ImportLine, error]) iter.Seq2[[]ImportRow, error] {
	return func(yield func([]ImportRow, error) bool) {
		// The hash of an address is a tenth of its size; two alike among a million are as likely as 3 in 100 million.
		seed, seen := maphash.MakeSeed(), map[uint64]int32{}
		var rows []ImportRow
		for line, err := range i.Body(lines) {
			if err != nil {
				yield(nil, err)
				return
			}
			rows = i.Mapping.rows(rows[:0], line, i.Fields)
			for n := range rows {
				row := &rows[n]
				hash := maphash.String(seed, strings.ToLower(row.Form.Email))
				if before, ok := seen[hash]; ok && len(row.Errors) == 0 {
					row.Errors.Add("email", "imports.row_repeated", "Line", int(before))
				} else if !ok && len(row.Errors) == 0 {
					seen[hash] = int32(line.Line) // at most a million
				}
			}
			if !yield(rows, nil) {
				return
			}
		}
	}
}

// rows adds the clients of a line.
func (m ImportMapping) rows(rows []ImportRow, line ImportLine, fields []Field) []ImportRow {
	cells := m.cells(line, fields)
	found := mailboxes(strings.Join(cells.emails, ","))
	if len(found) == 0 {
		found = []ClientForm{{}}
	}
	if !m.Each || line.Problem != "" {
		found = []ClientForm{firstValid(found)}
	}
	for i, one := range found {
		if slices.ContainsFunc(found[:i], func(before ClientForm) bool { return strings.EqualFold(before.Email, one.Email) }) {
			continue
		}
		rows = append(rows, m.row(line, cells, one, fields))
	}
	return rows
}

// firstValid is the first of the addresses that is one, else the first.
func firstValid(found []ClientForm) ClientForm {
	for _, one := range found {
		var p ValidationErrors
		if checkEmail(&p, "email", NormalEmail(one.Email)); len(p) == 0 {
			return one
		}
	}
	return found[0]
}

// importCells are the texts of a line by their meaning.
type importCells struct {
	emails  []string
	texts   map[string]string
	formula bool // one that counts has no value
}

func (m ImportMapping) cells(line ImportLine, fields []Field) importCells {
	cells := importCells{texts: map[string]string{"tags": m.Tags}}
	for i, field := range m.Columns {
		if i >= len(line.Cells) || field == "" {
			continue
		}
		raw, formula := strings.CutPrefix(line.Cells[i], formulaMark)
		cell := strings.TrimSpace(unguard(raw))
		if formula {
			cells.formula = true
		}
		switch before := cells.texts[field]; {
		case cell == "":
		case field == "email":
			cells.emails = append(cells.emails, cell)
		case field == columnStatus, field == columnSubscribed:
			cells.texts[field] = before + cell + "\n" // each of several counts
		case strings.HasPrefix(field, "field."):
			if before == "" {
				cells.texts[field] = m.value(field, cell, fields)
			}
		case field == "tags":
			cells.texts[field] = join(before, ",", tagsOf(cell))
		case field == "comment":
			cells.texts[field] = join(before, "\n", cell)
		default:
			cells.texts[field] = join(before, " ", cell)
		}
	}
	return cells
}

func join(before, by, text string) string {
	if before == "" {
		return text
	}
	return before + by + text
}

// value is the text for a field, a date in an order that says itself.
func (m ImportMapping) value(name, cell string, fields []Field) string {
	if m.Dates != "" && slices.ContainsFunc(fields, func(f Field) bool { return f.Type == FieldDate && f.Name() == name }) {
		return m.Dates.date(cell)
	}
	return cell
}

// tagsOf are the tags in a cell, with commas between them, without the quotation marks around each, and without the
// groups that Google makes for everybody.
func tagsOf(cell string) string {
	cell = strings.ReplaceAll(cell, " ::: ", "\n")
	if !strings.Contains(cell, ",") {
		cell = strings.NewReplacer(";", ",", "|", ",").Replace(cell)
	}
	tags := strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == '\n' })
	for i, tag := range tags {
		if tag = strings.TrimSpace(tag); len(tag) > 1 && strings.ContainsAny(tag[:1], "\"'«“") {
			tag = strings.Trim(tag, "\"'«»“”")
		}
		if strings.HasPrefix(tag, "* ") {
			tag = ""
		}
		tags[i] = tag
	}
	return strings.Join(tags, ",")
}

// row is one client of the line.
func (m ImportMapping) row(line ImportLine, cells importCells, mailbox ClientForm, fields []Field) ImportRow {
	texts := cells.texts
	row := ImportRow{Line: line.Line, Form: ClientForm{NormalEmail(mailbox.Email), texts["full_name"], texts["comment"], texts["tags"]}}
	row.Names = ClientDetails{Named: texts["first_name"]+texts["last_name"] != "", FirstName: texts["first_name"], LastName: texts["last_name"]}
	if row.Form.FullName == "" {
		row.Form.FullName = strings.Join(strings.Fields(row.Names.FirstName+" "+texts["middle_name"]+" "+row.Names.LastName), " ")
	}
	if row.Form.FullName == "" {
		row.Form.FullName = mailbox.FullName
	}
	if m.Names != "" && !row.Names.Named {
		first, last := m.Names.split(row.Form.FullName)
		row.Names = ClientDetails{Named: first+last != "", FirstName: first, LastName: last}
	}
	if cells.formula {
		row.Errors.Add("", "imports.row_formula")
		return row
	}
	if line.Problem != "" {
		row.Errors.Add("", line.Problem)
		return row
	}
	if err := row.fresh.Apply(row.Form, row.Names, nil); err != nil {
		row.Errors, _ = errors.AsType[ValidationErrors](err)
	}
	row.read(texts, fields)
	row.readStatus(texts)
	return row
}

// readStatus takes the worst of what the list says.
func (r *ImportRow) readStatus(texts map[string]string) {
	var worst Client
	for _, column := range []string{columnStatus, columnSubscribed} {
		for cell := range strings.SplitSeq(texts[column], "\n") {
			reason, known := readStatus(cell, column)
			switch {
			case !known:
				r.Errors.Add("", "imports.row_status", "Value", cell)
			case reason == unconfirmed:
				r.Errors.Add("", "imports.row_unconfirmed", "Value", cell)
			default:
				worst.suppress(reason)
			}
		}
	}
	r.Suppressed = worst.SuppressedReason
}

// read takes the values of fields.
func (r *ImportRow) read(cells map[string]string, fields []Field) {
	for _, f := range fields {
		value, err := f.Parse(cells[f.Name()])
		switch {
		case err != nil:
			r.Errors = append(r.Errors, err)
		case value != nil && r.Values == nil:
			r.Values = FieldValues{f.ID: value}
		case value != nil:
			r.Values[f.ID] = value
		}
	}
}

// Value is the text at fault, at most 200 characters.
func (r ImportRow) Value() string {
	value := r.Form.Email
	if len(r.Errors) > 0 && value == "" {
		value = strings.Join(strings.Fields(r.Form.FullName+" "+r.Form.Comment+" "+r.Form.Tags), " ")
	}
	value = strings.ReplaceAll(strings.ToValidUTF8(value, "�"), "\x00", "�")
	if utf8.RuneCountInString(value) > 200 {
		value = string([]rune(value)[:199]) + "…"
	}
	return value
}

// Merge applies the row to a client the owner has: empty cells change nothing, tags are
// added. changed is false when nothing differs.
func (c *Client) Merge(row ImportRow) (changed bool, err error) {
	before, form := *c, row.Form
	form.Email = c.Email
	if form.FullName == "" {
		form.FullName = c.FullName
	}
	if form.Comment == "" {
		form.Comment = c.Comment
	}
	form.Tags = strings.Join(c.Tags, ",") + "," + form.Tags
	err = c.Apply(form, row.Names, nil)
	c.fill(row.Values)
	changed = c.suppress(row.Suppressed) || c.FullName != before.FullName || c.Comment != before.Comment || !slices.Equal(c.Tags, before.Tags) ||
		c.FirstName != before.FirstName || c.LastName != before.LastName || !maps.Equal(c.Fields, before.Fields)
	return changed, err
}

// fill sets values of fields.
func (c *Client) fill(values FieldValues) {
	if len(values) > 0 {
		c.Fields = maps.Clone(c.Fields)
		if c.Fields == nil {
			c.Fields = FieldValues{}
		}
		maps.Copy(c.Fields, values)
	}
}

// ImportProblem is a skipped line.
type ImportProblem struct {
	ImportID int64
	Line     int
	Value    string
	Reason   string // Errors as JSON
}

// Problem is the row's errors as keys, independent of language.
func (r ImportRow) Problem(importID int64) ImportProblem {
	reason, _ := json.Marshal(r.Errors) // strings and numbers only
	return ImportProblem{importID, r.Line, r.Value(), string(reason)}
}

// Errors are what Reason holds.
func (p ImportProblem) Errors() (list ValidationErrors) {
	_ = json.Unmarshal([]byte(p.Reason), &list)
	return list
}

// ImportVerdict says what importing a row does to the owner's clients.
type ImportVerdict string

// The verdicts; each has a locale key `imports.rows_<word>`.
const (
	ImportNew     ImportVerdict = "new"
	ImportChanged ImportVerdict = "changed"
	ImportSame    ImportVerdict = "same"
	ImportBad     ImportVerdict = "bad"
)

// Judge makes the client to save from the row; known is the owner's client with the address,
// nil when there is none.
func (r *ImportRow) Judge(known *Client) (c Client, verdict ImportVerdict) {
	if len(r.Errors) > 0 {
		return c, ImportBad
	}
	if known == nil {
		c = r.fresh
		c.fill(r.Values)
		c.suppress(r.Suppressed)
		return c, ImportNew
	}
	c = *known
	changed, err := c.Merge(*r)
	switch {
	case err != nil:
		r.Errors, _ = errors.AsType[ValidationErrors](err)
		return c, ImportBad
	case changed:
		return c, ImportChanged
	}
	return c, ImportSame
}

// ImportCheck is the preview of an import, with the first rows of each kind.
type ImportCheck struct {
	Lines  []ImportLine // the first of the sheet
	Types  []FieldType  // what fields made of its columns would be
	Dates  bool         // some are like 05/01/2026
	Counts map[ImportVerdict]int
	Rows   int  // that were looked at
	Part   bool // there are more
	Bad    []ImportRow
	Good   []ImportSample
}

// ImportSample is a row of the preview.
type ImportSample struct {
	Line    int
	Client  Client
	Verdict ImportVerdict
}

// checkedLines is how many lines the page shows below the header.
const checkedLines = 5

// Look keeps the first lines of the sheet, and what fields its columns could be.
func (c *ImportCheck) Look(first []ImportLine, m ImportMapping) {
	body := first
	if m.Header {
		body = first[min(len(first), m.Above+1):]
	}
	c.Lines = first[:min(len(first), len(first)-len(body)+checkedLines)]
	c.Dates = HasSlashDates(body)
	width := 0
	for _, line := range first {
		width = max(width, len(line.Cells))
	}
	for i := range width {
		c.Types = append(c.Types, GuessFieldType(columnOf(body, i).cells, m.Dates))
	}
}

// Add counts a judged row and keeps it while there is room for a sample.
func (c *ImportCheck) Add(row ImportRow, client Client, verdict ImportVerdict) {
	if c.Counts == nil {
		c.Counts = map[ImportVerdict]int{}
	}
	c.Counts[verdict]++
	c.Rows++
	if verdict == ImportBad && len(c.Bad) < 100 {
		c.Bad = append(c.Bad, row)
	} else if verdict != ImportBad && len(c.Good) < 10 {
		c.Good = append(c.Good, ImportSample{row.Line, client, verdict})
	}
}

// ClientState is what an import can change in a client that was there.
type ClientState struct {
	FullName, FirstName, LastName, Comment string
	Tags                                   []string
	Fields                                 FieldValues
}

// State is what the client has of it.
func (c Client) State() ClientState {
	return ClientState{c.FullName, c.FirstName, c.LastName, c.Comment, c.Tags, c.Fields}
}

// ImportChange is what an import did to a client that was there.
type ImportChange struct{ Before, After ClientState }

// Restore takes a change back, but for what somebody has changed since.
func (c *Client) Restore(change ImportChange) {
	before, after := change.Before, change.After
	if c.FullName == after.FullName && c.FirstName == after.FirstName && c.LastName == after.LastName {
		c.FullName, c.FirstName, c.LastName = before.FullName, before.FirstName, before.LastName
	}
	if c.Comment == after.Comment {
		c.Comment = before.Comment
	}
	has := func(tags []string, tag string) bool {
		return slices.ContainsFunc(tags, func(one string) bool { return strings.EqualFold(one, tag) })
	}
	c.Tags = slices.DeleteFunc(slices.Clone(c.Tags), func(tag string) bool { return has(after.Tags, tag) && !has(before.Tags, tag) })
	c.Fields = maps.Clone(c.Fields)
	for id, value := range after.Fields {
		switch was, had := before.Fields[id]; {
		case c.Fields[id] != value:
		case had:
			c.Fields[id] = was
		default:
			delete(c.Fields, id)
		}
	}
}
