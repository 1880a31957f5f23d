// Package statement names the statements of the sending path. The name goes to Postgres with the
// statement, so that a test arms a fault on the name and not on a piece of SQL, and Postgres's own
// views say what is going on.
package statement

import "strings"

// Name of a statement. It stands before the SQL as a comment: /* outbox.fetch */ WITH ...
type Name string

// The named statements, in the order of a run's life.
const (
	Advance  Name = "outbox.advance"  // the mailing moves to its next time, in the transaction that plans a run
	Place    Name = "outbox.place"    // who has come into a series is given the time of its first step
	Step     Name = "outbox.step"     // a step's deliveries are made, and their clients move on
	PlanPart Name = "outbox.planpart" // the run whose next part is planned is locked
	Choose   Name = "outbox.choose"   // a test is decided, in the transaction that lets the rest go
	Fetch    Name = "outbox.fetch"    // an instance takes batches of a run
	Record   Name = "outbox.record"   // attempts become durable
	Complete Name = "outbox.complete" // deliveries and batches learn what became of their emails
	Close    Name = "outbox.close"    // the last statement of the transaction that closes a run
)

// All are the names, in that order.
func All() []Name {
	return []Name{Advance, Place, Step, PlanPart, Choose, Fetch, Record, Complete, Close}
}

const before, after = "/* ", " */ "

// SQL is the statement with its name. Of bun's queries, Comment(string(name)) makes the same.
func (n Name) SQL(text string) string { return before + string(n) + after + text }

// Of is the name of a statement, empty when it has none.
func Of(sql string) Name {
	rest, commented := strings.CutPrefix(sql, before)
	name, _, ended := strings.Cut(rest, after)
	if !commented || !ended {
		return ""
	}
	return Name(name)
}
