package email

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"
)

// parsed is what a mail program makes of an email.
type parsed struct {
	header        mail.Header
	to            *mail.Address
	subject       string
	text, content string // line breaks as \n
}

// parse reads an email back and holds it to the rules of the wire.
func parse(t testing.TB, email []byte) parsed {
	t.Helper()
	checkLines(t, email)
	message, err := mail.ReadMessage(bytes.NewReader(email))
	if err != nil {
		t.Fatalf("headers: %v\n%s", err, email)
	}
	for name, values := range message.Header {
		if len(values) > 1 && name != "Dkim-Signature" { // one for each key
			t.Fatalf("%d headers %s", len(values), name)
		}
	}
	recipients, err := message.Header.AddressList("To")
	if err != nil || len(recipients) != 1 {
		t.Fatalf("To %q: %v, %v", message.Header.Get("To"), recipients, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		t.Fatalf("Subject: %v", err)
	}
	p := parsed{header: message.Header, to: recipients[0], subject: subject}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q: %v", kind, err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	p.text = readPart(t, parts, "text/plain; charset=utf-8")
	p.content = readPart(t, parts, "text/html; charset=utf-8")
	if _, err := parts.NextPart(); err != io.EOF {
		t.Fatalf("a third part: %v", err)
	}
	return p
}

func readPart(t testing.TB, parts *multipart.Reader, kind string) string {
	t.Helper()
	part, err := parts.NextPart()
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	if got := part.Header.Get("Content-Type"); got != kind {
		t.Fatalf("part is %q, want %q", got, kind)
	}
	var r io.Reader = part
	if part.Header.Get("Content-Transfer-Encoding") == "base64" {
		r = base64.NewDecoder(base64.StdEncoding, part)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return strings.ReplaceAll(string(body), "\r\n", "\n")
}

// checkLines wants CRLF alone as line break, header lines of at most 998 bytes, body lines of
// at most 76 and no line that SMTP would have to stuff.
func checkLines(t testing.TB, email []byte) {
	t.Helper()
	if !bytes.HasSuffix(email, crlf) {
		t.Fatal("the last line doesn't end")
	}
	limit := 998
	for line := range strings.SplitSeq(strings.TrimSuffix(string(email), "\r\n"), "\r\n") {
		switch {
		case strings.ContainsAny(line, "\r\n\x00"):
			t.Fatalf("bare CR, LF or NUL in %q", line)
		case len(line) > limit:
			t.Fatalf("line of %d bytes: %q", len(line), line)
		case strings.HasPrefix(line, "."):
			t.Fatalf("line begins with a dot: %q", line)
		case strings.IndexFunc(line, func(r rune) bool { return r > '~' }) >= 0:
			t.Fatalf("not ASCII: %q", line)
		case limit == 76 && strings.HasSuffix(line, " "):
			t.Fatalf("trailing space: %q", line)
		case line == "":
			limit = 76
		}
	}
}

func compile(t testing.TB, s Source) *Template {
	t.Helper()
	l, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func write(t testing.TB, l *Template, r Recipient) []byte {
	t.Helper()
	email, err := l.Append(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return email
}

func TestTemplateReadBack(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("комментарий & <b>more</b> ", 250))[:5000]
	tests := map[string]Recipient{
		"plain":        {Name: "Anna", Comment: "likes bread"},
		"no name":      {},
		"cyrillic":     {Name: "Константин Константинопольский-Задунайский", Comment: "Любит ржаной."},
		"emoji":        {Name: strings.Repeat("👩‍👩‍👧‍👦🇷🇺é", 30), Comment: "👋🏽 hi"},
		"quotes":       {Name: `Anna "Bread" \ Petrova, <x@y.z>; (boss)`, Comment: `"quoted" 'single'`},
		"encoded word": {Name: "=?utf-8?q?Eve?=", Comment: "=?utf-8?q?Eve?= =3D =\n="},
		"long":         {Name: strings.Repeat("very long name ", 13), Comment: strings.ToValidUTF8(long, "")},
		"no spaces":    {Name: strings.Repeat("x", 200), Comment: strings.Repeat("y", 5000)},
		"lines":        {Name: "Anna", Comment: "one\ntwo \n.three\n\n--=_skychimp--\n.\n"},
		"blanks":       {Name: "  Anna   P  ", Comment: "  a\t b  "},
	}
	s := benchSource()
	s.Subject = "🎉 {{comment}}: {{name}} — новости ноября {{email}}"
	s.Body = "{{name}}, hello. {{comment}}\n{{name}}{{comment}}{{email}}\n\n[{{name}}](https://example.com/{{comment}}?e={{email}})\n"
	l := compile(t, s)
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			base := benchRecipient()
			base.Name, base.Comment = r.Name, r.Comment
			email := write(t, l, base)
			p := parse(t, email)
			if p.to.Name != strings.TrimSpace(r.Name) || p.to.Address != base.Email {
				t.Errorf("To is %q <%s>, want %q", p.to.Name, p.to.Address, r.Name)
			}
			if p.subject != l.Subject(base) {
				t.Errorf("subject %q, want %q", p.subject, l.Subject(base))
			}
			if want := string(appendPieces(nil, l.text.pieces, &base)); p.text != want {
				t.Errorf("text %q, want %q", p.text, want)
			}
			if p.content != l.HTML(base) {
				t.Errorf("HTML %q, want %q", p.content, l.HTML(base))
			}
			for _, part := range []string{p.text, p.content} {
				if !strings.Contains(part, base.UnsubscribeURL) {
					t.Error("no visible unsubscribe address")
				}
			}
			checkEnmime(t, email, p)
		})
	}
}

// checkEnmime wants a second reader, which tolerates less, to agree.
func checkEnmime(t *testing.T, email []byte, p parsed) {
	t.Helper()
	e, err := enmime.ReadEnvelope(bytes.NewReader(email))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range e.Errors {
		t.Errorf("enmime: %s", problem)
	}
	if got := strings.ReplaceAll(e.Text, "\r\n", "\n"); got != p.text {
		t.Errorf("enmime reads the text %q, want %q", got, p.text)
	}
	if got := strings.ReplaceAll(e.HTML, "\r\n", "\n"); got != p.content {
		t.Errorf("enmime reads the HTML %q, want %q", got, p.content)
	}
	if got := e.GetHeader("Subject"); got != p.subject {
		t.Errorf("enmime reads the subject %q, want %q", got, p.subject)
	}
	to, err := e.AddressList("To") // it decodes a name twice
	if err != nil || len(to) != 1 || to[0].Name != p.to.Name && !strings.Contains(p.to.Name, "=?") {
		t.Errorf("enmime reads To %v, %v", to, err)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	l, r := compile(t, benchSource()), benchRecipient()
	buf := make([]byte, 0, 64<<10)
	if n := testing.AllocsPerRun(100, func() { buf, _ = l.Append(buf[:0], r) }); n > 0 {
		t.Errorf("%v allocations for an email", n)
	}
}

func TestAppendKeepsWhatStandsBefore(t *testing.T) {
	s := benchSource()
	s.Signer = newEd25519(t)
	l := compile(t, s)
	one := write(t, l, benchRecipient())
	two, err := l.Append(append([]byte(nil), one...), benchRecipient())
	if err != nil || !bytes.Equal(two, append(one, one...)) {
		t.Errorf("a second email differs from the first: %v", err)
	}
}
