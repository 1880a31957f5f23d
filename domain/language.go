package domain

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// MessageLanguages are the languages that a message may be written in, as BCP 47 tags: the words that are put
// into its emails exist in each.
func MessageLanguages() []string {
	return []string{"en", "ru", "uk", "be", "kk", "de", "fr", "es", "it", "pt", "pl", "tr", "ar", "he"}
}

// RightToLeft reports in which direction a language is written.
func RightToLeft(language string) bool { return language == "ar" || language == "he" }

// letters tell languages of one script apart: only they have them.
var letters = []struct{ language, only string }{
	{"kk", "әғқңұһ"}, {"be", "ў"}, {"uk", "їєґ"}, {"tr", "ığş"}, {"pl", "ąęłńśźż"}, {"de", "ß"}, {"pt", "ãõ"}, {"es", "ñ¿¡"},
}

// commonWords are those that hardly a sentence is without and the other languages in Latin letters have not.
var commonWords = map[string][]string{
	"en": strings.Fields("the and you your for with this that are have our from"),
	"de": strings.Fields("der die und das ist nicht mit für sie wir ihr ein eine auf von zu"),
	"fr": strings.Fields("le les des et est vous votre nous pour avec une dans sur du"),
	"es": strings.Fields("el los las y es usted tu para con una del su nuestro por"),
	"it": strings.Fields("il gli e è di che per con una della del nostro questo sono"),
	"pt": strings.Fields("o os as e é você seu para com uma do da não nosso"),
	"pl": strings.Fields("i w na jest się do z nie dla oraz nasz to"),
	"tr": strings.Fields("ve bir bu için ile sizin size daha çok olan"),
}

// noWords are addresses, placeholders and tags.
var noWords = regexp.MustCompile(`https?://[^\s)>\]]+|\{\{[^{}]*\}\}|<[^<>]*>`)

// DetectLanguage is the language of a text by its letters and its commonest words; fallback where they don't say,
// or where they are none of MessageLanguages.
func DetectLanguage(text, fallback string) string {
	text = strings.ToLower(noWords.ReplaceAllString(text, " "))
	cyrillic, latin, arabic, hebrew := countLetters(text)
	// Names and addresses in Latin letters stand in texts of any script.
	switch {
	case cyrillic == 0 && arabic == 0 && hebrew == 0:
		return latinLanguage(text, latin, fallback)
	case arabic > cyrillic && arabic >= hebrew && 5*arabic > latin:
		return "ar"
	case hebrew > cyrillic && 5*hebrew > latin:
		return "he"
	case 5*cyrillic > latin:
		return byLetters(text, "ru", "kk", "be", "uk")
	}
	return latinLanguage(text, latin, fallback)
}

func countLetters(text string) (cyrillic, latin, arabic, hebrew int) {
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic++
		case unicode.Is(unicode.Arabic, r):
			arabic++
		case unicode.Is(unicode.Hebrew, r):
			hebrew++
		}
	}
	return cyrillic, latin, arabic, hebrew
}

func latinLanguage(text string, count int, fallback string) string {
	best, most := "", 1 // one word may be a name
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, language := range MessageLanguages() {
		found := 0
		for _, word := range words {
			if slices.Contains(commonWords[language], word) {
				found++
			}
		}
		if found > most {
			best, most = language, found
		}
	}
	switch {
	case best != "":
		return best
	case count > 0 && (fallback == "ru" || fallback == "ar" || fallback == "he"):
		return byLetters(text, "en", "tr", "pl", "de", "pt", "es")
	}
	return byLetters(text, fallback, "tr", "pl", "de", "pt", "es")
}

// byLetters is the one of the languages that has a letter of the text for itself, else otherwise.
func byLetters(text, otherwise string, languages ...string) string {
	for _, one := range letters {
		if slices.Contains(languages, one.language) && strings.ContainsAny(text, one.only) {
			return one.language
		}
	}
	return otherwise
}
