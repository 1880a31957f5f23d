package main

import (
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"skychimp/domain"
	"skychimp/handlers/checks"
	"skychimp/handlers/jobs/bounces"
	"skychimp/handlers/jobs/smtp"
)

// config is the environment. Every wrong value stops the start with one line.
type config struct {
	Addr           listenAddress `env:"ADDR" envDefault:"127.0.0.1:8080" help:"where the web server listens"`
	BaseURL        webAddress    `env:"BASE_URL" envDefault:"http://localhost:8080" help:"public address; every link in an email starts with it"`
	DatabaseURL    databaseURL   `env:"DATABASE_URL" help:"Postgres, as postgres://user:password@host/database; empty: a private one in DATA_DIR"`
	DataDir        string        `env:"DATA_DIR" envDefault:"data" help:"private database, pictures, generated secret"`
	SMTPURL        smtpServers   `env:"SMTP_URL" help:"mail servers, separated by spaces: smtp://user:password@host:587?conns=10&rate=50&weight=1; empty, or inbox with DATABASE_URL: emails are caught and shown at /inbox"`
	DomainLimits   domainLimits  `env:"DOMAIN_LIMITS" help:"limits per receiving domain and process: gmail.com?rate=20&conns=5 *?rate=50 (a second, at once; * is every other domain)"`
	OwnerLimits    ownerLimits   `env:"OWNER_LIMITS" envDefault:"firstday=500&growth=2" help:"what a new account may send on its first day, times growth after each clean one, and limits per user and process: rate=50&conns=20&firstday=500&growth=2; or none"`
	MailFrom       mailAddress   `env:"MAIL_FROM" envDefault:"SkyChimp <noreply@localhost>" help:"sender of all emails"`
	Secret         secret        `env:"SECRET" help:"signs the links in emails, 32 characters or more; required with DATABASE_URL"`
	SecretOld      oldSecret     `env:"SECRET_OLD" help:"the previous SECRET, whose links keep working; lost: nobody has it any more"`
	DKIMKey        readableFile  `env:"DKIM_KEY" help:"PEM file that signs emails, with an RSA key, an ed25519 key or both, together with:"`
	DKIMSelector   string        `env:"DKIM_SELECTOR" help:"name of the key in DNS; for two keys in one file both, as s1,s2"`
	DKIMDomain     string        `env:"DKIM_DOMAIN" help:"domain that publishes the key"`
	EHLOName       domainName    `env:"EHLO_NAME" help:"name by which the service introduces itself to mail servers; empty: the host of BASE_URL"`
	BounceDomain   domainName    `env:"BOUNCE_DOMAIN" help:"domain that returned emails come to: envelope senders are b+<token>@ it; empty: MAIL_FROM"`
	BounceAddr     listenAddress `env:"BOUNCE_ADDR" help:"where returned emails are taken by SMTP, such as 127.0.0.1:2525; the MX of BOUNCE_DOMAIN leads here"`
	BounceIMAP     bounceMailbox `env:"BOUNCE_IMAP" help:"or the mailbox that they are read from, imaps://user:password@host/INBOX"`
	DNSAddr        dnsAddress    `env:"DNS_ADDR" help:"DNS server that is asked about domains, as host:port; empty: that of the system"`
	DispatchEvery  interval      `env:"DISPATCH_EVERY" envDefault:"1m" help:"how often to look for due mailings"`
	RecallFor      recallTime    `env:"RECALL_FOR" envDefault:"30s" help:"how long a launch or send now waits before its first email, so that it can be taken back; 0: not at all"`
	TrustedProxies networks      `env:"TRUSTED_PROXIES" help:"addresses whose forwarded headers are trusted, separated by commas"`
	RedisURL       redisURL      `env:"REDIS_URL" help:"cache shared by several machines, redis://host:6379/0"`
	MediaURL       mediaURL      `env:"MEDIA_URL" envDefault:"file" help:"pictures: a folder in DATA_DIR, or s3://bucket?region=eu-central-1"`
	MetricsAddr    listenAddress `env:"METRICS_ADDR" help:"Prometheus metrics on an address of their own"`
	LogFormat      logFormat     `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
}

func readConfig(environ []string) (config, error) {
	// A variable that is set to nothing is not set.
	set := env.ToMap(slices.DeleteFunc(slices.Clone(environ), func(pair string) bool { return strings.HasSuffix(pair, "=") }))
	c, err := env.ParseAsWithOptions[config](env.Options{Environment: set})
	if err != nil {
		return c, wrongValue(err, set)
	}
	if (c.DKIMKey == "") != (c.DKIMSelector == "") || (c.DKIMKey == "") != (c.DKIMDomain == "") {
		return c, errors.New("DKIM_KEY, DKIM_SELECTOR and DKIM_DOMAIN belong together: set all three or none")
	}
	if c.BounceAddr != "" && c.BounceDomain == "" {
		return c, errors.New("BOUNCE_ADDR needs BOUNCE_DOMAIN: the domain whose mail comes there, such as bounces.example.com")
	}
	return c, nil
}

// complete refuses to send with less than all programs on one database have to agree on. A host that
// has no mail server by a slip would take real emails into its inbox.
func (c config) complete() error {
	if c.local() && len(c.SMTPURL) > 0 && !c.catchesAll() {
		return misuse{fmt.Errorf("MAIL_FROM is %s, which no receiver knows: with SMTP_URL set it to an address at a domain of your own, "+
			"such as MAIL_FROM=%q; skychimp check says what else it takes", c.MailFrom.Address.Address, "SkyChimp <noreply@example.com>")}
	}
	if c.DatabaseURL == "" {
		return nil
	}
	if c.Secret == "" {
		return misuse{errors.New("SECRET is empty: with DATABASE_URL it has to be at least 32 characters (try: openssl rand -hex 32)")}
	}
	if c.SMTPURL == nil {
		return misuse{errors.New("SMTP_URL is empty: with DATABASE_URL it names the mail server, such as smtp://user:password@mail.example.com:587, " +
			"or asks for the inbox by SMTP_URL=inbox")}
	}
	return nil
}

// wrongValue names the variable, its value and what is allowed.
func wrongValue(err error, set map[string]string) error {
	wrong, ok := errors.AsType[env.ParseError](err)
	if !ok {
		return err
	}
	field, _ := reflect.TypeFor[config]().FieldByName(wrong.Name)
	name := field.Tag.Get("env")
	return fmt.Errorf("%s=%q is wrong: %w", name, masked(name, set[name]), wrong.Err)
}

// masked keeps passwords out of what is printed.
func masked(name, value string) string {
	if name == "SECRET" || name == "SECRET_OLD" {
		return "***"
	}
	if strings.HasSuffix(name, "_URL") || name == "BOUNCE_IMAP" {
		return domain.Redact(value)
	}
	return value
}

// settings are what is in force, with its source and without what is secret.
func settings(environ []string) (list []checks.Setting) {
	set := env.ToMap(environ)
	for field := range reflect.TypeFor[config]().Fields() {
		one := checks.Setting{Name: field.Tag.Get("env"), Value: field.Tag.Get("envDefault"), Source: checks.FromDefault}
		switch value := set[one.Name]; {
		case value != "":
			one.Value, one.Source = masked(one.Name, value), checks.FromEnvironment
		case one.Name == "SECRET":
			one.Value, one.Source = "***", checks.Generated
		case one.Value == "":
			one.Source = checks.Unset
		}
		list = append(list, one)
	}
	return list
}

// Values that know what is allowed.
type (
	listenAddress string
	dnsAddress    string
	databaseURL   string
	redisURL      string
	mediaURL      string
	readableFile  string
	secret        string
	oldSecret     string
	logFormat     string
	interval      time.Duration
	recallTime    time.Duration
	networks      []string
	webAddress    struct{ *url.URL }
	smtpServers   []smtp.Server
	domainLimits  domain.Limits
	ownerLimits   domain.OwnerLimits
	mailAddress   struct{ *mail.Address }
	domainName    string
	bounceMailbox bounces.Mailbox
)

var _ = []encoding.TextUnmarshaler{new(listenAddress), new(databaseURL), new(redisURL), new(mediaURL),
	new(readableFile), new(secret), new(oldSecret), new(logFormat), new(interval), new(recallTime), new(networks), new(webAddress),
	new(smtpServers), new(domainLimits), new(ownerLimits), new(mailAddress), new(domainName), new(bounceMailbox),
	new(dnsAddress)}

func (a *listenAddress) UnmarshalText(text []byte) error {
	*a = listenAddress(text)
	_, port, err := net.SplitHostPort(string(text))
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return errors.New("allowed is host:port, such as 127.0.0.1:8080 or :8080")
	}
	return nil
}

func (d *dnsAddress) UnmarshalText(text []byte) error {
	*d = dnsAddress(text)
	host, port, err := net.SplitHostPort(string(text))
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" || n < 1 || n > 65535 {
		return errors.New("allowed is host:port, such as 127.0.0.1:53")
	}
	return nil
}

func (a *webAddress) UnmarshalText(text []byte) (err error) {
	a.URL, err = url.Parse(strings.TrimSuffix(string(text), "/"))
	if err != nil || (a.Scheme != "http" && a.Scheme != "https") || a.Hostname() == "" || a.User != nil ||
		a.Path != "" || a.RawQuery != "" || a.Fragment != "" {
		return errors.New("allowed is http:// or https:// with a host and nothing after it, such as https://mail.example.com")
	}
	return nil
}

func (d *databaseURL) UnmarshalText(text []byte) error {
	*d = databaseURL(text)
	return onlyScheme(string(text), "postgres://user:password@host:5432/database", "postgres", "postgresql")
}

func (r *redisURL) UnmarshalText(text []byte) error {
	*r = redisURL(text)
	return onlyScheme(string(text), "redis://user:password@host:6379/0", "redis", "rediss", "unix")
}

func (m *mediaURL) UnmarshalText(text []byte) error {
	*m = mediaURL(text)
	if string(text) == "file" {
		return nil
	}
	return onlyScheme(string(text), "file, or s3://bucket?region=eu-central-1", "s3")
}

func onlyScheme(text, example string, schemes ...string) error {
	parsed, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, parsed.Scheme) {
		return errors.New("allowed is " + example)
	}
	return nil
}

func (s *smtpServers) UnmarshalText(text []byte) (err error) {
	if string(text) == "inbox" {
		*s = smtpServers{} // asked for, unlike nil
		return nil
	}
	if *s, err = smtp.ParseURLs(string(text)); err != nil {
		return fmt.Errorf("%w; allowed is smtp:// or smtps://user:password@host:port, one or more with spaces between, "+
			"each with ?tls=none|opportunistic|required, conns=1..1000, rate=emails per second and weight=its share; or inbox", err)
	}
	return nil
}

func (d *domainLimits) UnmarshalText(text []byte) error {
	limits, err := domain.ParseLimits(string(text))
	if err != nil {
		return fmt.Errorf("%w; allowed is gmail.com?rate=20&conns=5 *?rate=50", err)
	}
	*d = domainLimits(limits)
	return nil
}

func (o *ownerLimits) UnmarshalText(text []byte) error {
	limits, err := domain.ParseOwnerLimits(string(text))
	if err != nil {
		return fmt.Errorf("%w; allowed is rate=50&conns=20&firstday=500&growth=2, or none", err)
	}
	*o = ownerLimits(limits)
	return nil
}

func (m *mailAddress) UnmarshalText(text []byte) (err error) {
	if m.Address, err = mail.ParseAddress(string(text)); err != nil {
		return errors.New("allowed is an address, such as SkyChimp <noreply@example.com>")
	}
	wire, smtputf8, ok := domain.WireEmail(domain.NormalEmail(m.Address.Address))
	if !ok || smtputf8 {
		return errors.New("allowed is an address that every mail server takes: ASCII letters before the @, a host that exists behind it")
	}
	m.Address.Address = wire
	return nil
}

func (d *domainName) UnmarshalText(text []byte) error {
	wire, _, ok := domain.WireEmail("b@" + strings.ToLower(string(text)))
	*d = domainName(strings.TrimPrefix(wire, "b@"))
	if !ok || domain.CheckEmail("", wire) != nil {
		return errors.New("allowed is a domain, such as bounces.example.com")
	}
	return nil
}

func (b *bounceMailbox) UnmarshalText(text []byte) error {
	box, err := bounces.ParseMailbox(string(text))
	if *b = bounceMailbox(box); err != nil {
		return fmt.Errorf("%w; allowed is imaps://user:password@host/INBOX, with %%40 for an @ in the user's name", err)
	}
	return nil
}

func (f *readableFile) UnmarshalText(text []byte) error {
	*f = readableFile(text)
	if _, err := os.ReadFile(string(text)); err != nil {
		return errors.New("allowed is a PEM file that can be read")
	}
	return nil
}

func (s *secret) UnmarshalText(text []byte) error {
	*s = secret(text)
	if len(text) < 32 {
		return errors.New("allowed are at least 32 characters (try: openssl rand -hex 32)")
	}
	return nil
}

func (s *oldSecret) UnmarshalText(text []byte) error {
	*s = oldSecret(text)
	if len(text) < 32 && *s != secretLost {
		return errors.New("allowed are the at least 32 characters of the SECRET of before, or lost")
	}
	return nil
}

// secretLost gives an earlier secret up.
const secretLost oldSecret = "lost"

// key is the earlier secret, nil when there is none.
func (s oldSecret) key() []byte {
	if s == secretLost {
		return nil
	}
	return []byte(s)
}

func (f *logFormat) UnmarshalText(text []byte) error {
	*f = logFormat(text)
	if *f != "text" && *f != "json" {
		return errors.New("allowed is text or json")
	}
	return nil
}

func (i *interval) UnmarshalText(text []byte) error {
	every, err := time.ParseDuration(string(text))
	if err != nil || every < time.Second || every > 24*time.Hour {
		return errors.New("allowed is a duration from 1s to 24h, such as 30s or 1m")
	}
	*i = interval(every)
	return nil
}

func (r *recallTime) UnmarshalText(text []byte) error {
	wait, err := time.ParseDuration(string(text))
	if err != nil || wait < 0 || wait > 10*time.Minute {
		return errors.New("allowed is 0, or a duration up to 10m, such as 30s")
	}
	*r = recallTime(wait)
	return nil
}

func (n *networks) UnmarshalText(text []byte) error {
	*n = nil
	for one := range strings.SplitSeq(string(text), ",") {
		one = strings.TrimSpace(one)
		_, notAddress := netip.ParseAddr(one)
		_, notNetwork := netip.ParsePrefix(one)
		if notAddress != nil && notNetwork != nil {
			return errors.New("allowed are addresses and networks, separated by commas, such as 10.0.0.1,192.168.0.0/16")
		}
		*n = append(*n, one)
	}
	return nil
}
