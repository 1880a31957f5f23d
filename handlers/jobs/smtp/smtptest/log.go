package smtptest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Email is an email whose end of data has come.
type Email struct {
	Conn      int // number of the connection, from 1
	Nth       int // number of the email on it, from 1
	From, To  string
	Params    string // of MAIL, behind the address
	MessageID string // with its angle brackets
	EndOfData time.Time
	Code      int       // of the answer to the dot; 0: none was written
	Answered  time.Time // when the answer was written
	Raw       []byte    // without dot-stuffing; only with Script.KeepRaw
}

// emailLog keeps what has come. Its file is written line by line, so that it tells the
// truth whoever dies.
type emailLog struct {
	mu       sync.Mutex
	count    bool
	file     *os.File
	emails   []*Email
	dots     int
	accepted int
	waiters  []waiter
}

type waiter struct {
	emails int
	ready  chan struct{}
}

func openLog(path string, count bool) (*emailLog, error) {
	j := &emailLog{count: count}
	if path == "" {
		return j, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	j.file = file
	return j, err
}

func (j *emailLog) dot(l *Email) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.EndOfData = time.Now()
	j.dots++
	if !j.count {
		j.emails = append(j.emails, l)
	}
	return j.line(l.EndOfData, "dot", l)
}

func (j *emailLog) answered(l *Email, code int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.Code, l.Answered = code, time.Now()
	if code/100 == 2 {
		j.accepted++
		j.waiters = slices.DeleteFunc(j.waiters, func(w waiter) bool {
			if w.emails <= j.accepted {
				close(w.ready)
			}
			return w.emails <= j.accepted
		})
	}
	return j.line(l.Answered, strconv.Itoa(code), l)
}

// unanswered takes back an answer that could not be written, because the client had gone.
func (j *emailLog) unanswered(l *Email) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l.Code/100 == 2 {
		j.accepted--
	}
	l.Code = 0
	return j.line(time.Now(), "unsent", l)
}

func (j *emailLog) line(at time.Time, event string, l *Email) error {
	if j.file == nil {
		return nil
	}
	_, err := fmt.Fprintf(j.file, "%d %s %d %q %q\n", at.UnixNano(), event, l.Conn, l.MessageID, l.To)
	return err
}

func (j *emailLog) close() {
	if j.file != nil {
		_ = j.file.Close()
	}
}

// Emails are the emails whose end of data has come, in this order, as they are now.
func (j *emailLog) Emails() []Email {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]Email, len(j.emails))
	for i, l := range j.emails {
		all[i] = *l
	}
	return all
}

// Accepted is how many emails have got their 250.
func (j *emailLog) Accepted() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.accepted
}

// EndsOfData is how many have come.
func (j *emailLog) EndsOfData() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.dots
}

// WaitEmails waits until n emails have got their 250.
func (j *emailLog) WaitEmails(ctx context.Context, n int) error {
	j.mu.Lock()
	if j.accepted >= n {
		j.mu.Unlock()
		return nil
	}
	w := waiter{emails: n, ready: make(chan struct{})}
	j.waiters = append(j.waiters, w)
	j.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d of %d emails have come: %w", j.Accepted(), n, ctx.Err())
	}
}

// Entry is a line of a log's file. Event is "dot", the code of the answer to it, or
// "unsent" when that answer could not be written.
type Entry struct {
	At        time.Time
	Event     string
	Conn      int
	MessageID string
	To        string
}

// ReadLog reads the file of Script.Log, of a server that may be running or dead. A
// last line that is not whole yet is left out.
func ReadLog(path string) ([]Entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	whole := text[:strings.LastIndexByte(string(text), '\n')+1]
	lines := bufio.NewScanner(strings.NewReader(string(whole)))
	for lines.Scan() {
		var e Entry
		var at int64
		if _, err := fmt.Sscanf(lines.Text(), "%d %s %d %q %q", &at, &e.Event, &e.Conn, &e.MessageID, &e.To); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, lines.Text(), err)
		}
		e.At = time.Unix(0, at)
		entries = append(entries, e)
	}
	return entries, lines.Err()
}
