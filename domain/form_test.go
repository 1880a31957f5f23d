package domain

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var formNow = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func formChoices() FormChoices {
	return FormChoices{
		Fields: []Field{{ID: 1, Key: "city", Label: "City", Type: FieldText}, {ID: 2, Key: "born", Label: "Born", Type: FieldDate}},
		Topics: []Topic{{ID: 5, Name: "News"}, {ID: 6, Name: "Offers"}},
	}
}

func formErrors(err error) (fields []string) {
	list, _ := err.(ValidationErrors) // never wrapped
	for _, one := range list {
		fields = append(fields, one.Field)
	}
	return fields
}

func TestFormChange(t *testing.T) {
	good := FormInput{Name: " Our  news ", Agreement: "I agree.", Tags: "web, Web", Fields: []string{"city"}, Required: []string{"born"}, Topics: []string{"5", "offers"}}
	for _, tt := range []struct {
		name   string
		change func(*FormInput)
		wrong  []string
	}{
		{"right", func(*FormInput) {}, nil},
		{"no name", func(in *FormInput) { in.Name = " " }, []string{"name"}},
		{"long name", func(in *FormInput) { in.Name = strings.Repeat("й", 101) }, []string{"name"}},
		{"turned name", func(in *FormInput) { in.Name = "a\u202eb" }, []string{"name"}},
		{"long text", func(in *FormInput) { in.Text = strings.Repeat("x", 5001) }, []string{"text"}},
		{"broken text", func(in *FormInput) { in.Text = "a\x1ab" }, []string{"text"}},
		{"text with lines", func(in *FormInput) { in.Text = "a\r\n\r\n- b" }, nil},
		{"no agreement", func(in *FormInput) { in.Agreement = "" }, []string{"agreement"}},
		{"somebody else's field", func(in *FormInput) { in.Fields = []string{"shoe"} }, []string{"fields"}},
		{"somebody else's topic", func(in *FormInput) { in.Topics = []string{"7"} }, []string{"topics"}},
		{"http", func(in *FormInput) { in.NextURL = "http://shop.example/" }, []string{"next_url"}},
		{"script", func(in *FormInput) { in.NextURL = "javascript:alert(1)" }, []string{"next_url"}},
		{"path", func(in *FormInput) { in.NextURL = "//evil.example" }, []string{"next_url"}},
		{"user", func(in *FormInput) { in.NextURL = "https://shop.example@evil.example/" }, []string{"next_url"}},
		{"header", func(in *FormInput) { in.NextURL = "https://shop.example/\r\nSet-Cookie: a" }, []string{"next_url"}},
		{"policy", func(in *FormInput) { in.NextURL = "https://shop.example;script-src *" }, []string{"next_url"}},
		{"address", func(in *FormInput) { in.NextURL = "https://shop.example/thanks?a=1,2;3#x" }, nil},
	} {
		in := good
		tt.change(&in)
		var f Form
		if got := formErrors(f.Change(in, formChoices(), formNow)); !slices.Equal(got, tt.wrong) {
			t.Errorf("%s: wrong are %v, want %v", tt.name, got, tt.wrong)
		}
	}
	var f Form
	if err := f.Change(good, formChoices(), formNow); err != nil || f.Name != "Our news" || !slices.Equal(f.Fields, []FormField{{1, false}, {2, true}}) ||
		!slices.Equal(f.TopicIDs, []int64{5, 6}) || !slices.Equal(f.Tags, []string{"web"}) {
		t.Errorf("%v %+v", err, f)
	}
	good.Closed = true
	_ = f.Change(good, formChoices(), formNow)
	_ = f.Change(good, formChoices(), formNow.Add(time.Hour))
	if f.ClosedAt != formNow {
		t.Error("a closed form is closed anew")
	}
}

func TestNextOrigin(t *testing.T) {
	for address, want := range map[string]string{"https://shop.example/a": "https://shop.example", "https://shop.example:8443": "https://shop.example:8443",
		"https://127.0.0.1/": "", "https://пример.рф/": "", "ftp://a.example": "", "https:a.example": "", "https:///a": "", `https://a.example\@evil.example`: "",
		"https://" + strings.Repeat("a", 500) + ".example": "", "": ""} {
		if got := NextOrigin(address); got != want {
			t.Errorf("%q leads to %q, want %q", address, got, want)
		}
	}
}

