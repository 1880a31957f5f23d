package domain

import (
	"slices"
	"testing"
)

func TestDetectLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"Новости ноября\n\n# Здравствуйте, {{name}}!\n\nМы открыли второй магазин: [адрес](https://example.com/shop).": "ru",
		"Привіт! Її новини вже тут":                                   "uk",
		"Навіны: мы адкрылі ў Мінску краму":                           "be",
		"Жаңа тауарлар келді":                                         "kk",
		"The news of November are here, and you are the first to see": "en",
		"Hallo, wir haben für Sie die neuen Angebote":                 "de",
		"Bonjour, nous avons une offre pour vous dans les magasins":   "fr",
		"Hola, tenemos una oferta para usted en los mercados":         "es",
		"Ciao, abbiamo una novità per il tuo negozio della città":     "it",
		"Olá, não perca o novo produto para você":                     "pt",
		"Dzień dobry, nasz sklep jest otwarty i zaprasza na zakupy":   "pl",
		"Merhaba, sizin için yeni bir ürün":                           "tr",
		"مرحبا، لدينا عروض جديدة":                                     "ar",
		"שלום, יש לנו חדשות":                                          "he",
		"Kızıl":                                                       "tr",
		"Sale":                                                        "en",
		"":                                                            "ru",
		"123 🎉":                                                       "ru",
		"Новинка: SkyChimp Enterprise Edition Ultimate 2026 https://a.example": "ru",
	} {
		if got := DetectLanguage(text, "ru"); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := DetectLanguage("Sale", "de"); got != "de" {
		t.Errorf("an owner who reads German writes %q", got)
	}
}

// Whatever is found has words for its emails.
func TestEveryLanguageIsOffered(t *testing.T) {
	for _, one := range letters {
		if !slices.Contains(MessageLanguages(), one.language) {
			t.Error(one.language)
		}
	}
	for language := range commonWords {
		if !slices.Contains(MessageLanguages(), language) {
			t.Error(language)
		}
	}
	for _, language := range Languages() {
		if !slices.Contains(MessageLanguages(), language) {
			t.Error(language)
		}
	}
}
