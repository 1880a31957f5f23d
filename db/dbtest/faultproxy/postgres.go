package faultproxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"skychimp/db/statement"
)

// Statement is one that the program has executed.
type Statement struct {
	SQL string
	// Transaction are the statements that came before it in its transaction, begin first; none
	// for a statement that is a transaction by itself.
	Transaction []string
}

// Name is the name under which the program sent the statement, if any.
func (s Statement) Name() statement.Name { return statement.Of(s.SQL) }

// Within tells whether the statement's transaction has the one of this name.
func (s Statement) Within(name statement.Name) bool {
	return slices.ContainsFunc(s.Transaction, func(sql string) bool { return statement.Of(sql) == name })
}

// Moment is when Watch tells of a statement.
type Moment string

// The moments of a statement.
const (
	Before   Moment = "before"   // the server has not got it
	Passed   Moment = "passed"   // the server has it, the program has no answer
	Answered Moment = "answered" // it is done, and the program has no answer yet
)

// Action is what becomes of a statement.
type Action bool

// Pass lets the statement or its answer pass, Drop ends its connection instead.
const (
	Pass Action = false
	Drop Action = true
)

// conversation is what one connection's client has said. Only the client's way uses it.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
type conversation struct {
	prepared, portals map[string]string
	transaction       []string
	batch             []Statement // executed since the last answer was asked for
}

const cancelRequest = 80877102

// statements passes the client's messages on.
func (l *link) statements(p *pipe) {
	l.prepared, l.portals = map[string]string{}, map[string]string{}
	if head, err := p.in.Peek(8); err != nil || binary.BigEndian.Uint32(head[4:]) == cancelRequest {
		l.copy(p)
		return
	}
	if _, err := p.message(false); err != nil { // the greeting has no type
		return
	}
	for {
		m, err := p.message(true)
		if err != nil || !l.understand(p, m) {
			return
		}
	}
}

// message reads one, flushing what was written before if it has to wait. It is passed on by the
// caller, but the greeting is at once.
func (p *pipe) message(typed bool) ([]byte, error) {
	if p.in.Buffered() == 0 && p.out.Flush() != nil {
		return nil, io.ErrClosedPipe
	}
	head := 4
	if typed {
		head = 5
	}
	length, err := p.in.Peek(head)
	if err != nil {
		return nil, err
	}
	m := make([]byte, head-4+int(binary.BigEndian.Uint32(length[head-4:])))
	if _, err = io.ReadFull(p.in, m); err == nil && !typed {
		_, err = p.out.Write(m)
	}
	return m, err
}

// understand notes what the message says and passes it on. False: the connection is over.
func (l *link) understand(p *pipe, m []byte) bool {
	executed, asks := "", false
	switch body := m[5:]; m[0] {
	case 'P':
		name, rest := text(body)
		l.prepared[name], _ = text(rest)
	case 'B':
		portal, rest := text(body)
		name, _ := text(rest)
		l.portals[portal] = l.prepared[name]
	case 'E':
		portal, _ := text(body)
		executed = l.portals[portal]
	case 'Q':
		executed, _ = text(body)
		asks = true
	case 'S':
		asks = true
	}
	if executed != "" && !l.executes(executed) {
		return false
	}
	if !asks {
		_, err := p.out.Write(m)
		return err == nil
	}
	asked := l.batch
	l.batch = nil
	l.mu.Lock()
	l.answers = append(l.answers, asked)
	l.mu.Unlock()
	if _, err := p.out.Write(m); err != nil || len(asked) > 0 && p.out.Flush() != nil {
		return false
	}
	return l.tell(asked, Passed)
}

func (l *link) executes(sql string) bool {
	s := Statement{SQL: sql, Transaction: slices.Clip(l.transaction)}
	l.batch = append(l.batch, s)
	switch word, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(sql, " \t\n")), " "); strings.TrimRight(word, ";") {
	case "begin":
		l.transaction = []string{sql}
	case "commit", "rollback":
		l.transaction = nil
	default:
		if l.transaction != nil {
			l.transaction = append(slices.Clip(l.transaction), sql)
		}
	}
	return l.tell([]Statement{s}, Before)
}

func (l *link) tell(statements []Statement, moment Moment) bool {
	l.proxy.mu.Lock()
	watch := l.proxy.watch
	l.proxy.mu.Unlock()
	if watch == nil {
		return true
	}
	for _, s := range statements {
		if watch(s, moment) == Drop {
			return false
		}
	}
	return true
}

// results passes the server's messages on; 'Z' ends the answer to what was asked.
func (l *link) results(p *pipe) {
	for {
		m, err := p.message(true)
		if err != nil {
			return
		}
		if m[0] == 'Z' {
			l.mu.Lock()
			var answered []Statement
			if len(l.answers) > 0 {
				answered, l.answers = l.answers[0], l.answers[1:]
			}
			l.mu.Unlock()
			if !l.tell(answered, Answered) {
				return
			}
		}
		if _, err := p.out.Write(m); err != nil {
			return
		}
	}
}

// text reads up to the NUL that ends a text of the protocol.
func text(b []byte) (string, []byte) {
	before, after, _ := bytes.Cut(b, []byte{0})
	return string(before), after
}
