package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/resolver/dnstest"
	"skychimp/templates"
)

// checked is an installation with all that receivers want; each test takes something away.
func checked(t *testing.T) *dnstest.Server {
	t.Helper()
	dns := dnstest.New(t)
	big, small, err := emailauth.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dkim.pem")
	if err := os.WriteFile(file, append(big.PEM, small.PEM...), 0o600); err != nil {
		t.Fatal(err)
	}
	server := smtptest.Start(t, smtptest.Script{Users: map[string]string{"me": "hush"}})
	for name, value := range map[string]string{
		"MAIL_FROM": "News <news@shop.example>", "BASE_URL": "https://mail.shop.example", "DNS_ADDR": dns.Addr, "BOUNCE_DOMAIN": "bounces.shop.example",
		"BOUNCE_ADDR": "127.0.0.1:0", "DKIM_KEY": file, "DKIM_SELECTOR": "r,e", "DKIM_DOMAIN": "shop.example",
		"SMTP_URL": "smtp://me:hush@" + server.Addr() + "?tls=none", "DATA_DIR": t.TempDir(), "DATABASE_URL": "",
	} {
		t.Setenv(name, value)
	}
	text := func(value string) string {
		half := len(value) / 2
		return `TXT "` + value[:half] + `" "` + value[half:] + `"`
	}
	for name, records := range map[string][]string{
		"shop.example": {text("v=spf1 a:mail.shop.example -all")}, "bounces.shop.example": {text("v=spf1 a:mail.shop.example -all"), "MX 10 mail.shop.example."},
		"mail.shop.example": {"A 192.0.2.7"}, "7.2.0.192.in-addr.arpa": {"PTR mail.shop.example."}, "_dmarc.shop.example": {text("v=DMARC1; p=none")},
		"r._domainkey.shop.example": {text(emailauth.Record(emailauth.RSA, big.Public))}, "e._domainkey.shop.example": {text(emailauth.Record(emailauth.Ed25519, small.Public))},
	} {
		dns.Set(t, name, records...)
	}
	return dns
}

