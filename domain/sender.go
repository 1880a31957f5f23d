package domain

import (
	"strings"
	"time"
	"unicode/utf8"

	"skychimp/domain/emailauth"
)

// Sender is a From of an owner. It is usable when its mailbox is confirmed, and green when its domain is
// set up as well.
type Sender struct {
	ID          int64 `bun:",pk,autoincrement"`
	OwnerID     int64
	DomainID    int64
	Name        string
	Email       string
	ReplyTo     string    // empty: Email
	ConfirmedAt time.Time `bun:",nullzero"`
	CreatedAt   time.Time `bun:",nullzero,default:now()"`
	UpdatedAt   time.Time `bun:",nullzero,default:now()"`
}

// SenderForm is the form of a sender.
type SenderForm struct{ Name, Email, ReplyTo string }

// MaxSenders is how many an owner has at most.
const MaxSenders = 100

// Change applies the form, in the name of its owner. Another address has to be confirmed anew, but for the
// owner's own, which is.
func (s *Sender) Change(form SenderForm, owner User, now time.Time) error {
	var p ValidationErrors
	before := s.Email
	s.Name, s.Email, s.ReplyTo, s.UpdatedAt = strings.TrimSpace(form.Name), NormalEmail(form.Email), NormalEmail(form.ReplyTo), now
	switch like := Impersonates(s.Name); {
	case s.Name == "":
		p.Add("name", "account.name_required")
	case utf8.RuneCountInString(s.Name) > 100:
		p.Add("name", "account.name_long", "Max", 100)
	case hasHidden(s.Name):
		p.Add("name", "account.name_control")
	case like != "" && s.Name != owner.ApprovedName:
		p.Add("name", like)
	}
	checkEmail(&p, "email", s.Email)
	if len(p) == 0 || p[len(p)-1].Field != "email" {
		s.checkAddress(&p)
	}
	if s.ReplyTo != "" {
		checkEmail(&p, "reply_to", s.ReplyTo)
	}
	if s.Email != before {
		s.ConfirmedAt = time.Time{}
		if s.Email == owner.Email {
			s.ConfirmedAt = now
		}
	}
	return p.Err()
}

// checkAddress refuses addresses from which nobody can send in bulk.
func (s *Sender) checkAddress(p *ValidationErrors) {
	switch _, smtputf8, _ := WireEmail(s.Email); {
	case smtputf8:
		p.Add("email", "senders.email_ascii")
	case providers[s.Host()]:
		p.Add("email", "senders.email_provider", "Domain", s.Host())
	}
}

// Host is the domain of the address as DNS has it.
func (s Sender) Host() string {
	wire, _, _ := WireEmail(s.Email)
	return strings.ToLower(wire[strings.LastIndexByte(wire, '@')+1:])
}

// Confirmed tells whether the mailbox is known to be the owner's.
func (s Sender) Confirmed() bool { return !s.ConfirmedAt.IsZero() }

// providers are domains of mailboxes: nobody but the provider can publish anything there, and most of them
// ask receivers to refuse what comes from elsewhere.
var providers = func() map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(`gmail.com googlemail.com yandex.ru ya.ru yandex.com yandex.by yandex.kz yandex.ua mail.ru inbox.ru
		list.ru bk.ru internet.ru xmail.ru rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru outlook.com hotmail.com live.com msn.com
		yahoo.com yahoo.co.uk yahoo.de ymail.com rocketmail.com aol.com icloud.com me.com mac.com proton.me protonmail.com pm.me gmx.de gmx.net
		gmx.com web.de t-online.de freenet.de mail.com zoho.com fastmail.com hey.com tutanota.com ukr.net i.ua tut.by qq.com 163.com 126.com`) {
		all[name] = true
	}
	return all
}()

// SenderDomain is the domain of senders of one owner, with keys of its own.
type SenderDomain struct {
	ID              int64 `bun:",pk,autoincrement"`
	OwnerID         int64
	Domain          string      // in punycode
	RSASelector     string      `bun:"rsa_selector"`
	RSAPublic       string      `bun:"rsa_public"`
	RSAKey          []byte      `bun:"rsa_key"` // sealed
	Ed25519Selector string      `bun:"ed25519_selector"`
	Ed25519Public   string      `bun:"ed25519_public"`
	Ed25519Key      []byte      `bun:"ed25519_key"` // sealed
	Records         []DNSRecord `bun:"type:jsonb"`
	CheckedAt       time.Time   `bun:",nullzero"` // when DNS was last asked
	GreenAt         time.Time   `bun:",nullzero"` // since when it is set up; zero: it is not
	CreatedAt       time.Time   `bun:",nullzero,default:now()"`
}

// The records of a domain.
const (
	RecordRSA     = "dkim_rsa"
	RecordEd25519 = "dkim_ed25519"
	RecordDMARC   = "dmarc"
)

