package smtp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

const (
	block      = 64 << 10 // bytes written under one DataTimeout
	maxAnswer  = 1 << 20  // bytes of one answer, after which it is none
	maxWords   = 4 << 10  // bytes of one answer that are kept
	readBuffer = 4 << 10
)

var (
	errNotSMTP = errors.New("the server's answer is not SMTP")
	errTooLong = errors.New("the server's answer is too long")
)

// wire is the connection below the SMTP session: what is queued goes out in one write, and
// answers come in one by one.
type wire struct {
	net   net.Conn // plain, or TLS above raw
	raw   net.Conn
	in    *bufio.Reader
	out   []byte // queued, not yet written
	words []byte // scratch for answers of several lines

	watched *watch
	active  atomic.Pointer[watch] // the watch of the call under way
}

func newWire(conn net.Conn) *wire {
	return &wire{net: conn, raw: conn, in: bufio.NewReaderSize(conn, readBuffer)}
}

// watch ties the connection to a context. It outlives the call, because the next call
// mostly comes with the same context.
type watch struct {
	ctx  context.Context
	stop func() bool
}

// enter makes the end of ctx close the connection, until leave.
func (w *wire) enter(ctx context.Context) error {
	if w.watched == nil || w.watched.ctx.Done() != ctx.Done() {
		w.unwatch()
		next := &watch{ctx: ctx}
		next.stop = context.AfterFunc(ctx, func() {
			if w.active.CompareAndSwap(next, nil) {
				_ = w.raw.Close() // a deadline would do no good: the call under way sets new ones
			}
		})
		w.watched = next
	}
	w.active.Store(w.watched)
	return ctx.Err()
}

func (w *wire) leave() { w.active.Store(nil) }

func (w *wire) unwatch() {
	if w.watched != nil {
		w.watched.stop()
		w.watched = nil
	}
}

// flush writes what is queued and returns how much of it has left this process. The rest
// is gone, so after an error the connection is of no more use.
func (w *wire) flush(timeout time.Duration) (written int, err error) {
	for written < len(w.out) && err == nil {
		if err = w.net.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			break
		}
		var n int
		n, err = w.net.Write(w.out[written:min(written+block, len(w.out))])
		written += n
	}
	w.out = w.out[:0]
	return written, err
}

// read takes one answer. Its words, lines parted by LF, are valid until the next read; an
// enhanced code that every line repeats is kept once.
func (w *wire) read(timeout time.Duration) (code int, words []byte, err error) {
	if w.in.Buffered() == 0 {
		if err := w.net.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return 0, nil, err
		}
	}
	w.words = w.words[:0]
	for size := 0; size < maxAnswer; {
		line, more, err := w.readLine()
		if err != nil {
			return 0, nil, err
		}
		size += len(line)
		n, ok := replyCode(line)
		if !ok || code != 0 && n != code {
			return 0, nil, errNotSMTP
		}
		code = n
		last := len(line) == 3 || line[3] == ' '
		line = line[min(4, len(line)):]
		if last && len(w.words) == 0 && !more {
			return code, line, nil
		}
		w.words = appendLine(w.words, line)
		skipped, err := w.skipLine(more)
		if err != nil {
			return 0, nil, err
		}
		size += skipped
		if last {
			return code, w.words, nil
		}
	}
	return 0, nil, errTooLong
}

// skipLine reads a line to its end where it goes on; no more of it is kept than the buffer holds.
func (w *wire) skipLine(more bool) (skipped int, err error) {
	for more && skipped < maxAnswer && err == nil {
		var line []byte
		line, more, err = w.readLine()
		skipped += len(line)
	}
	return skipped, err
}

// readLine takes a line, or as much of it as the buffer holds; more: it goes on.
func (w *wire) readLine() (line []byte, more bool, err error) {
	line, err = w.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return line, true, nil
	}
	return bytes.TrimRight(line, "\r\n"), false, err
}

func replyCode(line []byte) (code int, ok bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false
	}
	for _, b := range line[:3] {
		if b < '0' || b > '9' {
			return 0, false
		}
		code = code*10 + int(b-'0')
	}
	return code, code >= 200 && code < 600
}

func appendLine(words, line []byte) []byte {
	line = line[:min(len(line), max(0, maxWords-len(words)))]
	switch {
	case len(line) == 0:
		return words
	case len(words) == 0:
		return append(words, line...)
	}
	if enhanced, _, ok := bytes.Cut(words, []byte(" ")); ok && len(enhanced) >= 5 && enhanced[1] == '.' {
		line = bytes.TrimPrefix(line, append(slices.Clip(enhanced), ' '))
	}
	return append(append(words, '\n'), line...)
}
