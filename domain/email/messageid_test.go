package email

import "testing"

// The ids of emails that were sent stand in mailboxes: whatever makes them, they stay byte for byte.
func TestMessageID(t *testing.T) {
	for _, test := range []struct {
		run, client int64
		want        string
	}{
		{7, 42, "<db5d214d-7114-5912-b336-93c71dd02bdf@example.com>"},
		{1, 1, "<6c88e0a9-2a6b-5ea1-9f20-98dcaf0efc9a@example.com>"},
		{1<<63 - 1, 1<<63 - 1, "<0dfb4101-3ff6-56ba-ab2e-1a21de9effe7@example.com>"},
	} {
		if got := MessageID(test.run, test.client, "example.com"); got != test.want {
			t.Errorf("run %d, client %d: %s, want %s", test.run, test.client, got, test.want)
		}
	}
}
