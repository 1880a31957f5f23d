package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/handlers/checks"
)

func TestConfigDefaults(t *testing.T) {
	c, err := readConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8080" || c.BaseURL.String() != "http://localhost:8080" || c.DataDir != "data" ||
		len(c.SMTPURL) != 0 || c.MailFrom.Address.Address != "noreply@localhost" || c.MailFrom.Name != "SkyChimp" ||
		time.Duration(c.DispatchEvery) != time.Minute || time.Duration(c.RecallFor) != 30*time.Second || c.LogFormat != "text" || c.MediaURL != "file" {
		t.Errorf("%+v", c)
	}
	if c, err = readConfig([]string{"ADDR=", "DISPATCH_EVERY=", "SMTP_URL="}); err != nil || c.Addr != "127.0.0.1:8080" {
		t.Errorf("empty variables: %+v, %v", c, err)
	}
}

func TestConfigTakes(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := "SECRET=" + strings.Repeat("s", 32)
	tests := [][]string{
		{"ADDR=:80"}, {"ADDR=[::1]:8080"}, {"METRICS_ADDR=0.0.0.0:9090"},
		{"BASE_URL=https://mail.example.com/"},
		{"DATABASE_URL=postgres://u:p@h/d", secret},
		{"SMTP_URL=smtp://localhost:25"}, {"SMTP_URL=smtps://u:p@h:465?tls=required&conns=3&rate=0.5"},
		{"SMTP_URL=smtp://h?weight=3 smtp://other"}, {"SMTP_URL=inbox"}, {"SECRET_OLD=lost"}, {"SECRET_OLD=" + strings.Repeat("o", 32)},
		{"DOMAIN_LIMITS=gmail.com?rate=20&conns=5 *?rate=50"}, {"OWNER_LIMITS=rate=50&conns=20&firstday=500&growth=2"},
		{"MAIL_FROM=a@b.example"}, {"MAIL_FROM=Ромашка <news@пример.рф>"}, {"REDIS_URL=redis://h:6379/1"}, {"MEDIA_URL=s3://bucket?region=x"},
		{"BOUNCE_DOMAIN=Bounces.example.com", "BOUNCE_ADDR=127.0.0.1:2525"}, {"BOUNCE_IMAP=imaps://b%40example.com:p@mail.example.com/INBOX"},
		{"DKIM_KEY=" + key, "DKIM_SELECTOR=s", "DKIM_DOMAIN=d.example"},
		{"TRUSTED_PROXIES=10.0.0.1, 10.1.0.0/16,::1"}, {"LOG_FORMAT=json"}, {"DISPATCH_EVERY=5s"}, {"RECALL_FOR=0"}, {"RECALL_FOR=2m"},
	}
	for _, environ := range tests {
		if _, err := readConfig(environ); err != nil {
			t.Errorf("%v: %v", environ, err)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	tests := []string{
		"ADDR=8080", "ADDR=localhost:http", "ADDR=h:70000", "BASE_URL=localhost:8080", "BASE_URL=https://h/path",
		"BASE_URL=ftp://h", "BASE_URL=https://u:p@h", "DATABASE_URL=mysql://h/d", "DATABASE_URL=nonsense",
		"SMTP_URL=http://h", "SMTP_URL=smtp://", "SMTP_URL=smtp://h?tls=maybe", "SMTP_URL=smtp://h?conns=0",
		"SMTP_URL=smtp://h?conns=1.5", "SMTP_URL=smtp://h?rate=-1", "SMTP_URL=smtp://h?color=red", "SMTP_URL=smtp://h?rate=NaN",
		"SMTP_URL=smtp://h?weight=0", "SMTP_URL=smtp://h http://other", "DOMAIN_LIMITS=gmail.com=5", "OWNER_LIMITS=firstday=1",
		"EHLO_NAME=under_score.example", "EHLO_NAME=two words", "DNS_ADDR=127.0.0.1", "DNS_ADDR=:53", "DNS_ADDR=127.0.0.1:0", "MAIL_FROM=nobody", "MAIL_FROM=нет@пример.рф", "REDIS_URL=h:6379", "MEDIA_URL=/tmp", "SECRET=short", "SECRET_OLD=short", "DISPATCH_EVERY=often",
		"DISPATCH_EVERY=0s", "RECALL_FOR=-1s", "RECALL_FOR=1h", "RECALL_FOR=30", "DKIM_KEY=/no/such/file", "BOUNCE_DOMAIN=b@x", "BOUNCE_DOMAIN=-.example", "BOUNCE_ADDR=2525", "BOUNCE_IMAP=imaps://mail.example.com/INBOX", "BOUNCE_IMAP=mail.example.com",
		"TRUSTED_PROXIES=proxy", "METRICS_ADDR=9090", "LOG_FORMAT=xml",
	}
	for _, pair := range tests {
		name, value, _ := strings.Cut(pair, "=")
		_, err := readConfig([]string{pair})
		if err == nil {
			t.Errorf("%s is taken", pair)
			continue
		}
		text := err.Error()
		if !strings.HasPrefix(text, name+"=") || !strings.Contains(text, "allowed") || strings.Contains(text, "\n") ||
			!strings.HasPrefix(name, "SECRET") && !strings.Contains(value, "@") && !strings.Contains(text, value) {
			t.Errorf("%s: %s", pair, text)
		}
	}
	for _, pair := range []string{"SMTP_URL=smtp://me:hush@h:25?tls=x", "SMTP_URL=smtp:me:hush@h", "SMTP_URL=me:hush", "SMTP_URL=smtp://me:hush%zz@h",
		"DATABASE_URL=me:hush@h/db", "DATABASE_URL=me:hush", "DATABASE_URL=host=h password=hush", "DATABASE_URL=postgres//me:hush@h/db",
		"DATABASE_URL=postgres://me:hush%zz@h/db", "DATABASE_URL=mysql://h/db?password=hush", "REDIS_URL=:hush@h:6379", "REDIS_URL=http://:hush@h",
		"MEDIA_URL=gs://b?key=hush"} {
		_, err := readConfig([]string{pair})
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: a password is printed: %v", pair, err)
		}
	}
	for _, address := range []string{"postgres://me:hush@h/db?sslmode=none", "postgres://h/db?password=hush&sslmode=none", "postgres://me:hush@h:1,i:x/db"} {
		if _, err := db.Open(address); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := readConfig([]string{"BOUNCE_ADDR=127.0.0.1:2525"}); err == nil {
		t.Error("BOUNCE_ADDR is taken alone")
	}
	if _, err := readConfig([]string{"DKIM_SELECTOR=s"}); err == nil {
		t.Error("DKIM_SELECTOR is taken alone")
	}
}

// Programs that share a database are given what they have to agree on.
func TestConfigComplete(t *testing.T) {
	url, secret := "DATABASE_URL=postgres://u:p@h/d", "SECRET="+strings.Repeat("s", 32)
	const from = "MAIL_FROM=a@b.example"
	for _, test := range []struct {
		lacks   string
		environ []string
	}{
		{"", nil}, {"", []string{"SMTP_URL=smtp://localhost"}}, {"SECRET", []string{url, "SMTP_URL=smtp://127.0.0.1"}}, {"SMTP_URL", []string{url, secret}},
		{"SMTP_URL", []string{url, secret, "SMTP_URL="}}, {"", []string{url, secret, "SMTP_URL=inbox"}}, {"", []string{url, secret, from, "SMTP_URL=smtp://h"}},
	} {
		c, err := readConfig(test.environ)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.complete(); (err == nil) != (test.lacks == "") || err != nil && !strings.HasPrefix(err.Error(), test.lacks+" is empty") {
			t.Errorf("%v: %v", test.environ, err)
		}
		if len(c.SMTPURL) > 0 == (len(test.environ) == 0 || strings.HasSuffix(test.environ[len(test.environ)-1], "inbox")) && test.lacks == "" {
			t.Errorf("%v: %v", test.environ, c.SMTPURL)
		}
	}
}

// Nobody sends to the world from noreply@localhost by a slip; what catches emails on this machine may have them.
func TestConfigMailFromLocalhost(t *testing.T) {
	for server, refused := range map[string]bool{"smtp://mail.example.com": true, "smtps://u:p@mail.example.com": true, "smtp://127.0.0.1 smtp://h": true,
		"smtp://127.0.0.1:2525": false, "smtp://[::1]": false, "smtp://localhost": false, "inbox": false} {
		for _, from := range []string{"", "MAIL_FROM=Me <me@localhost>", "MAIL_FROM=me@example.com"} {
			c, err := readConfig([]string{"SMTP_URL=" + server, from})
			if err != nil {
				t.Fatal(err)
			}
			err = c.complete()
			if want := refused && !strings.Contains(from, "example"); (err != nil) != want || err != nil && !strings.HasPrefix(err.Error(), "MAIL_FROM is ") {
				t.Errorf("%s with %q: %v", server, from, err)
			}
		}
	}
}

func TestEHLOName(t *testing.T) {
	for _, test := range []struct{ environ, want string }{
		{"BASE_URL=https://mail.example.com", "mail.example.com"}, {"BASE_URL=https://mail.example.com:8443", "mail.example.com"},
		{"EHLO_NAME=out.example.com", "out.example.com"}, {"BASE_URL=http://192.0.2.1", ""}, {"BASE_URL=http://localhost:8080", ""},
	} {
		c, err := readConfig([]string{test.environ, "SMTP_URL=smtp://h smtp://other"})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.servers(); got[0].Name != test.want || got[1].Name != test.want || c.SMTPURL[0].Name != "" {
			t.Errorf("%s: %q", test.environ, got[0].Name)
		}
	}
}

func TestTypos(t *testing.T) {
	for name, meant := range map[string]string{
		"SMPT_URL": "SMTP_URL", "DATABSE_URL": "DATABASE_URL", "DATABASE_URI": "DATABASE_URL", "BASEURL": "BASE_URL", "smtp_url": "SMTP_URL",
		"SKYCHIMP_SMTP_URL": "SMTP_URL", "SKYCHIMP_SECERT": "SECRET", "MAIL_FORM": "MAIL_FROM", "TRUSTED_PROXY": "TRUSTED_PROXIES",
		"DISPATCH_EVRY": "DISPATCH_EVERY", "DATADIR": "DATA_DIR", "SECRETOLD": "SECRET_OLD", "LOGFORMAT": "LOG_FORMAT",
	} {
		if got := typos([]string{name + "=x"}); len(got) != 1 || got[0] != (typo{name, meant}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, name := range []string{
		"SMTP_URL", "SECRET_OLD", "PATH", "HOME", "USER", "PWD", "LANG", "TERM", "SHELL", "TZ", "HOSTNAME", "HTTP_PROXY", "AMQP_URL",
		"POSTGRES_PASSWORD", "REDIS_PASSWORD", "AWS_SECRET_ACCESS_KEY", "XDG_DATA_DIRS", "SKYCHIMP_PORT", "SKYCHIMP_SERVICE_HOST", "SSL_CERT_FILE", "LOG_LEVEL",
	} {
		if got := typos([]string{name + "=x"}); len(got) > 0 {
			t.Errorf("%s is not ours: %v", name, got)
		}
	}
	if got := typos([]string{"SMPT_URL="}); len(got) > 0 {
		t.Errorf("it is not set: %v", got)
	}
}

// The page of settings says where each comes from, and nothing that is secret.
func TestSettingsInForce(t *testing.T) {
	list := settings([]string{"ADDR=:9000", "SECRET=a very long secret of thirty-two", "SMTP_URL=smtp://me:hunter2@mail.example:25 smtp://you:hunter3@b.example",
		"DATABASE_URL=postgres://me:hunter4@db/x", "BOUNCE_IMAP=imaps://me:hunter5@imap.example/INBOX", "REDIS_URL=redis://:hunter6@r:6379/0",
		"MEDIA_URL=s3://key:hunter7@bucket", "SECRET_OLD=another very long secret, thirty-two", "LOG_FORMAT="})
	got := map[string]checks.Setting{}
	for _, one := range list {
		if strings.Contains(one.Value, "hunter") || strings.Contains(one.Value, "long secret") {
			t.Errorf("%s shows %s", one.Name, one.Value)
		}
		got[one.Name] = one
	}
	for name, want := range map[string]checks.Setting{
		"ADDR": {Value: ":9000", Source: checks.FromEnvironment}, "LOG_FORMAT": {Value: "text", Source: checks.FromDefault},
		"DNS_ADDR": {Source: checks.Unset}, "SECRET": {Value: "***", Source: checks.FromEnvironment},
	} {
		if want.Name = name; got[name] != want {
			t.Errorf("%+v, want %+v", got[name], want)
		}
	}
	if one := settings(nil); len(one) != len(list) || len(list) != reflect.TypeFor[config]().NumField() {
		t.Errorf("%d settings", len(list))
	}
}