// DNSRecord is a record to publish, with what was found instead.
type DNSRecord struct {
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	Value   string            `json:"value"`
	Found   []string          `json:"found,omitempty"`
	Verdict emailauth.Verdict `json:"verdict"` // empty: not asked yet
}

// Good tells whether the record is right.
func (r DNSRecord) Good() bool { return r.Verdict == emailauth.Good }

// Needed tells whether the domain is not green without it: of the two keys most receivers know RSA only.
func (r DNSRecord) Needed() bool { return r.Kind != RecordEd25519 }

// Green tells whether emails from the domain pass DMARC.
func (d SenderDomain) Green() bool { return !d.GreenAt.IsZero() }

// Wanted are the records to publish. Nothing is known of them yet.
func (d SenderDomain) Wanted() []DNSRecord {
	return []DNSRecord{
		{Kind: RecordRSA, Name: d.RSASelector + "._domainkey." + d.Domain, Value: emailauth.Record(emailauth.RSA, d.RSAPublic)},
		{Kind: RecordEd25519, Name: d.Ed25519Selector + "._domainkey." + d.Domain, Value: emailauth.Record(emailauth.Ed25519, d.Ed25519Public)},
		{Kind: RecordDMARC, Name: "_dmarc." + d.Domain, Value: "v=DMARC1; p=none"},
	}
}

// Names are what DNS is asked for, all of them TXT records.
func (d SenderDomain) Names() []string {
	wanted := d.Wanted()
	return append([]string{wanted[0].Name, wanted[1].Name}, emailauth.DMARCNames(d.Domain)...)
}

// Judge takes the answers to Names. Where DNS did not answer, what was known before stays.
func (d *SenderDomain) Judge(answers []emailauth.Texts, now time.Time) {
	before, records := d.Records, d.Wanted()
	records[0].Verdict, records[0].Found = emailauth.DKIM(emailauth.RSA, d.RSAPublic, answers[0]), answers[0].Found
	records[1].Verdict, records[1].Found = emailauth.DKIM(emailauth.Ed25519, d.Ed25519Public, answers[1]), answers[1].Found
	policy := emailauth.DMARC(d.Names()[2:], answers[2:])
	records[2].Verdict = policy.Verdict
	if policy.Record != "" {
		records[2].Name, records[2].Found = policy.At, strings.Split(policy.Record, "\n")
	}
	green := true
	for i, one := range records {
		if one.Verdict == emailauth.Unknown && i < len(before) && before[i].Value == one.Value && before[i].Verdict != "" {
			records[i] = before[i]
		}
		green = green && (!one.Needed() || records[i].Good())
	}
	d.Records, d.CheckedAt = records, now
	switch {
	case !green:
		d.GreenAt = time.Time{}
	case d.GreenAt.IsZero():
		d.GreenAt = now
	}
}

// Refusal is why a launch from the domain is refused, nil when it is green.
func (d SenderDomain) Refusal() error {
	if d.Green() {
		return nil
	}
	for _, one := range d.Records {
		if one.Needed() && !one.Good() {
			return Errorf(Conflict, "", "senders.unaligned_"+one.Kind, "Domain", d.Domain, "Record", one.Name, "Value", one.Value)
		}
	}
	return Errorf(Conflict, "", "senders.unaligned_unchecked", "Domain", d.Domain)
}

// From is whom emails of a run are from, as it was when the run was planned.
type From struct {
	Name     string `bun:"from_name"`
	Email    string `bun:"from_email"` // empty: MAIL_FROM
	ReplyTo  string `bun:"reply_to"`
	DomainID int64  `bun:"sender_domain_id"` // whose keys sign; 0: those of the installation
}

// From of an owner without a sender: the installation's address, with the owner's name and address to answer to.
func (u User) From() From { return From{Name: u.SenderName(), ReplyTo: u.Email} }

// From of the owner's sender. Unless it is confirmed and its domain is green, emails would pass for forged:
// they come from the installation's address then, with the sender's name.
func (s Sender) From(owner User, d SenderDomain) From {
	from := From{Name: s.Name, ReplyTo: owner.Email}
	if Impersonates(s.Name) != "" && s.Name != owner.ApprovedName {
		from.Name = owner.SenderName()
	}
	if !s.Confirmed() {
		return from
	}
	if from.ReplyTo = s.Email; s.ReplyTo != "" {
		from.ReplyTo = s.ReplyTo
	}
	if d.Green() {
		from.Email, from.DomainID = s.Email, d.ID
	}
	return from
}

// MayLaunch refuses a mailing whose emails would come from an address that does not prove itself. With a mailbox
// that is not confirmed yet they come from the installation's address.
func (s Sender) MayLaunch(d SenderDomain) error {
	if !s.Confirmed() {
		return nil
	}
	return d.Refusal()
}
