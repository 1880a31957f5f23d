package domain

import "time"

// What is kept of forms, and how long.
const (
	KeptFormLife  = time.Hour
	KeptFormsMost = 5         // of a user
	KeptFormSize  = 256 << 10 // bytes of its fields
	FormKeyLife   = 24 * time.Hour

	FormDraftLife  = 30 * 24 * time.Hour
	FormDraftsMost = 20 // of a user
)

// KeptForm is what somebody typed into a form and sent after the session had ended, or has not sent yet.
type KeptForm struct {
	TokenHash []byte // nil: not sent yet
	UserID    int64  // whose browser it was
	Page      string
	Fields    string // as application/x-www-form-urlencoded
	KeptAt    time.Time
}

// FormAnswer is where a form led that made something, and what was said of it.
type FormAnswer struct{ Path, Said string }
