package email

import (
	"testing"
	"time"

	"skychimp/domain"
)

func TestRunWords(t *testing.T) {
	words := RunWords{Issue: 12, Date: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), Language: "ru"}
	own := []domain.Field{{ID: 5, Key: "date"}}
	for _, c := range []struct {
		text   string
		fields []domain.Field
		want   string
	}{
		{"Issue {{issue}} of {{ date }}", nil, "Issue 12 of 1 декабря 2026"},
		{"{{issue|none}}, {{name}}", nil, "12, {{name}}"},
		{"{{date}} and {{issue}}", own, "{{date}} and 12"},
	} {
		if got := words.Fill(c.text, c.fields); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if _, err := Check("Issue {{issue}}", "Of {{date}}"); err != nil {
		t.Error(err)
	}
}
