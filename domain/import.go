package domain

import (
	"slices"
	"strings"
	"time"
)

// The limits of an uploaded list.
const (
	ImportMaxBytes   = 20 << 20
	ImportMaxRows    = 200_000
	ImportMaxColumns = 50
)

// What an owner may leave that was never started; older lists make room for new ones.
const (
	ImportsUnstarted      = 5
	ImportsUnstartedBytes = 50 << 20
	ImportsUnstartedFor   = 24 * time.Hour
)

// Import is an uploaded list of clients.
type Import struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	FileName  string
	Content   []byte        // the lines as PackImport wrote them, empty when they are no longer needed
	Mapping   ImportMapping `bun:"type:jsonb"`
	Status    ImportStatus
	Total     int // lines to import; until the start including the header row
	Done      int // lines done, from the first
	Created   int
	Updated   int
	Bad       int
	Fields    []Field   `bun:"-"` // the owner's
	CreatedAt time.Time `bun:",nullzero,default:now()"`
	EndedAt   time.Time `bun:",nullzero"`
}

// ImportStatus is the state of an import.
type ImportStatus string

// The statuses of an import. A checked one waits for its owner to start it.
const (
	ImportChecked ImportStatus = "checked"
	ImportQueued  ImportStatus = "queued"
	ImportRunning ImportStatus = "running"
	ImportDone    ImportStatus = "done"
	ImportUndone  ImportStatus = "undone"
	ImportFailed  ImportStatus = "failed"
)

// Going reports whether the import is queued or running.
func (i Import) Going() bool { return i.Status == ImportQueued || i.Status == ImportRunning }

// Map applies a mapping of the columns.
func (i *Import) Map(mapping ImportMapping) error {
	if i.Status != ImportChecked {
		return Errorf(Conflict, "", "imports.started")
	}
	i.Mapping = mapping
	return mapping.Check()
}

// Start queues the import with this mapping.
func (i *Import) Start(mapping ImportMapping) error {
	if err := i.Map(mapping); err != nil {
		return err
	}
	if i.Status = ImportQueued; mapping.Header {
		i.Total--
	}
	return nil
}

// Unchanged is the number of clients that needed no change.
func (i Import) Unchanged() int { return i.Done - i.Created - i.Updated - i.Bad }

// Undo marks the import as undone; the caller deletes the clients it created.
func (i *Import) Undo() error {
	if i.Status != ImportDone && i.Status != ImportFailed {
		return Errorf(Conflict, "", "imports.not_done")
	}
	i.Status = ImportUndone
	return nil
}

// ImportMapping says what the columns mean: each is one of ImportFields, the name of an owner's field ("field.city"), or
// "" to skip it. Columns of the same meaning are joined, of a field the first filled one counts. Tags are given to every client of the list.
type ImportMapping struct {
	Columns []string
	Header  bool // the first line names the columns
	Tags    string
}

// ImportFields are the meanings a column can have beside the owner's fields: the form fields of a client.
func ImportFields() []string {
	return []string{"email", "full_name", "first_name", "last_name", "comment", "tags"}
}

// NewField begins the meaning of a column that a field is to be made for; the type follows.
const NewField = "new."

// NewFields are the columns that fields are to be made for, with their forms; header are the names of the columns.
func (m ImportMapping) NewFields(header []string) map[int]FieldForm {
	forms := map[int]FieldForm{}
	for i, column := range m.Columns {
		kind, wanted := strings.CutPrefix(column, NewField)
		if !wanted {
			continue
		}
		label := ""
		if m.Header && i < len(header) {
			label = strings.TrimSpace(header[i])
		}
		if runes := []rune(label); len(runes) > maxFieldLabel {
			label = string(runes[:maxFieldLabel])
		}
		forms[i] = FieldForm{Label: label, Type: kind}
	}
	return forms
}

// Check returns an error for a mapping without a column of addresses.
func (m ImportMapping) Check() error {
	var p ValidationErrors
	emails := 0
	for _, column := range m.Columns {
		if column == "email" {
			emails++
		} else if column != "" && !slices.Contains(ImportFields(), column) && !strings.HasPrefix(column, "field.") {
			p.Add("columns", "imports.column_unknown")
		}
	}
	if emails != 1 {
		p.Add("columns", "imports.email_column")
	}
	checkTags(&p, ParseTags(m.Tags))
	return p.Err()
}

// GuessMapping reads column names in English or Russian, and looks for the
// column of addresses. lines are the first of the file, fields the owner's. A column that is named as an export names
// it, or as a field is called, is that.
func GuessMapping(lines []ImportLine, fields []Field) ImportMapping {
	m := ImportMapping{Columns: []string{}}
	if len(lines) == 0 {
		return m
	}
	first := lines[0].Cells
	m.Header = !slices.ContainsFunc(first, hasAddress)
	for _, line := range lines {
		for len(m.Columns) < min(len(line.Cells), ImportMaxColumns) {
			m.Columns = append(m.Columns, "")
		}
	}
	if m.Header {
		m.guessByNames(first, fields)
	}
	for _, line := range lines {
		at := slices.IndexFunc(line.Cells, hasAddress)
		if at >= 0 && at < len(m.Columns) && !slices.Contains(m.Columns, "email") {
			m.Columns[at] = "email"
		}
	}
	return m
}

// guessByNames reads the names of the columns.
func (m *ImportMapping) guessByNames(first []string, fields []Field) {
	words := map[string][]string{
		"email":     {"mail", "почт", "емейл", "имейл"},
		"tags":      {"tag", "label", "group", "segment", "тег", "тэг", "метк", "групп", "сегмент", "категор"},
		"comment":   {"comment", "note", "remark", "descr", "коммент", "примеч", "замет", "описан"},
		"full_name": {"name", "contact", "имя", "фио", "ф.и.о", "фамил", "отчество", "контакт", "клиент"},
	}
	for i := range min(len(first), ImportMaxColumns) {
		name := strings.ToLower(strings.TrimSpace(first[i]))
		if m.Columns[i] = namedExactly(name, m.Columns, fields); m.Columns[i] != "" {
			continue
		}
		for _, field := range []string{"email", "tags", "comment", "full_name"} {
			taken := field == "email" && slices.Contains(m.Columns, field)
			if m.Columns[i] == "" && !taken && slices.ContainsFunc(words[field], func(w string) bool { return strings.Contains(name, w) }) {
				m.Columns[i] = field
			}
		}
	}
}

// namedExactly is the meaning of a column by its whole name, "" where that says nothing.
func namedExactly(name string, taken []string, fields []Field) string {
	for _, field := range ImportFields() {
		if name == field && !slices.Contains(taken, field) {
			return field
		}
	}
	for _, f := range fields {
		if (name == f.Key || name == strings.ToLower(f.Label)) && !slices.Contains(taken, f.Name()) {
			return f.Name()
		}
	}
	return ""
}

func hasAddress(cell string) bool { return strings.Contains(cell, "@") }
