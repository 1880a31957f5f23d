package templates

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*/*.json
var locales embed.FS

// Texts say things in every language, by key ("clients.email_taken").
type Texts struct {
	localizers map[string]*i18n.Localizer
	phrases    map[string]map[string]phrase // by language and key
}

// phrase is a text without plural forms: words, and at every second place the name of what is filled in. A page has a
// hundred of them, and the library takes its time for each.
type phrase []string

var filled = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

// newPhrase reports whether text is one; other templates are left to the library.
func newPhrase(text string) (p phrase, ok bool) {
	begin := 0
	for _, at := range filled.FindAllStringSubmatchIndex(text, -1) {
		p = append(p, text[begin:at[0]], text[at[2]:at[3]])
		begin = at[1]
	}
	p = append(p, text[begin:])
	return p, !strings.Contains(strings.Join(p, ""), "{{")
}

// fill writes the values of args, which come in pairs, into their places; ok is false when one is missing.
func (p phrase) fill(lang string, args []any) (text string, ok bool) {
	if len(p) == 1 {
		return p[0], true
	}
	var out strings.Builder
	for i, words := range p {
		if i%2 == 0 {
			out.WriteString(words)
			continue
		}
		at := slices.Index(args, any(words))
		if at%2 != 0 || at+1 >= len(args) {
			return "", false
		}
		fmt.Fprint(&out, number(lang, args[at+1]))
	}
	return out.String(), true
}

// LoadTexts reads the locales.
func LoadTexts() (*Texts, error) {
	bundle := i18n.NewBundle(language.English)
	texts := &Texts{localizers: map[string]*i18n.Localizer{}, phrases: map[string]map[string]phrase{}}
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
		texts.phrases[lang] = map[string]phrase{}
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
				if p, ok := newPhrase(message.Other); ok {
					texts.phrases[lang][message.ID] = p
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
	if p, known := t.phrases[lang][key]; known {
		if text, ok := p.fill(lang, args); ok {
			return text
		}
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
