package domain

import (
	"testing"
	"time"
)

func TestMessageChange(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	m := Message{ID: 7, OwnerID: 3}
	m.Change(MessageForm{Subject: " Hello, {{name}} ", Body: "\r\nOne\r\ntwo  \r\n\r\n    code\r\n"}, now)
	if want := (Message{ID: 7, OwnerID: 3, Subject: "Hello, {{name}}", Body: "\nOne\ntwo  \n\n    code\n", Revision: 1, UpdatedAt: now}); m != want {
		t.Errorf("%+v, want %+v", m, want)
	}
	m.Change(MessageForm{Subject: "Again"}, now.Add(time.Hour))
	if m.Revision != 2 || m.Body != "" || !m.UpdatedAt.Equal(now.Add(time.Hour)) {
		t.Errorf("second revision: %+v", m)
	}
}
