package domain

import (
	"slices"
	"strings"
	"time"
)

// The limits of an uploaded list.
const (
	ImportMaxBytes   = 60 << 20
	ImportMaxRows    = 1_000_000
	ImportMaxColumns = 1000
)

// ImportKeptFor is how long is kept what an import did: till then it can be undone.
const ImportKeptFor = 30 * 24 * time.Hour

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
	Mapping   ImportMapping `bun:"type:jsonb"`
	Status    ImportStatus
	Sheets    []ImportSheet `bun:"type:jsonb,nullzero,default:'[]'"` // of a workbook
	Total     int           // lines to import; until the start including the header row
	Done      int           // lines done, from the first
	Created   int
	Updated   int
	Same      int
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
	ImportUndoing ImportStatus = "undoing"
	ImportUndone  ImportStatus = "undone"
	ImportFailed  ImportStatus = "failed"
)

// ImportSheet is a sheet of a workbook, with the number of its lines.
type ImportSheet struct {
	Name  string
	Total int
}

// Take puts what a list has into a new import, whose sheets have these names.
func (i *Import) Take(packed PackedImport, names []string, fields []Field) {
	i.Total, i.Sheets = packed.Total, nil
	for n, sheet := range packed.Sheets {
		if n < len(names) {
			sheet.Name = names[n]
		}
		i.Sheets = append(i.Sheets, sheet)
	}
	if i.Mapping.Columns == nil {
		sheet := GuessSheet(packed.First)
		i.Mapping = GuessMapping(packed.First[sheet], fields)
		i.Mapping.Sheet = sheet
	}
	i.Total = i.Sheets[i.Mapping.Sheet].Total
}

// Going reports whether the import is queued or running.
func (i Import) Going() bool { return i.Status == ImportQueued || i.Status == ImportRunning }

// Map applies a mapping of the columns.
func (i *Import) Map(mapping ImportMapping) error {
	if i.Status != ImportChecked {
		return Errorf(Conflict, "", "imports.started")
	}
	i.Mapping = mapping
	if mapping.Sheet >= 0 && mapping.Sheet < len(i.Sheets) {
		i.Total = i.Sheets[mapping.Sheet].Total
	}
	err := mapping.Check()
	if !mapping.Consent().Given() {
		return err
	}
	_, _, wrong := mapping.Consent().Read(i.CreatedAt)
	if err == nil {
		return wrong
	}
	return Join(err, wrong)
}

// Start queues the import with this mapping.
func (i *Import) Start(mapping ImportMapping) error {
	if err := i.Map(mapping); err != nil {
		return err
	}
	if i.Status = ImportQueued; mapping.Header {
		i.Total = max(0, i.Total-mapping.Above-1)
	}
	return nil
}

// Undoable reports whether what the import did can be taken back.
func (i Import) Undoable(now time.Time) bool {
	return (i.Status == ImportDone || i.Status == ImportFailed) && now.Before(i.CreatedAt.Add(ImportKeptFor))
}

// Undo begins to take the import back; the caller deletes the clients it created, and restores those it changed.
func (i *Import) Undo(now time.Time) error {
	switch {
	case i.Status != ImportDone && i.Status != ImportFailed:
		return Errorf(Conflict, "", "imports.not_done")
	case !i.Undoable(now):
		return Errorf(Conflict, "", "imports.too_old")
	}
	i.Status = ImportUndoing
	return nil
}

// ImportMapping says what the columns mean: each is one of ImportFields, the name of an owner's field ("field.city"), or
// "" to skip it. Columns of the same meaning are joined, of a field the first filled one counts. Tags are given to every client of the list.
type ImportMapping struct {
	Columns []string
	Header  bool // a line names the columns
	Above   int  `json:",omitempty"` // lines above that one, which are titles
	Tags    string
	Sheet   int         `json:",omitempty"` // of a workbook, from 0
	Each    bool        `json:",omitempty"` // a line makes a client of each of its addresses, not of the first alone
	Names   NameOrder   `json:",omitempty"`
	Dates   ImportDates `json:",omitempty"`

	ConsentSource string `json:",omitempty"` // how the clients of the list have agreed, in the owner's words
	ConsentOn     string `json:",omitempty"` // and on which day
}

// Consent is what the owner says of all clients that the list brings.
func (m ImportMapping) Consent() ConsentInput { return ConsentInput{m.ConsentSource, m.ConsentOn} }

// ImportDates say what dates like 05/01/2026 are.
type ImportDates string

// The two orders of dates; without one such a date is refused.
const (
	DayFirst   ImportDates = "day_first"
	MonthFirst ImportDates = "month_first"
)

// What a column can mean that says who gets no emails: by words, yes for who gets none, and yes for who does.
const (
	columnStatus     = "status"
	columnSubscribed = "subscribed"
)

// ImportFields are the meanings a column can have beside the owner's fields: the form fields of a client, the middle
// name, which is a part of the full one alone, and who gets no emails.
func ImportFields() []string {
	return []string{"email", "full_name", "first_name", "middle_name", "last_name", "comment", "tags", columnStatus, columnSubscribed}
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
	emails := false
	for _, column := range m.Columns {
		if column == "email" {
			emails = true
		} else if column != "" && !slices.Contains(ImportFields(), column) && !strings.HasPrefix(column, "field.") {
			p.Add("columns", "imports.column_unknown")
		}
	}
	if !emails {
		p.Add("columns", "imports.email_column")
	}
	checkTags(&p, ParseTags(m.Tags))
	return p.Err()
}

// Emails is how many columns have addresses.
func (m ImportMapping) Emails() (n int) {
	for _, column := range m.Columns {
		if column == "email" {
			n++
		}
	}
	return n
}
