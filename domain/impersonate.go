package domain

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Names that people trust, one a line, and the words of a service's own emails.
var (
	serviceNames = skeletons(`
skychimp
скайчимп
mailer-daemon
postmaster`)
	brandNames = skeletons(`
сбер
сбербанк
sber
sberbank
втб
vtb
альфабанк
альфа банк
alfabank
alfa bank
тинькофф
tinkoff
тбанк
т банк
tbank
t bank
газпромбанк
gazprombank
россельхозбанк
райффайзен
raiffeisen
совкомбанк
sovcombank
росбанк
rosbank
промсвязьбанк
банк открытие
почта банк
мтс банк
озон банк
ozon bank
центробанк
банк россии
центральный банк
юмани
yoomoney
qiwi
сбп
госуслуги
gosuslugi
фнс
налоговая
мвд
фсб
прокуратура
следственный комитет
социальный фонд
пенсионный фонд
почта россии
роскомнадзор
wildberries
вайлдберриз
озон
ozon
авито
avito
яндекс
yandex
вконтакте
telegram
whatsapp
paypal
mastercard
revolut
hsbc
barclays
citibank
jpmorgan
chase bank
wells fargo
bank of america
bank of russia
deutsche bank
santander
unicredit
apple
google
microsoft
amazon
facebook
instagram
netflix
dhl
fedex`)
	officeNames = skeletons(`
security
support
служба безопасности
служба поддержки
служба заботы
техподдержка
техническая поддержка
поддержка
отдел безопасности
helpdesk
help desk
billing department
account team
администрация
администратор
administrator
admin
no reply
noreply
верификация
verification`)
)

// addressInName is an address or a host inside a name: mail programs show the name instead of the address.
var addressInName = regexp.MustCompile(`(?i)\S@\S|https?:|\bwww\.|[\pL\pN]\.(ru|рф|com|net|org|su|io|bank|online|site|info|me|by|kz|ua|eu|de|uk)([^\pL\pN]|$)`)

// Impersonates is why a name may pass for somebody else's, a locale key `account.name_like_<word>`; "" when it may not.
func Impersonates(name string) string {
	if addressInName.MatchString(norm.NFKC.String(name)) {
		return "account.name_like_address"
	}
	words := strings.Fields(skeleton(name))
	for _, list := range []struct {
		names [][]string
		key   string
	}{{serviceNames, "account.name_like_service"}, {brandNames, "account.name_like_brand"}, {officeNames, "account.name_like_office"}} {
		for _, one := range list.names {
			if hasName(words, one) || strings.Join(words, "") == strings.Join(one, "") {
				return list.key
			}
		}
	}
	if MixesScripts(name) {
		return "account.name_like_mixed"
	}
	return ""
}

// hasName reports whether the words of name stand in words, the last perhaps with a Russian ending.
func hasName(words, name []string) bool {
	for at := 0; at+len(name) <= len(words); at++ {
		fits := true
		for i, want := range name {
			got := words[at+i]
			ending, same := strings.CutPrefix(got, want)
			mayEnd := utf8.RuneCountInString(want) >= 5 && utf8.RuneCountInString(ending) <= 2
			fits = fits && same && (ending == "" || mayEnd)
		}
		if fits {
			return true
		}
	}
	return false
}

func skeletons(lines string) (names [][]string) {
	for line := range strings.Lines(lines) {
		if words := strings.Fields(skeleton(line)); len(words) > 0 {
			names = append(names, words)
		}
	}
	return names
}

// skeleton is a text as the eye reads it: small, without accents and hidden characters, with spaces for what is no
// letter, and letters and digits that look alike as one, after Unicode's UTS 39.
func skeleton(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(norm.NFKC.String(text))) {
		switch like, ok := lookAlikes[r]; {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		case ok:
			b.WriteRune(like)
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.NewReplacer("rn", "m", "vv", "w").Replace(b.String())
}

// lookAlikes are Latin letters by the Cyrillic and Greek ones and the digits that look like them.
var lookAlikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'є': 'e', 'н': 'h', 'һ': 'h', 'і': 'l', 'ј': 'j', 'к': 'k', 'ӏ': 'l', 'м': 'm',
	'о': 'o', 'р': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'у': 'y', 'ү': 'y', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x',
	'α': 'a', 'β': 'b', 'ϲ': 'c', 'ε': 'e', 'η': 'n', 'ι': 'l', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'γ': 'y',
	'ß': 'b', 'ı': 'l', 'i': 'l', '1': 'l', '0': 'o', '5': 's', '3': 'з', '6': 'б', 'ɡ': 'g', 'ɑ': 'a',
}

// twins are the small letters that nobody can tell from Latin ones.
const twins = "асеорухіјѕһԁԛԝӏүѵονυα"

// MixesScripts reports whether a word has letters of two of Latin, Cyrillic and Greek.
func MixesScripts(text string) bool {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) }) {
		scripts := 0
		for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
			if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(script, r) }) {
				scripts++
			}
		}
		if scripts > 1 {
			return true
		}
	}
	return false
}

// LooksLikeAnother reports whether an address can be taken for another: a part of it mixes scripts, or is all of letters
// that look like Latin ones while what follows is Latin.
func LooksLikeAnother(email string) bool {
	parts := strings.FieldsFunc(strings.ToLower(email), func(r rune) bool { return r == '@' || r == '.' })
	for i, part := range parts {
		if MixesScripts(part) {
			return true
		}
		if isASCII(part) || i+1 == len(parts) || !isASCII(parts[len(parts)-1]) {
			continue
		}
		if !strings.ContainsFunc(part, func(r rune) bool { return unicode.IsLetter(r) && !strings.ContainsRune(twins, r) }) {
			return true
		}
	}
	return false
}
