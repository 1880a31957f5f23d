package inbox

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const mixed = "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n" +
		"--a\nContent-Type: multipart/alternative; boundary=b\n\n" +
		"--b\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n8NLJ18XU\n" +
		"--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>a=3Db</p>\n--b--\n" +
		"--a\nContent-Type: text/plain\nContent-Disposition: attachment; filename=f.txt\n\nattached\n--a--\n"
	for raw, want := range map[string]content{
		mixed:                                {"Привет", "<p>a=b</p>"},
		"Subject: x\n\njust words":           {"just words", ""},
		"Content-Type: text/html\n\n<b>x":    {"", "<b>x"},
		"no header":                          {},
		"Content-Type: multipart/mixed\n\nx": {},
	} {
		if got := read([]byte(strings.ReplaceAll(raw, "\n", "\r\n"))); got != want {
			t.Errorf("%.60q: %q, want %q", raw, got, want)
		}
	}
}
