package letter

import (
	"regexp"
	"testing"
)

func TestMessageID(t *testing.T) {
	// RFC 9562, appendix A.4: "www.example.com" in the namespace of DNS.
	dns := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if got := uuid5(dns, []byte("www.example.com")); string(got[:]) != "2ed6657d-e927-568b-95e1-2665a8aea6a2" {
		t.Errorf("uuid5 is %s", got[:])
	}
	id := MessageID(7, 42, "example.com")
	if id != MessageID(7, 42, "example.com") || id == MessageID(42, 7, "example.com") || id == MessageID(74, 2, "example.com") {
		t.Errorf("%s is not the name of one letter", id)
	}
	if !regexp.MustCompile(`^<[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}@example\.com>$`).MatchString(id) {
		t.Errorf("%s is not a UUID at the domain", id)
	}
}