func TestSignUp(t *testing.T) {
	form := Form{ID: 3, OwnerID: 4, AgreementID: 9, Fields: []FormField{{0, false}, {1, true}, {2, false}}, TopicIDs: []int64{5, 6}, Tick: true}
	good := SignupInput{Email: " ann@Shop.example ", FullName: " Ann  B ", Fields: map[string]string{"field.city": "Paris", "field.born": "1.5.1990"}, Topics: []string{"5"}, Agreed: true}
	for _, tt := range []struct {
		name   string
		change func(*SignupInput)
		wrong  []string
	}{
		{"right", func(*SignupInput) {}, nil},
		{"no email", func(in *SignupInput) { in.Email = "" }, []string{"email"}},
		{"two addresses", func(in *SignupInput) { in.Email = "a@b.example, c@d.example" }, []string{"email"}},
		{"header", func(in *SignupInput) { in.Email = "a@b.example\r\nBcc: c@d.example" }, []string{"email"}},
		{"name of others", func(in *SignupInput) { in.FullName = "a\u202eb" }, []string{"full_name"}},
		{"long name", func(in *SignupInput) { in.FullName = strings.Repeat("x", 201) }, []string{"full_name"}},
		{"no name", func(in *SignupInput) { in.FullName = "" }, nil},
		{"no city", func(in *SignupInput) { in.Fields = nil }, []string{"field.city"}},
		{"no day", func(in *SignupInput) { in.Fields = map[string]string{"field.city": "x", "field.born": "soon"} }, []string{"field.born"}},
		{"no topic", func(in *SignupInput) { in.Topics = nil }, []string{"topics"}},
		{"another topic", func(in *SignupInput) { in.Topics = []string{"7"} }, []string{"topics"}},
		{"not agreed", func(in *SignupInput) { in.Agreed = false }, []string{"agree"}},
	} {
		in := good
		tt.change(&in)
		_, err := form.SignUp(in, formChoices(), formNow)
		if got := formErrors(err); !slices.Equal(got, tt.wrong) {
			t.Errorf("%s: wrong are %v, want %v", tt.name, got, tt.wrong)
		}
	}
	s, err := form.SignUp(good, formChoices(), formNow)
	if err != nil || s.Email != "ann@shop.example" || s.FullName != "Ann B" || s.Fields[1] != "Paris" || s.Fields[2] != "1990-05-01" || !slices.Equal(s.TopicIDs, []int64{5}) || s.AgreementID != 9 {
		t.Errorf("%v %+v", err, s)
	}
	bare := Form{ID: 3}
	if s, err := bare.SignUp(good, formChoices(), formNow); err != nil || s.FullName != "" || len(s.Fields) > 0 || len(s.TopicIDs) > 0 {
		t.Errorf("a form took what it doesn't ask for: %v %+v", err, s)
	}
	form.ClosedAt = formNow
	if _, err := form.SignUp(good, formChoices(), formNow); KindOf(err) != Conflict {
		t.Errorf("a closed form: %v", err)
	}
}

func TestComplete(t *testing.T) {
	s := Signup{FullName: "Stranger", Fields: FieldValues{1: "Paris", 2: "1990-05-01"}}
	form := Form{Tags: []string{"web", "new"}}
	client := Client{FullName: "Ann", Fields: FieldValues{1: "Rome"}, Tags: []string{"Web"}, SuppressedAt: formNow, SuppressedReason: Unsubscribed}
	s.Complete(&client, form, false)
	if client.FullName != "Ann" || client.Fields[1] != "Rome" || client.Fields[2] != "1990-05-01" || !slices.Equal(client.Tags, []string{"Web", "new"}) || client.Suppressed() || client.SuppressedReason != "" {
		t.Errorf("%+v", client)
	}
	fresh := Client{Tags: []string{}}
	s.Complete(&fresh, form, true)
	if fresh.FullName != "" || len(fresh.Fields) > 0 || len(fresh.Tags) != 2 {
		t.Errorf("with the address alone: %+v", fresh)
	}
	full := Client{}
	for i := range 20 {
		full.Tags = append(full.Tags, strings.Repeat("t", i+1))
	}
	if s.Complete(&full, form, false); len(full.Tags) != 20 {
		t.Errorf("%d tags", len(full.Tags))
	}
}

