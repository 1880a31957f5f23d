package series

import "time"

// MoveKind says what a move does.
type MoveKind string

// The moves.
const (
	MoveOnward MoveKind = "onward" // who waits for the step goes on to another one
	MoveAnew   MoveKind = "anew"   // who waits for the step waits anew
	MoveSent   MoveKind = "sent"   // who has passed the place of the step gets it
	MoveLeft   MoveKind = "left"   // who has passed the place of the step never gets it
)

// Move is what becomes of many clients of a series at once. Those of a large one are moved in parts; nothing of the series
// is planned meanwhile.
type Move struct {
	ID       int64 `bun:",pk,autoincrement"`
	SeriesID int64
	Kind     MoveKind
	StepID   int64
	OnwardID int64     // of MoveOnward; 0: the end
	At       time.Time // of MoveSent: since when they wait
	AfterID  int64     // clients up to this one are done
	Done     int64
	Total    int64
}

// Moves are what the edit does to those under way.
func (e Edit) Moves(now time.Time) (moves []Move) {
	for from, to := range e.Goes {
		moves = append(moves, Move{Kind: MoveOnward, StepID: from, OnwardID: to, At: now})
	}
	for _, step := range e.Anew {
		moves = append(moves, Move{Kind: MoveAnew, StepID: step, At: now})
	}
	return moves
}
