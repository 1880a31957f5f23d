package domain

import (
	"slices"
	"testing"
	"time"
)

func TestRecipientLink(t *testing.T) {
	now, old := []byte("the secret of now, of 32 characters"), []byte("the secret of before, 32 characters")
	token, other := NewUnsubscribeTokens(now).Token(42), NewUnsubscribeTokens(old).Token(42)
	tests := []struct {
		token string
		want  RecipientLink
		ok    bool
	}{
		{token, RecipientLink{42, 0}, true},
		{other, RecipientLink{42, 0}, true},
		{token + RunSuffix(99), RecipientLink{42, 99}, true},
		{token + RunSuffix(99) + ").%20", RecipientLink{42, 99}, true},
		{token + ".", RecipientLink{42, 0}, true},
		{token + ".-5", RecipientLink{}, false},
		{token + ".я", RecipientLink{}, false},
		{token + ".1.2", RecipientLink{}, false},
		{token + ".zzzzzzzzzzzzzzzzzzzz", RecipientLink{}, false},
		{token[1:] + RunSuffix(99), RecipientLink{}, false},
		{NewUnsubscribeTokens([]byte("another")).Token(42), RecipientLink{}, false},
		{"", RecipientLink{}, false},
	}
	for _, tt := range tests {
		if got, ok := ParseRecipientLink(tt.token, now, old, nil); got != tt.want && ok || ok != tt.ok {
			t.Errorf("%q: %+v, %t", tt.token, got, ok)
		}
	}
	if _, ok := ParseRecipientLink(other, now, nil); ok {
		t.Error("signed with another secret")
	}
}

func TestPreferencesChange(t *testing.T) {
	topics := []Topic{{ID: 1}, {ID: 2}, {ID: 3}}
	tests := []struct {
		name   string
		before []int64
		form   PreferencesForm
		want   []int64
	}{
		{"all wanted", []int64{1, 2}, PreferencesForm{Topics: []int64{1, 2, 3}}, []int64{}},
		{"none wanted", nil, PreferencesForm{}, []int64{1, 2, 3}},
		{"one was not to choose from", nil, PreferencesForm{Topics: []int64{1}, Shown: []int64{1, 2}}, []int64{2}},
		{"one was not to choose from and is left", []int64{3}, PreferencesForm{Topics: []int64{1, 2}, Shown: []int64{1, 2}}, []int64{3}},
		{"somebody else's and deleted topics", []int64{99}, PreferencesForm{Topics: []int64{1, 2, 3, 77}, Shown: []int64{1, 2, 3, 77}}, []int64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Preferences{LeftTopics: tt.before}
			if err := p.Change(tt.form, topics); err != nil || !slices.Equal(p.LeftTopics, tt.want) {
				t.Errorf("%v, %v", p.LeftTopics, err)
			}
		})
	}
	for _, word := range []string{"", "week", "month"} {
		if p := (Preferences{}); p.Change(PreferencesForm{Frequency: word}, nil) != nil || string(p.Frequency) != word {
			t.Errorf("%q is refused", word)
		}
	}
	if p := (Preferences{}); p.Change(PreferencesForm{Frequency: "day"}, nil) == nil {
		t.Error("an unknown frequency is taken")
	}
}

func TestPauseOfARecipient(t *testing.T) {
	moscow, now := time.FixedZone("MSK", 3*60*60), time.Date(2031, 3, 10, 22, 30, 0, 0, time.UTC) // already the 11th in Moscow
	for date, want := range map[string]string{"2031-03-12": "2031-03-11T21:00:00Z", " 2032-03-10 ": "2032-03-09T21:00:00Z", "2031-03-11": "", "2032-04-01": "", "soon": "", "": ""} {
		var p Preferences
		err := p.Pause(date, moscow, now)
		if got := p.PausedUntil; (err == nil) != (want != "") || err == nil && got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v", date, got, err)
		}
	}
}

func TestParseLeaveReason(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "too_many": true, "other": true, "because": false, "<script>": false} {
		if _, err := ParseLeaveReason(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
