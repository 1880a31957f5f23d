package templates

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*/*.json
var locales embed.FS

// Texts say things in every language, by key ("clients.email_taken").
type Texts struct {
	localizers map[string]*i18n.Localizer
	plain      map[string]map[string]string // by language and key: what has nothing to fill in
}

// LoadTexts reads the locales.
func LoadTexts() (*Texts, error) {
	bundle := i18n.NewBundle(language.English)
	texts := &Texts{localizers: map[string]*i18n.Localizer{}, plain: map[string]map[string]string{}}
	languages, err := locales.ReadDir("locales")
	if err != nil {
		return nil, err
	}
	for _, dir := range languages {
		lang := dir.Name()
		files, err := locales.ReadDir("locales/" + lang)
		if err != nil {
			return nil, err
		}
		texts.plain[lang] = map[string]string{}
		for _, file := range files {
			name := path.Join("locales", lang, file.Name())
			content, err := locales.ReadFile(name)
			if err != nil {
				return nil, err
			}
			// The library takes the language from the end of the name: clients.en.json.
			noun := strings.TrimSuffix(file.Name(), ".json")
			parsed, err := bundle.ParseMessageFileBytes(content, noun+"."+lang+".json")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			for _, message := range parsed.Messages {
				if !strings.Contains(message.Other, "{{") {
					texts.plain[lang][message.ID] = message.Other
				}
			}
		}
		texts.localizers[lang] = i18n.NewLocalizer(bundle, lang)
	}
	return texts, nil
}

// Say is the text of a key; args come in pairs, name and value, and fill {{.Name}}. A key that
// doesn't exist is shown as it is; a test finds it.
func (t *Texts) Say(lang, key string, args ...any) string {
	if text, ok := t.plain[lang][key]; ok { // a page has a hundred of them, and the library takes its time
		return text
	}
	return t.localize(lang, &i18n.LocalizeConfig{MessageID: key, TemplateData: pairs(lang, args)})
}

// Count is the text of a key in the plural form that n asks for; {{.Count}} is n.
func (t *Texts) Count(lang, key string, n int64, args ...any) string {
	data := pairs(lang, args)
	data["Count"] = number(lang, n)
	return t.localize(lang, &i18n.LocalizeConfig{MessageID: key, PluralCount: n, TemplateData: data})
}

// Fill is Say with the placeholders of a domain.Error.
func (t *Texts) Fill(lang, key string, args map[string]any) string {
	data := make(map[string]any, len(args))
	for name, arg := range args {
		data[name] = number(lang, arg)
	}
	return t.localize(lang, &i18n.LocalizeConfig{MessageID: key, TemplateData: data})
}

func (t *Texts) localize(lang string, config *i18n.LocalizeConfig) string {
	text, err := t.localizers[lang].Localize(config)
	if err != nil && text == "" {
		return config.MessageID
	}
	return text
}

func pairs(lang string, args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = number(lang, args[i+1])
	}
	return data
}

// separators stand between thousands: a comma, a narrow no-break space.
var separators = map[string]string{"en": ",", "ru": "\u202f"}

// number is a whole number with its thousands apart ("100,060"); any other value stays as it is.
// Years and what programs read are handed over as text or written without it.
func number(lang string, value any) any {
	switch value.(type) {
	case int, int64:
	default:
		return value
	}
	digits := fmt.Sprint(value)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + separators[lang] + digits[i:]
	}
	return digits
}
