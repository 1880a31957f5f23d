package domain

import (
	"strconv"
	"strings"
	"unicode"
)

const maxSlug = 80 // bytes

// Slug is the title as part of an address: lower-case ASCII letters and digits with single
// hyphens between the words, at most 80 bytes, cut after a whole word. Russian and Ukrainian
// letters are transliterated, Latin ones lose their accents; other scripts are left out. A title
// without anything to keep gives "post".
func Slug(title string) string {
	var slug strings.Builder
	gap := false
	for _, r := range title {
		r = unicode.ToLower(r)
		text, known := slugLetters[r]
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			text = string(r)
		case known, unicode.Is(unicode.Mn, r):
			// also nothing: signs and combining accents don't part words
		default:
			gap = true
		}
		if text != "" {
			if gap && slug.Len() > 0 {
				slug.WriteByte('-')
			}
			gap = false
			slug.WriteString(text)
		}
	}
	if slug.Len() == 0 {
		return "post"
	}
	return cutSlug(slug.String(), maxSlug)
}

// SlugAfter is the n-th slug to try where base is taken: for 2 "base-2", cut to stay within 80
// bytes. Below 2 it is base.
func SlugAfter(base string, n int) string {
	if n < 2 {
		return base
	}
	suffix := "-" + strconv.Itoa(n)
	return cutSlug(base, maxSlug-len(suffix)) + suffix
}

// cutSlug leaves whole words of at most limit bytes, and cuts a first word longer than that.
func cutSlug(slug string, limit int) string {
	if len(slug) <= limit {
		return slug
	}
	if end := strings.LastIndexByte(slug[:limit+1], '-'); end > 0 {
		return slug[:end]
	}
	return slug[:limit]
}

// slugLetters spells lower-case letters in ASCII: Cyrillic after BGN/PCGN without its signs, Latin
// without accents. Apostrophes belong to the word they stand in.
var slugLetters = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'ґ': "g", 'д': "d", 'е': "e", 'ё': "yo", 'є': "ye",
	'ж': "zh", 'з': "z", 'и': "i", 'і': "i", 'ї': "yi", 'й': "y", 'к': "k", 'л': "l", 'м': "m",
	'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ў': "u", 'ф': "f",
	'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "",
	'э': "e", 'ю': "yu", 'я': "ya", '\'': "", '’': "", 'ʼ': "",

	'à': "a", 'á': "a", 'â': "a", 'ã': "a", 'ä': "a", 'å': "a", 'ā': "a", 'ă': "a", 'ą': "a",
	'æ': "ae", 'ç': "c", 'ć': "c", 'č': "c", 'ď': "d", 'đ': "d", 'ð': "d", 'è': "e", 'é': "e",
	'ê': "e", 'ë': "e", 'ē': "e", 'ė': "e", 'ę': "e", 'ě': "e", 'ğ': "g", 'ģ': "g", 'ì': "i",
	'í': "i", 'î': "i", 'ï': "i", 'ī': "i", 'į': "i", 'ı': "i", 'ķ': "k", 'ļ': "l", 'ľ': "l",
	'ł': "l", 'ñ': "n", 'ń': "n", 'ņ': "n", 'ň': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'õ': "o",
	'ö': "o", 'ø': "o", 'ő': "o", 'œ': "oe", 'ŕ': "r", 'ř': "r", 'ś': "s", 'ş': "s", 'š': "s",
	'ș': "s", 'ß': "ss", 'ť': "t", 'ţ': "t", 'ț': "t", 'þ': "th", 'ù': "u", 'ú': "u", 'û': "u",
	'ü': "u", 'ū': "u", 'ů': "u", 'ű': "u", 'ų': "u", 'ý': "y", 'ÿ': "y", 'ź': "z", 'ż': "z",
	'ž': "z",
}
