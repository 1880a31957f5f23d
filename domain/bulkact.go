package domain

import (
	"slices"
	"time"
)

// BulkDo is what is done to many clients at once.
type BulkDo string

// The acts of the contract.
const (
	BulkTag      BulkDo = "tag"
	BulkUntag    BulkDo = "untag"
	BulkDelete   BulkDo = "delete"
	BulkSuppress BulkDo = "suppress"
	BulkSeries   BulkDo = "series"
)

// BulkDos are all of them.
func BulkDos() []BulkDo { return []BulkDo{BulkTag, BulkUntag, BulkSeries, BulkSuppress, BulkDelete} }

// BulkStatus is the state of an act.
type BulkStatus string

// The states of an act.
const (
	BulkRunning BulkStatus = "running"
	BulkDone    BulkStatus = "done"
	BulkUndoing BulkStatus = "undoing"
	BulkUndone  BulkStatus = "undone"
)

// The limits of acts on many clients.
const (
	BulkAtOnce = 10_000         // more are left to the queue
	BulkKept   = 24 * time.Hour // so long it can be undone
	maxBulkIDs = 10_000         // that a form names
)

// BulkAct is what an owner does to many clients at once: to those that are named, or to all that a filter shows.
type BulkAct struct {
	ID        int64 `bun:",pk,autoincrement"`
	OwnerID   int64
	Act       BulkDo
	Tags      []string   `bun:",array"`
	ClientIDs []int64    `bun:"client_ids,array"`
	SeriesID  int64      `bun:",nullzero"` // of BulkSeries
	Filter    BulkFilter `bun:"type:jsonb"`
	Total     int64      // as it was asked for
	Done      int64      // looked at
	Changed   int64      // of those
	Status    BulkStatus
	CursorAt  time.Time `bun:",nullzero"`
	CursorID  int64
	Newest    int64     // the highest number of a client when it was asked for
	CreatedAt time.Time `bun:",nullzero,default:now()"`
}

// BulkFilter is what the list of clients showed. Selection is its segment as it was then.
type BulkFilter struct {
	Query     string     `json:",omitempty"`
	Tag       string     `json:",omitempty"`
	Selection *Selection `json:",omitempty"`
}

// BulkForm is the form of an act.
type BulkForm struct {
	Do, Tags string
	Series   int64
	IDs      []int64
	All      bool // that the filter shows
}

// NewBulkAct makes an act of the form; its filter is still to be set.
func NewBulkAct(owner int64, form BulkForm) (BulkAct, error) {
	var p ValidationErrors
	b := BulkAct{OwnerID: owner, Act: BulkDo(form.Do), Tags: []string{}, Status: BulkRunning}
	if !slices.Contains(BulkDos(), b.Act) {
		p.Add("do", "clients.bulk_do_unknown")
	}
	if b.Act == BulkTag || b.Act == BulkUntag {
		if b.Tags = ParseTags(form.Tags); len(b.Tags) == 0 {
			p.Add("tags", "clients.bulk_tags_required")
		}
		checkTags(&p, b.Tags)
	}
	if b.Act == BulkSeries {
		if b.SeriesID = form.Series; b.SeriesID == 0 {
			p.Add("series", "series.choose_series")
		}
	}
	if !form.All {
		b.ClientIDs = slices.Compact(slices.Sorted(slices.Values(form.IDs)))
		if len(b.ClientIDs) == 0 {
			p.Add("", "clients.bulk_nobody")
		} else if len(b.ClientIDs) > maxBulkIDs {
			p.Add("", "clients.bulk_many", "Max", maxBulkIDs)
		}
	}
	return b, p.Err()
}

// Undo begins to take the act back.
func (b *BulkAct) Undo(now time.Time) error {
	switch {
	case b.Status == BulkRunning:
		return Errorf(Conflict, "", "clients.bulk_running")
	case b.Status != BulkDone:
		return Errorf(Conflict, "", "clients.bulk_undone_already")
	case now.Sub(b.CreatedAt) > BulkKept:
		return Errorf(Conflict, "", "clients.bulk_late")
	}
	b.Status, b.Done = BulkUndoing, 0
	return nil
}

// Working reports whether it goes on.
func (b BulkAct) Working() bool { return b.Status == BulkRunning || b.Status == BulkUndoing }
