// Package templates shows: one folder per noun, one file per page, its words in locales.
//
// A file is a page: templates/clients/list.html is the template "clients/list", and it defines
// "clients/list.title" for the browser's title beside it. Blocks are defined in the page where
// they stand. All names share one space.
package templates

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"

	engine "github.com/gofiber/template/html/v2"

	"skychimp/static"
)

//go:embed *.html */*.html
var pages embed.FS

// Set is all templates in all languages. It is safe for concurrent use.
type Set struct {
	texts   *Texts
	engines map[string]*template.Template
}

// New parses all templates, once for each language, because the functions of a template
// belong to its engine.
func New(files *static.Files) (*Set, error) {
	texts, err := LoadTexts()
	if err != nil {
		return nil, err
	}
	set := &Set{texts: texts, engines: map[string]*template.Template{}}
	for lang := range texts.localizers {
		e := engine.NewFileSystem(http.FS(pages), ".html")
		e.AddFuncMap(funcs(texts, lang, files))
		if err := e.Load(); err != nil {
			return nil, err
		}
		// Its Render is left alone: it changes the functions while others execute.
		set.engines[lang] = e.Templates
		for _, one := range e.Templates.Templates() {
			if one.Tree != nil {
				fold(one.Tree.Root, constants(texts, lang, files))
			}
		}
	}
	return set, nil
}

func funcs(texts *Texts, lang string, files *static.Files) template.FuncMap {
	return template.FuncMap{
		"t":      func(key string, args ...any) string { return texts.Say(lang, key, args...) },
		"tn":     func(key string, n int64, args ...any) string { return texts.Count(lang, key, n, args...) },
		"n":      func(value any) any { return number(lang, value) },
		"asset":  files.URL,
		"icon":   func(name string) template.HTML { return template.HTML(files.Icon(name)) },
		"field":  newField,
		"search": newSearch,
		"once":   rand.Text,
	}
}

// Texts are the words of all pages.
func (s *Set) Texts() *Texts { return s.texts }

// Template is one template in one language, nil when there is none; for tests.
func (s *Set) Template(lang, name string) *template.Template { return s.engines[lang].Lookup(name) }

// Render executes a template.
func (s *Set) Render(out io.Writer, lang, name string, data any) error {
	return s.engines[lang].ExecuteTemplate(out, name, data)
}

// Page is a page to be put into the frame. Head is what it adds to the document's head, by its
// template "<name>.head", which few pages have.
type Page struct {
	Title, Head, Content template.HTML
}

// Page executes a page, its title and its head.
func (s *Set) Page(lang, name string, data any) (page Page, err error) {
	if page.Title, err = s.text(lang, name+".title", data); err != nil {
		return page, fmt.Errorf("title: %w", err)
	}
	if s.Template(lang, name+".head") != nil {
		if page.Head, err = s.text(lang, name+".head", data); err != nil {
			return page, fmt.Errorf("head: %w", err)
		}
	}
	page.Content, err = s.text(lang, name, data)
	return page, err
}

func (s *Set) text(lang, name string, data any) (template.HTML, error) {
	var out bytes.Buffer
	err := s.Render(&out, lang, name, data)
	return template.HTML(out.String()), err
}
