package templates

import (
	"bytes"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"testing"
	"text/template/parse"

	"skychimp/static"
)

func newSet(t *testing.T) *Set {
	t.Helper()
	files, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// eachFile calls do with the name ("clients/list") and the text of every template file.
func eachFile(t *testing.T, do func(name, text string)) {
	t.Helper()
	err := fs.WalkDir(pages, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := pages.ReadFile(file)
		do(strings.TrimSuffix(file, ".html"), string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// All files share one space of names, and the later definition would silently win.
func TestNamesAreUnique(t *testing.T) {
	define := regexp.MustCompile(`\{\{-?\s*(?:define|block)\s+"([^"]+)"`)
	seen := map[string]string{}
	note := func(name, file string) {
		if other, ok := seen[name]; ok {
			t.Errorf("%s is defined in %s and in %s", name, other, file)
		}
		seen[name] = file
	}
	eachFile(t, func(name, text string) {
		note(name, name)
		for _, match := range define.FindAllStringSubmatch(text, -1) {
			note(match[1], name)
		}
	})
}

// A file that isn't made of blocks alone is a page, and the frame wants its title.
func TestPagesHaveTitles(t *testing.T) {
	set := newSet(t)
	eachFile(t, func(name, _ string) {
		page := set.Template("en", name)
		if name == "frame" || page == nil || page.Tree == nil || parse.IsEmptyTree(page.Tree.Root) {
			return
		}
		if set.Template("en", name+".title") == nil {
			t.Errorf("%s has no %s.title", name, name)
		}
	})
}

// Pages and fragments of all languages at once, as requests ask for them: nobody gets the
// words or the content of another.
func TestRenderAtOnce(t *testing.T) {
	set := newSet(t)
	render := func(lang, name string) string {
		var out bytes.Buffer
		var data any
		if name == "ui/form-problem" {
			data = ValidationErrors{"": "fragment"}
		}
		if err := set.Render(&out, lang, name, data); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	names := []string{"home/page", "home/page.title", "ui/form-problem"}
	var all sync.WaitGroup
	for worker := range 8 {
		lang := []string{"en", "ru"}[worker%2]
		all.Go(func() {
			want := map[string]string{}
			for i := range 600 {
				name := names[(i+worker)%len(names)]
				got := render(lang, name)
				if before, ok := want[name]; ok && before != got {
					t.Errorf("%s in %s: %q, before %q", name, lang, got, before)
					return
				}
				want[name] = got
			}
		})
	}
	all.Wait()
	if render("en", "home/page") == render("ru", "home/page") {
		t.Error("both languages show the same page")
	}
}

func TestField(t *testing.T) {
	set := newSet(t)
	field, err := newField("email", `a"b`, ValidationErrors{"email": "wrong"}, "E-mail", "type=email", "required", "hint=why")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := set.Render(&out, "en", "ui/field", field); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`for="field-email"`, `id="field-email"`, `value="a&#34;b"`, `aria-invalid="true"`,
		`aria-describedby="field-email-problem field-email-hint"`, `id="field-email-problem">wrong<`, `id="field-email-hint">why<`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
	if _, err := newField("email", "", nil, "E-mail", "colour=red"); err == nil {
		t.Error("an unknown attribute is taken")
	}
}

func TestFold(t *testing.T) {
	page := template.Must(template.New("").Funcs(template.FuncMap{
		"t":    func(string, ...any) string { return "called" },
		"icon": func(string) template.HTML { return "called" },
	}).Parse(`<p title="{{t "a.b"}}">{{if .}}{{icon "x"}}{{t "a.b"}}{{else}}{{t "a.b" "N" 1}}{{end}}{{t "a.c"}}</p>`))
	texts := &Texts{phrases: map[string]map[string]phrase{"en": {"a.b": {`"1" < '2'`}, "a.c": {"", "N", ""}}}}
	fold(page.Tree.Root, constants(texts, "en", &static.Files{}))
	for given, want := range map[bool]string{
		true:  `<p title="&#34;1&#34; &lt; &#39;2&#39;">&#34;1&#34; &lt; &#39;2&#39;called</p>`,
		false: `<p title="&#34;1&#34; &lt; &#39;2&#39;">calledcalled</p>`,
	} {
		var out bytes.Buffer
		if err := page.Execute(&out, given); err != nil || out.String() != want {
			t.Errorf("%v: %s, want %s (%v)", given, out.String(), want, err)
		}
	}
}

func TestPhrase(t *testing.T) {
	for _, tt := range []struct {
		text string
		args []any
		want string
	}{
		{"no places", nil, "no places"},
		{"{{.N}} of {{ .Of }}!", []any{"Of", 12_345, "N", "a<b"}, "a<b of 12,345!"},
		{"{{.N}}", []any{"Other", "N"}, ""},
		{"{{.N}}", nil, ""},
		{"{{if .N}}x{{end}}", []any{"N", 1}, ""},
	} {
		p, ok := newPhrase(tt.text)
		got := ""
		if ok {
			got, ok = p.fill("en", tt.args)
		}
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q with %v: %q, %v", tt.text, tt.args, got, ok)
		}
	}
}
