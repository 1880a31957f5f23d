package email

import "testing"

func TestAppendMessageID(t *testing.T) {
	if got := string(AppendMessageID([]byte("x"), []byte("abc"), "example.com")); got != "x<abc@example.com>" || !isMessageID(got[1:]) {
		t.Error(got)
	}
}
