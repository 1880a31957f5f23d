package domain

import (
	"slices"
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

// Run n sends message n; behind the last one the mailing begins again or ends, as its owner chose.
func TestRotation(t *testing.T) {
	for _, stops := range []bool{false, true} {
		m := launched(t, func(form *MailingForm) {
			form.MessageID, form.MessageIDs, form.RotationStops, form.EndAt = 7, []int64{7, 8, 9}, stops, ""
		})
		var sent []int64
		for range 4 {
			if m.RotationOver() {
				break
			}
			var run Run
			run.TakeMessage(&m)
			sent = append(sent, run.MessageID)
		}
		want, upcoming := []int64{7, 8, 9, 7}, 5
		if stops {
			want, upcoming = []int64{7, 8, 9}, 0
		}
		if !slices.Equal(sent, want) || m.Issues != len(want) || len(m.Upcoming(m.StartLocal, 5)) != upcoming || m.NextRunAt.IsZero() != stops {
			t.Errorf("stops %t: sent %v, %d issues, next %v", stops, sent, m.Issues, m.NextRunAt)
		}
		if open := m; stops && (open.Close(true, m.StartLocal) || !m.Close(false, m.StartLocal)) {
			t.Error("it doesn't end with its last run")
		}
	}
}

// A run that was taken back gives its number and its message back; a mailing that goes on counts its turns from then.
func TestRotationBegins(t *testing.T) {
	m := launched(t, nil)
	var run Run
	run.TakeMessage(&m)
	form := mailingForm()
	form.MessageIDs, form.RotationStops = []int64{7, 8}, true
	if err := m.Change(form, m.StartLocal); err != nil || m.MessageID != 7 || m.RotationOver() {
		t.Fatalf("%v, message %d", err, m.MessageID)
	}
	run.TakeMessage(&m)
	if run.Issue != 2 || run.MessageID != 7 || m.MessageID != 8 {
		t.Errorf("issue %d is message %d, the next one %d", run.Issue, run.MessageID, m.MessageID)
	}
	if run.GiveMessageBack(&m); m.Issues != 1 || m.MessageID != 7 {
		t.Errorf("taken back: %d issues, the next message is %d", m.Issues, m.MessageID)
	}
	form.Periodicity, form.EndAt = "once", ""
	copied := m.Copy("copy", m.StartLocal)
	if fieldOf(copied.Change(form, m.StartLocal)) != "message_id" {
		t.Error("one run takes two messages")
	}
}
