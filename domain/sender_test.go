package domain

import (
	"testing"
	"time"

	"skychimp/domain/emailauth"
)

func TestSenderChange(t *testing.T) {
	owner := User{Name: "Ann", Email: "ann@shop.example", ApprovedName: "Google fans"}
	now := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		form   SenderForm
		fields []string // at fault
	}{
		{SenderForm{"Shop", "news@shop.example", ""}, nil},
		{SenderForm{"Shop", " news@Shop.example ", "help@other.example"}, nil},
		{SenderForm{"Магазин", "news@пример.рф", ""}, nil},
		{SenderForm{"Google fans", "news@shop.example", ""}, nil}, // a manager let it pass
		{SenderForm{"", "", "nobody"}, []string{"name", "email", "reply_to"}},
		{SenderForm{"Google", "news@shop.example", ""}, []string{"name"}},
		{SenderForm{"Support", "news@shop.example", ""}, []string{"name"}},
		{SenderForm{"bank@x.com", "news@shop.example", ""}, []string{"name"}},
		{SenderForm{"a\r\nBcc: b", "news@shop.example", ""}, []string{"name"}},
		{SenderForm{"Shop", "shop@gmail.com", ""}, []string{"email"}},
		{SenderForm{"Shop", "shop@Mail.Ru", ""}, []string{"email"}},
		{SenderForm{"Shop", "почта@пример.рф", ""}, []string{"email"}},
	}
	for _, test := range tests {
		var s Sender
		var fields []string
		if err := s.Change(test.form, owner, now); err != nil {
			for _, one := range err.(ValidationErrors) {
				fields = append(fields, one.Field)
			}
		}
		if len(fields) != len(test.fields) || len(fields) > 0 && fields[0] != test.fields[0] {
			t.Errorf("%+v: %v, want %v", test.form, fields, test.fields)
		}
	}
}

// Another address has to be confirmed anew; the owner's own is confirmed.
func TestSenderConfirmation(t *testing.T) {
	owner, now := User{Email: "ann@shop.example"}, time.Now()
	s := Sender{Email: "news@shop.example", ConfirmedAt: now}
	for _, step := range []struct {
		email     string
		confirmed bool
	}{{"news@shop.example", true}, {"other@shop.example", false}, {"ann@shop.example", true}, {"news@shop.example", false}} {
		if err := s.Change(SenderForm{"Shop", step.email, ""}, owner, now); err != nil || s.Confirmed() != step.confirmed {
			t.Errorf("%s: confirmed %v, %v", step.email, s.Confirmed(), err)
		}
	}
}

func TestSenderDomainJudge(t *testing.T) {
	now := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	rsa, ed, dmarc := emailauth.Record("rsa", "RSA"), emailauth.Record("ed25519", "ED"), "v=DMARC1; p=none"
	texts := func(found ...string) emailauth.Texts { return emailauth.Texts{Found: found} }
	failed := emailauth.Texts{Failed: true}
	tests := []struct {
		name    string
		was     bool // green, with all records
		answers []emailauth.Texts
		green   bool
		refusal string
	}{
		{"all", false, []emailauth.Texts{texts(rsa), texts(ed), texts(dmarc)}, true, ""},
		{"without ed25519", false, []emailauth.Texts{texts(rsa), texts(), texts(dmarc)}, true, ""},
		{"without RSA", false, []emailauth.Texts{texts(), texts(ed), texts(dmarc)}, false, "senders.unaligned_dkim_rsa"},
		{"another key", false, []emailauth.Texts{texts(emailauth.Record("rsa", "B")), texts(ed), texts(dmarc)}, false, "senders.unaligned_dkim_rsa"},
		{"without DMARC", false, []emailauth.Texts{texts(rsa), texts(ed), texts()}, false, "senders.unaligned_dmarc"},
		{"no answer at first", false, []emailauth.Texts{failed, failed, failed}, false, "senders.unaligned_dkim_rsa"},
		{"no answer later", true, []emailauth.Texts{failed, failed, failed}, true, ""},
		{"no answer of one, another gone", true, []emailauth.Texts{failed, texts(ed), texts()}, false, "senders.unaligned_dmarc"},
		{"gone", true, []emailauth.Texts{texts(), texts(), texts()}, false, "senders.unaligned_dkim_rsa"},
	}
	for _, test := range tests {
		d := SenderDomain{Domain: "shop.example", RSASelector: "r", RSAPublic: "RSA", Ed25519Selector: "e", Ed25519Public: "ED"}
		if names := d.Names(); len(names) != 3 || names[0] != "r._domainkey.shop.example" || names[2] != "_dmarc.shop.example" {
			t.Fatal(names)
		}
		if test.was {
			d.Judge([]emailauth.Texts{texts(rsa), texts(ed), texts(dmarc)}, now.Add(-time.Hour))
		}
		d.Judge(test.answers, now)
		err := d.Refusal()
		if d.Green() != test.green || !d.CheckedAt.Equal(now) || (err == nil) != test.green {
			t.Errorf("%s: green %v, %v", test.name, d.Green(), err)
		}
		if refusal, ok := err.(*Error); ok && refusal.Key != test.refusal {
			t.Errorf("%s: %s, want %s", test.name, refusal.Key, test.refusal)
		}
		if test.was && test.green && !d.GreenAt.Equal(now.Add(-time.Hour)) {
			t.Errorf("%s: green since %v", test.name, d.GreenAt)
		}
	}
}

func TestFrom(t *testing.T) {
	owner, now := User{Name: "Ann", Email: "ann@own.example"}, time.Now()
	green, not := SenderDomain{ID: 4, GreenAt: now}, SenderDomain{ID: 4}
	shop := Sender{Name: "Shop", Email: "news@shop.example", ConfirmedAt: now}
	answered, unconfirmed, held := shop, shop, shop
	answered.ReplyTo, unconfirmed.ConfirmedAt, held.Name = "help@shop.example", time.Time{}, "Google"
	tests := []struct {
		name   string
		sender Sender
		domain SenderDomain
		want   From
		launch bool
	}{
		{"green", shop, green, From{"Shop", "news@shop.example", "news@shop.example", 4}, true},
		{"with another address for answers", answered, green, From{"Shop", "news@shop.example", "help@shop.example", 4}, true},
		{"not green", answered, not, From{"Shop", "", "help@shop.example", 0}, false},
		{"not confirmed: no stranger gets the answers", unconfirmed, green, From{"Shop", "", "ann@own.example", 0}, true},
		{"a name that is held", held, green, From{"Ann", "news@shop.example", "news@shop.example", 4}, true},
	}
	for _, test := range tests {
		if got := test.sender.From(owner, test.domain); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		if err := test.sender.MayLaunch(test.domain); (err == nil) != test.launch {
			t.Errorf("%s: launch %v", test.name, err)
		}
	}
	if got := owner.From(); got != (From{Name: "Ann", ReplyTo: "ann@own.example"}) {
		t.Errorf("without a sender: %+v", got)
	}
}
