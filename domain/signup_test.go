package domain

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzSignup reads what strangers send to a form, its trap and the page that it stood on.
func FuzzSignup(f *testing.F) {
	secret := []byte("secret")
	f.Add("ann@example.com", "Ann", "Kazan", "1", NewTrap(secret, "form", time.Unix(1_800_000_000, 0)), "https://shop.example/?a=b#c", "192.0.2.1", "1.abc")
	f.Add("\"a b\"@пример.рф", "И\u202eван", "1e999", "News", ".", "//a", "::ffff:1.2.3.4", "..")
	f.Fuzz(func(t *testing.T, email, name, value, topic, trap, referer, ip, code string) {
		form := Form{ID: 1, OwnerID: 1, Fields: []FormField{{ID: 0}, {ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}, {ID: 5}}, TopicIDs: []int64{1}}
		own := FormChoices{Fields: segmentFields, Topics: []Topic{{ID: 1, Name: "News"}}}
		in := SignupInput{Email: email, FullName: name, Topics: []string{topic}, Fields: map[string]string{}}
		for _, one := range segmentFields {
			in.Fields[one.Name()] = value
		}
		s, err := form.SignUp(in, own, time.Unix(1_800_000_000, 0))
		if err == nil {
			var c Client
			s.Complete(&c, form, false)
			if c.FullName != s.FullName || len(s.FullName) > 800 || len(s.Email) > 320 {
				t.Errorf("%+v became %+v", s, c)
			}
		}
		if page := PageOf(referer); len(page) > 500 || !utf8.ValidString(page) || strings.ContainsAny(page, "?#") {
			t.Errorf("%q is the page %q", referer, page)
		}
		_, _, _ = ShortIP(ip), ReadTrap(trap, "form", time.Unix(1_800_000_100, 0), secret), SignupOfCode(code)
		if s.Signed(code, secret) {
			t.Errorf("%q is signed", code)
		}
	})
}