func TestCheckOfAWellSetInstallation(t *testing.T) {
	checked(t)
	got := command("", "check")
	if got.code != 0 || strings.Contains(got.out, "FAIL") || strings.Contains(got.out, "WARN") || strings.Count(got.out, "OK ") != 10 || got.errs != "" {
		t.Fatalf("exit %d\n%s%s", got.code, got.out, got.errs)
	}
	for _, line := range []string{"MAIL_FROM", "BASE_URL", "EHLO_NAME", "shop.example lets 192.0.2.7 send", "r._domainkey.shop.example", "e._domainkey.shop.example",
		"_dmarc.shop.example asks receivers: p=none", "Emails to bounces.shop.example go to mail.shop.example", "bounces.shop.example lets 192.0.2.7 send", "accepts our connection and sign-in"} {
		if !strings.Contains(got.out, line) {
			t.Errorf("no %q in\n%s", line, got.out)
		}
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	tests := []struct {
		name    string
		environ string
		gone    string // of this name there are no records, or where there is a space behind it these
		silent  string // DNS fails for it
		code    int
		says    string
	}{
		{"MAIL_FROM", "MAIL_FROM=a@localhost", "", "", 1, "FAIL  MAIL_FROM      a@localhost is an address that no receiver knows"},
		{"http", "BASE_URL=http://mail.shop.example", "", "", 0, "WARN  BASE_URL       http://mail.shop.example is not encrypted"},
		{"a local BASE_URL", "BASE_URL=http://localhost:8080", "", "", 1, "FAIL  BASE_URL       Links in emails begin with http://localhost:8080"},
		{"SPF", "", "shop.example", "", 1, "FAIL  SPF            shop.example has no SPF record. Publish a TXT record at shop.example: v=spf1 a:mail.shop.example ~all"},
		{"SPF of others", "", `shop.example TXT "v=spf1 ip4:198.51.100.1 -all"`, "", 0, "WARN  SPF            shop.example says “fail” to emails from 192.0.2.7"},
		{"a broken SPF", "", `shop.example TXT "v=spf1 nonsense:x -all"`, "", 1, "FAIL  SPF            The SPF record of shop.example can't be evaluated"},
		{"DKIM", "", "r._domainkey.shop.example", "", 1, "FAIL  DKIM           There is no record at r._domainkey.shop.example. Publish there as TXT: v=DKIM1; k=rsa; p="},
		{"another key", "", `e._domainkey.shop.example TXT "v=DKIM1; k=ed25519; p=AAAA"`, "", 1, "FAIL  DKIM           The record at e._domainkey.shop.example has a different key"},
		{"misaligned", "MAIL_FROM=a@other.example", "", "", 1, "FAIL  DKIM           DKIM_DOMAIN=shop.example is not of the same organization as other.example"},
		{"aligned", "MAIL_FROM=a@news.shop.example", `news.shop.example TXT "v=spf1 a:mail.shop.example -all"`, "", 0, "OK    DMARC          _dmarc.shop.example"},
		{"DMARC", "", "_dmarc.shop.example", "", 1, "FAIL  DMARC          There is no DMARC policy, without which large providers refuse mailings. Publish a TXT record at _dmarc.shop.example: v=DMARC1; p=none"},
		{"PTR", "", "7.2.0.192.in-addr.arpa", "", 1, "FAIL  EHLO_NAME      The reverse record (PTR) of 192.0.2.7 says -, not mail.shop.example"},
		{"EHLO_NAME", "EHLO_NAME=out.shop.example", "", "", 1, "FAIL  EHLO_NAME      out.shop.example has no address in DNS"},
		{"no bounces", "BOUNCE_DOMAIN=", "", "", 2, ""}, // BOUNCE_ADDR needs it
		{"MX", "", `bounces.shop.example TXT "v=spf1 a:mail.shop.example -all"`, "", 1, "FAIL  BOUNCE_DOMAIN  bounces.shop.example has no MX record"},
		{"nobody reads", "BOUNCE_ADDR=", "", "", 0, "WARN  BOUNCE_DOMAIN  Nobody reads what comes back"},
		{"no answer", "", "", "_dmarc.shop.example", 0, "WARN  DMARC          DNS did not answer for _dmarc.shop.example"},
		{"SMTP", "SMTP_URL=smtp://me:hush@127.0.0.1:1?tls=none", "", "", 1, "FAIL  SMTP_URL       127.0.0.1:1 refuses us: connect: "},
		{"the inbox", "SMTP_URL=inbox", "", "", 0, "WARN  SMTP_URL       There is no mail server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dns := checked(t)
			if name, value, ok := strings.Cut(test.environ, "="); ok {
				t.Setenv(name, value)
			}
			if test.gone != "" {
				name, record, ok := strings.Cut(test.gone, " ")
				if dns.Set(t, name); ok {
					dns.Set(t, name, record)
				}
			}
			dns.Fail(test.silent, test.silent != "")
			got := command("", "check")
			if got.code != test.code || !strings.Contains(got.out, test.says) {
				t.Errorf("exit %d\n%s%s", got.code, got.out, got.errs)
			}
		})
	}
}

// A wrong password is found before the first mailing is.
func TestCheckSignsIn(t *testing.T) {
	checked(t)
	t.Setenv("SMTP_URL", strings.Replace(os.Getenv("SMTP_URL"), "hush", "wrong", 1))
	if got := command("", "check"); got.code != 1 || !strings.Contains(got.out, "FAIL  SMTP_URL") || strings.Contains(got.out, "wrong@") {
		t.Errorf("exit %d\n%s%s", got.code, got.out, got.errs)
	}
}

// What is wrong stands in the log of the start, and nobody connects to the mail server for it.
func TestCheckAtTheStart(t *testing.T) {
	dns := checked(t)
	dns.Set(t, "_dmarc.shop.example")
	settings, err := readConfig(os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	said := make(lines, 20)
	p := &program{ctx: t.Context(), config: settings, log: slog.New(slog.NewTextHandler(said, nil))}
	p.logCheck(texts)
	select {
	case line := <-said:
		if !strings.Contains(line, "level=WARN") || !strings.Contains(line, "There is no DMARC policy") || !strings.Contains(line, "level=FAIL") {
			t.Error(line)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing is logged")
	}
}

// lines gets a log line by line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// Ed25519 alone, which most receivers don't know, is worth a warning.
func TestCheckWarnsOfEd25519Alone(t *testing.T) {
	dns := checked(t)
	_, small, err := emailauth.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("DKIM_KEY"), small.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DKIM_SELECTOR", "e")
	dns.Set(t, "e._domainkey.shop.example", `TXT "`+emailauth.Record(emailauth.Ed25519, small.Public)+`"`)
	if got := command("", "check"); got.code != 0 || !strings.Contains(got.out, "WARN  DKIM           Most receivers can't verify Ed25519") {
		t.Errorf("exit %d\n%s%s", got.code, got.out, got.errs)
	}
}
