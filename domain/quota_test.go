package domain

import "testing"

func TestMailbox(t *testing.T) {
	same := [][]string{
		{"anna@example.com", "ANNA@Example.COM", "anna+news@example.com", "anna+a+b@example.com", "anna@example.com."},
		{"anna.lee@gmail.com", "annalee@gmail.com", "A.N.N.A.Lee+x@googlemail.com"},
		{"anna-lee@yandex.ru", "anna.lee@ya.ru", "anna.lee+x@yandex.com"},
		{"anna@пример.рф", "anna@xn--e1afmkfd.xn--p1ai", "anna@ПРИМЕР.РФ", "anna+1@пример。рф"},
		{"ａｎｎａ@fullwidth.example", "anna@fullwidth.example"},
		{"anna.lee@example.com"}, {"annalee@example.com"}, // dots count elsewhere
		{"+tag@example.com"}, {"bob@example.com"}, {"@example.com"}, {""},
	}
	found := map[string]int{}
	for i, list := range same {
		for _, email := range list {
			key := Mailbox(email)
			if before, ok := found[key]; ok && before != i {
				t.Errorf("%s has the mailbox %s of %s", email, key, same[before][0])
			}
			if key != Mailbox(list[0]) {
				t.Errorf("%s has the mailbox %s, %s has %s", email, key, list[0], Mailbox(list[0]))
			}
			found[key] = i
		}
	}
}
