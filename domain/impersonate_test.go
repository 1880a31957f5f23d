package domain

import "testing"

func TestImpersonates(t *testing.T) {
	for name, want := range map[string]string{
		"Сбербанк": "brand", "СБЕРБАНК": "brand", "Служба Сбербанка": "brand", "Cбербанк": "brand", "С б е р б а н к": "brand",
		"Sberbаnk": "brand", "ЅЬer": "mixed", "Сбе\u200bрбанк": "brand", "С6ербанк": "brand", "Альфа-Банк": "brand", "АЛЬФАБАНК": "brand",
		"Τinkoff": "brand", "Ｔｉｎｋｏｆｆ": "brand", "PaypaI": "brand", "Pаypаl": "brand", "Рaypal Inc": "brand", "Google": "brand", "G00gle": "brand",
		"аррӏе": "brand", "ВТБ Онлайн": "brand", "Т-Банк": "brand", "Bank of America": "brand", "Wells  Fargo": "brand", "Аmazon": "brand",
		"SkyChimp": "service", "Sky Chimp": "service", "ЅkyСhimp Team": "service", "skychіmp": "service", "Mailer-Daemon": "service",
		"Security": "office", "Bank security": "office", "SUPPORT": "office", "Suррort": "office", "Служба безопасности": "office",
		"служба  безопасности банка": "office", "Cлужба безопасности": "office", "Служба поддержки клиентов": "office", "No-Reply": "office", "Admin": "office",
		"ceo@bigbank.com": "address", "Pay at bigbank.com": "address", "www.bank": "address", "мой-банк.рф": "address", "a＠b.example": "address",
		"Мaша": "mixed", "Αnna": "mixed",
		"Анна Петрова": "", "Anna Lee": "", "ООО «Ромашка»": "", "Банковское дело": "", "Пекарня на Мира, 5": "", "IT-отдел": "", "1С Франчайзи": "",
		"José Núñez": "", "Müller & Söhne": "", "Ольга Сбернева": "", "Appleton": "", "St. Louis Bakery": "", "Дом.Сад": "", "Supporters": "", "Озонотерапия": "",
		"Ирина Мирская": "", "Wise Owl Books": "", "": "",
	} {
		got := Impersonates(name)
		if want != "" {
			want = "account.name_like_" + want
		}
		if got != want {
			t.Errorf("%q (%s): %q, want %q", name, skeleton(name), got, want)
		}
	}
}

func TestLooksLikeAnother(t *testing.T) {
	for email, want := range map[string]bool{
		"ѕergey@example.com": true, "sеrgey@example.com": true, "anna@gооgle.com": true, "anna@аррӏе.com": true, "anna@пример.рф": false,
		"анна@пример.рф": false, "анна@example.com": false, "сору@example.com": true, "anna@example.com": false, "anna.lee+1@example.com": false,
		"josé@example.com": false, "anna@müller.example": false, "anna@mail.пример.рф": false, "ann1@ex-ample.com": false, "": false, "@": false,
	} {
		if LooksLikeAnother(email) != want {
			t.Errorf("%q: not %v", email, want)
		}
	}
}
