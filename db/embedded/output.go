package embedded

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// output passes the server's lines on to the log and keeps the last ones for errors.
type output struct {
	log *slog.Logger

	mu   sync.Mutex
	part []byte // a line whose end hasn't come yet
	last []string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.part = append(o.part, p...)
	for {
		line, rest, whole := bytes.Cut(o.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		o.part = rest
		o.take(string(line))
	}
}

func (o *output) take(line string) {
	const kept = 20
	o.last = append(o.last, line)
	o.last = o.last[max(0, len(o.last)-kept):]
	level := slog.LevelDebug
	switch name, text, _ := strings.Cut(line, ":"); {
	case name == "WARNING", name == "FATAL" && !strings.Contains(text, "due to administrator command"): // that is our own stop
		level = slog.LevelWarn
	case name == "PANIC":
		level = slog.LevelError
	}
	o.log.Log(context.Background(), level, "postgres", "says", line)
}

// text is the last lines.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.last, "\n")
}
