package templates

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
)

// words are the texts of a language, by key; plural forms stand in one text.
func words(t *testing.T, lang string) map[string]string {
	t.Helper()
	files, err := locales.ReadDir("locales/" + lang)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		content, err := locales.ReadFile("locales/" + lang + "/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(content, &texts); err != nil {
			t.Fatalf("%s/%s: %v", lang, file.Name(), err)
		}
		noun := strings.TrimSuffix(file.Name(), ".json")
		for key, text := range texts {
			if !strings.HasPrefix(key, noun+".") {
				t.Errorf("%s/%s: %s belongs into another file", lang, file.Name(), key)
			}
			forms, plural := text.(map[string]any)
			if !plural {
				all[key] = text.(string)
			}
			for _, form := range forms {
				all[key] += form.(string) + "\n"
			}
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`\{\{\s*\.\w+\s*\}\}`)

func TestLanguagesSayTheSame(t *testing.T) {
	en, ru := words(t, "en"), words(t, "ru")
	set := func(text string) []string {
		return slices.Compact(slices.Sorted(slices.Values(placeholder.FindAllString(text, -1))))
	}
	for key := range maps.Keys(ru) {
		if en[key] == "" {
			t.Errorf("%s has no English text", key)
		}
	}
	for key, text := range en {
		if ru[key] == "" {
			t.Errorf("%s has no Russian text", key)
		} else if !reflect.DeepEqual(set(text), set(ru[key])) {
			t.Errorf("%s has the placeholders %v in English, %v in Russian", key, set(text), set(ru[key]))
		}
	}
}

// The words of emails stand in every language that a message may have.
func TestEmailsHaveWordsInTheirLanguage(t *testing.T) {
	en := words(t, "en")
	for _, lang := range domain.MessageLanguages() {
		said := words(t, lang)
		for _, key := range []string{"recipients.unsubscribe", "recipients.footer", "recipients.view"} {
			if said[key] == "" || strings.Contains(en[key], "{{.Name}}") != strings.Contains(said[key], "{{.Name}}") {
				t.Errorf("%s in %s: %q", key, lang, said[key])
			}
		}
	}
}

var (
	comment = regexp.MustCompile(`(?m)(^|\s)//.*$`)
	literal = regexp.MustCompile(`["` + "`" + `]([a-z]+\.[a-z0-9_]*)["` + "`" + `]`)
	refusal = regexp.MustCompile(`(?:Refuse|Add)\([^)]*"([a-z]+\.[a-z0-9_]+)"`)
)

// Every key that a template or the code names has a text, and every text is named. A key that
// ends in a dot or an underscore is the beginning of keys that are put together at run time.
func TestKeysAreUsedAndKnown(t *testing.T) {
	known := words(t, "en")
	nouns := map[string]bool{}
	for key := range known {
		noun, _, _ := strings.Cut(key, ".")
		nouns[noun] = true
	}
	used := map[string]bool{}
	for key, where := range namedKeys(t, nouns) {
		begins := strings.HasSuffix(key, "_") || strings.HasSuffix(key, ".")
		found := false
		for one := range known {
			if one == key || begins && strings.HasPrefix(one, key) {
				used[one], found = true, true
			}
		}
		if !found {
			t.Errorf("%s names %s, which has no text", where, key)
		}
	}
	for key := range known {
		if !used[key] {
			t.Errorf("%s is not used", key)
		}
	}
}

// namedKeys are the keys in the sources, each with a file that names it.
func namedKeys(t *testing.T, nouns map[string]bool) map[string]string {
	t.Helper()
	keys := map[string]string{}
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "data"):
			return filepath.SkipDir
		case entry.IsDir(), strings.HasSuffix(file, "_test.go"), filepath.Ext(file) != ".go" && filepath.Ext(file) != ".html":
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text = comment.ReplaceAll(text, nil)
		for _, match := range refusal.FindAllStringSubmatch(string(text), -1) {
			keys[match[1]] = file
		}
		for _, match := range literal.FindAllStringSubmatch(string(text), -1) {
			if noun, _, _ := strings.Cut(match[1], "."); nouns[noun] {
				keys[match[1]] = file
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestNumbersHaveTheirThousandsApart(t *testing.T) {
	texts := newSet(t).Texts()
	for n, want := range map[int64][2]string{
		7: {"7 clients", "7 клиентов"}, 999: {"999 clients", "999 клиентов"}, 1000: {"1,000 clients", "1\u202f000 клиентов"},
		100_060: {"100,060 clients", "100\u202f060 клиентов"}, 1_234_567: {"1,234,567 clients", "1\u202f234\u202f567 клиентов"},
		-1000: {"-1,000 clients", "-1\u202f000 клиентов"}, -100: {"-100 clients", "-100 клиентов"},
	} {
		if en, ru := texts.Count("en", "clients.found", n), texts.Count("ru", "clients.found", n); en != want[0] || ru != want[1] {
			t.Errorf("%d: %q and %q", n, en, ru)
		}
	}
	if got := texts.Say("en", "onboarding.sent_of", "Done", int64(232_340), "Planned", 243_240); got != "232,340 of 243,240 sent" {
		t.Errorf("two numbers: %q", got)
	}
	if got := texts.Fill("ru", "imports.rows_many", map[string]any{"Max": 100_000}); !strings.Contains(got, "100\u202f000") {
		t.Errorf("the limit of a rule: %q", got)
	}
}

func TestCount(t *testing.T) {
	texts := newSet(t).Texts()
	if got := texts.Say("en", "no.such_key"); got != "no.such_key" {
		t.Errorf("an unknown key shows as %q", got)
	}
	if got := texts.Say("ru", "errors.home"); got != "На главную" {
		t.Errorf("errors.home in Russian: %q", got)
	}
}