func TestSignupCode(t *testing.T) {
	one, two := []byte("one"), []byte("two")
	s := Signup{ID: 77, FormID: 3, CreatedAt: formNow}
	code := s.Code(one)
	if SignupOfCode(code) != 77 || !s.Signed(code, one) || !s.Signed(code, two, one) || s.Signed(code, two) || s.Signed(code, nil) {
		t.Error("a code is not what it was")
	}
	other, later, elsewhere := s, s, s
	other.ID, later.CreatedAt, elsewhere.FormID = 78, formNow.Add(time.Microsecond), 4
	for _, one := range []Signup{other, later, elsewhere} {
		if one.Signed(code, []byte("one")) {
			t.Errorf("%+v takes the code of another", one)
		}
	}
	for _, broken := range []string{"", "x", code[:len(code)-1], code + "A", strings.ToUpper(code), "AAAAAAAAAAAAAAAAAAAAAAAA", code + "="} {
		if s.Signed(broken, one) {
			t.Errorf("%q is taken", broken)
		}
	}
}

func TestTrap(t *testing.T) {
	one, two := []byte("one"), []byte("two")
	trap := NewTrap(one, "form", formNow)
	for after, want := range map[time.Duration]Trap{time.Second: TrapEarly, 3 * time.Second: TrapGood, time.Hour: TrapGood, 25 * time.Hour: TrapLate, -time.Hour: TrapEarly} {
		if got := ReadTrap(trap, "form", formNow.Add(after), one); got != want {
			t.Errorf("after %v: %d, want %d", after, got, want)
		}
	}
	later := formNow.Add(time.Minute)
	if got := ReadTrap(trap, "form", later, two, one); got != TrapGood {
		t.Errorf("with an earlier secret: %d", got)
	}
	if got := ReadTrap(NewTrap(one, "form", time.Time{}), "form", later, one); got != TrapPasted {
		t.Errorf("pasted: %d", got)
	}
	when, sum, _ := strings.Cut(trap, ".")
	for _, broken := range []string{"", "0", "0." + sum, "." + sum, when + ".", when[:9] + "." + sum, "x." + sum} {
		if got := ReadTrap(broken, "form", later, one); got != TrapBroken {
			t.Errorf("%q: %d", broken, got)
		}
	}
	if ReadTrap(trap, "other", later, one) != TrapBroken || ReadTrap(trap, "form", later, two) != TrapBroken || ReadTrap(trap, "form", later, nil) != TrapBroken {
		t.Error("a trap of another form or secret is taken")
	}
}

// What was signed with an earlier SECRET is taken with SECRET_OLD.
func TestFormSignaturesOutliveSecret(t *testing.T) {
	old, now := []byte("old"), []byte("now")
	s := Signup{ID: 1, FormID: 1, CreatedAt: formNow}
	if !s.Signed(s.Code(old), now, old) || ReadTrap(NewTrap(old, "f", formNow), "f", formNow.Add(time.Minute), now, old) != TrapGood {
		t.Error("a link or a form of before is refused")
	}
}

func TestPageOf(t *testing.T) {
	for referer, want := range map[string]string{"https://shop.example/a/b?email=x@y.example#z": "https://shop.example/a/b", "http://shop.example": "http://shop.example",
		"https://user:secret@shop.example/": "https://shop.example/", "javascript:alert(1)": "", "null": "", "": "", "https://a.example/\x1a": "", "about:blank": ""} {
		if got := PageOf(referer); got != want {
			t.Errorf("%q: %q, want %q", referer, got, want)
		}
	}
	if got := PageOf("https://a.example/" + strings.Repeat("x", 5000)); len(got) != 500 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestShortIP(t *testing.T) {
	for ip, want := range map[string]string{"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48", "": "", "x": ""} {
		if got := ShortIP(ip); got != want {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}
}

func TestTypedConsent(t *testing.T) {
	for _, tt := range []struct {
		source, on string
		wrong      []string
	}{
		{"A card in the shop", "2030-01-31", nil}, {"A card", "31.1.2030", nil}, {"A card", "2031-05-06", nil},
		{"", "2030-01-31", []string{"consent_source"}}, {"x", "", []string{"consent_on"}}, {"x", "2031-05-08", []string{"consent_on"}},
		{strings.Repeat("x", 501), "1980-01-01", []string{"consent_source", "consent_on"}}, {"a\x1ab", "2030-01-31", []string{"consent_source"}},
	} {
		c, err := TypedConsent(ConsentInput{tt.source, tt.on}, 4, formNow)
		if got := formErrors(err); !slices.Equal(got, tt.wrong) || err == nil && (c.OwnerID != 4 || c.Kind != ConsentTyped || c.At.IsZero()) {
			t.Errorf("%q on %q: %v %+v", tt.source, tt.on, err, c)
		}
	}
}
