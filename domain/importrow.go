package domain

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ImportRow is a line read by the mapping. Errors say why it can't be imported.
type ImportRow struct {
	Line   int
	Form   ClientForm
	Names  ClientDetails // the two names, where the list has them apart
	Values FieldValues
	Errors ValidationErrors
}

// Rows reads the import's lines. A second line with the same address is a bad one.
func (i Import) Rows() iter.Seq2[ImportRow, error] {
	return func(yield func(ImportRow, error) bool) {
		seen, header := map[string]int{}, i.Mapping.Header
		for line, err := range UnpackImport(i.Content) {
			if err != nil {
				yield(ImportRow{}, err)
				return
			}
			if header {
				header = false
				continue
			}
			row := i.Mapping.row(line, i.Fields)
			email := strings.ToLower(row.Form.Email)
			if before, ok := seen[email]; ok && len(row.Errors) == 0 {
				row.Errors.Add("email", "imports.row_repeated", "Line", before)
			} else if !ok && len(row.Errors) == 0 {
				seen[strings.Clone(email)] = line.Line // not the whole line's memory
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (m ImportMapping) row(line ImportLine, fields []Field) ImportRow {
	joints := map[string]string{"full_name": " ", "comment": "\n", "tags": ","}
	cells := map[string]string{"tags": m.Tags}
	for i, field := range m.Columns {
		if i >= len(line.Cells) || field == "" {
			continue
		}
		cell := strings.TrimSpace(unguard(line.Cells[i]))
		if field == "tags" && !strings.Contains(cell, ",") {
			cell = strings.NewReplacer(";", ",", "|", ",", "\n", ",").Replace(cell)
		}
		if strings.HasPrefix(field, "field.") && cells[field] != "" {
			continue
		}
		if cells[field] != "" && cell != "" {
			cells[field] += joints[field]
		}
		cells[field] += cell
	}
	row := ImportRow{Line: line.Line, Form: ClientForm{NormalEmail(cells["email"]), cells["full_name"], cells["comment"], cells["tags"]}}
	row.Names = ClientDetails{Named: cells["first_name"]+cells["last_name"] != "", FirstName: cells["first_name"], LastName: cells["last_name"]}
	if row.Form.FullName == "" {
		row.Form.FullName = strings.TrimSpace(row.Names.FirstName + " " + row.Names.LastName)
	}
	if line.Problem != "" {
		row.Errors.Add("", line.Problem)
		return row
	}
	if err := new(Client).Apply(row.Form, row.Names, nil); err != nil {
		row.Errors, _ = errors.AsType[ValidationErrors](err)
	}
	row.read(cells, fields)
	return row
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
	changed = c.FullName != before.FullName || c.Comment != before.Comment || !slices.Equal(c.Tags, before.Tags) ||
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
		_ = c.Apply(r.Form, r.Names, nil) // was checked when the row was read
		c.fill(r.Values)
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
	Lines  []ImportLine // the first of the file
	Counts map[ImportVerdict]int
	Bad    []ImportRow
	Good   []ImportSample
}

// ImportSample is a row of the preview.
type ImportSample struct {
	Line    int
	Client  Client
	Verdict ImportVerdict
}

// Add counts a judged row and keeps it while there is room for a sample.
func (c *ImportCheck) Add(row ImportRow, client Client, verdict ImportVerdict) {
	if c.Counts == nil {
		c.Counts = map[ImportVerdict]int{}
	}
	c.Counts[verdict]++
	if verdict == ImportBad && len(c.Bad) < 100 {
		c.Bad = append(c.Bad, row)
	} else if verdict != ImportBad && len(c.Good) < 10 {
		c.Good = append(c.Good, ImportSample{row.Line, client, verdict})
	}
}
