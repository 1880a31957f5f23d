// Package domain has the nouns of SkyChimp and their rules, with no
// database, network or clock. The time and the acting user are always arguments.
package domain

import (
	"errors"
	"slices"
	"strings"
)

// Kind classifies an Error; handlers/web/errors.go maps it to a status.
type Kind int

// The kinds of errors.
const (
	Invalid         Kind = iota + 1 // 422: the input breaks a rule
	NotFound                        // 404: no such object, or somebody else's
	Forbidden                       // 403: the role does not allow it
	Unauthenticated                 // 401/303: not signed in
	Blocked                         // 403: the account is blocked
	Conflict                        // 409: the object's state does not allow it
	TooMany                         // 429
	Unavailable                     // 503: the database or queue cannot be reached
	Busy                            // 503: too much waits already
)

// Error is an error that a visitor may read. Key is a locale key (`clients.email_taken`),
// Field the form field at fault (empty: the whole form), Args the key's placeholders.
type Error struct {
	Kind  Kind
	Key   string
	Field string
	Args  map[string]any
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Key
	}
	return e.Field + ": " + e.Key
}

// ValidationErrors are all errors of one form, in the order of its fields.
type ValidationErrors []*Error

func (p ValidationErrors) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Add adds an error of a field. Args come in pairs: name, value.
func (p *ValidationErrors) Add(field, key string, args ...any) {
	*p = append(*p, Errorf(Invalid, field, key, args...))
}

// Err is p as an error, nil when it is empty.
func (p ValidationErrors) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Join adds the broken rules in more to those in err; an err without any stays as it is.
func Join(err, more error) error {
	broken, ok := errors.AsType[ValidationErrors](err)
	if !ok {
		return err
	}
	others, _ := errors.AsType[ValidationErrors](more)
	return slices.Concat(broken, others)
}

// Errorf makes an Error. Args come in pairs: name, value.
func Errorf(kind Kind, field, key string, args ...any) *Error {
	e := &Error{Kind: kind, Key: key, Field: field}
	for i := 0; i+1 < len(args); i += 2 {
		if e.Args == nil {
			e.Args = map[string]any{}
		}
		e.Args[args[i].(string)] = args[i+1]
	}
	return e
}

// KindOf is the kind of the Error inside err, 0 when there is none.
func KindOf(err error) Kind {
	if one, ok := errors.AsType[*Error](err); ok {
		return one.Kind
	}
	if _, ok := errors.AsType[ValidationErrors](err); ok {
		return Invalid
	}
	return 0
}
