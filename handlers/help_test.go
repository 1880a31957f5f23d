package handlers

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/templates"
)

// Everybody gets the guides to what their role may do, the first of them at once.
func TestHelp(t *testing.T) {
	w := newEnv(t)
	for role, want := range map[domain.Role]string{
		domain.RoleUser: "user", domain.RoleManager: "manager", domain.RoleContent: "content",
		domain.RoleAdmin: "user manager content operator", "": "user manager content operator",
	} {
		b := w.visitor(t)
		if role != "" {
			b = w.as(t, w.user(t, "help-"+string(role), role))
		}
		first, _, several := strings.Cut(want, " ")
		guide, err := templates.Guide("en", first)
		if err != nil {
			t.Fatal(err)
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(string(guide), "# "), "\n")
		page := b.get("/help").is(t, 200, "<html", title+"</h1>", `href="/help"`).body
		for _, name := range templates.GuideNames() {
			offered := strings.Contains(page, `href="/help?guide=`+name+`"`)
			if wanted := several && strings.Contains(want, name); offered != wanted {
				t.Errorf("%s: the guide %s is offered: %t", role, name, offered)
			}
			b.get("/help?guide="+name).is(t, 200)
		}
		if fragment := b.htmx().get("/help").is(t, 200, title).body; strings.Contains(fragment, "<html") {
			t.Errorf("htmx gets a page: %s", fragment)
		}
	}
	w.visitor(t).get("/help?guide=page").is(t, 404)
	w.visitor(t).get("/help/en/user.md").is(t, 404)
	w.visitor(t).get("/help/en/..%2Fru%2Fpost.png").is(t, 404)
}

// The guides say the same in each language, name headings that exist, and show pictures that
// exist, each of them small; no picture is left over.
func TestGuides(t *testing.T) {
	w := newEnv(t)
	shape := regexp.MustCompile(`(?m)^(#+ |!\[|\||\d\. |- )`)
	shown := regexp.MustCompile(`<img src="([^"]+)" alt="[^"]{5,}"`)
	for _, name := range templates.GuideNames() {
		shapes := map[string]string{}
		for _, lang := range domain.Languages() {
			b := w.visitor(t).with("Accept-Language", lang)
			source, err := templates.Guide(lang, name)
			if err != nil {
				t.Fatal(err)
			}
			shapes[strings.Join(shape.FindAllString(string(source), -1), " ")] = lang
			page := b.get("/help?guide="+name).is(t, 200, `lang="`+lang+`"`).body
			for _, anchor := range regexp.MustCompile(`<a href="#([^"]+)">`).FindAllStringSubmatch(page, -1) {
				if !strings.Contains(page, `id="`+anchor[1]+`"`) {
					t.Errorf("%s in %s: nothing at #%s", name, lang, anchor[1])
				}
			}
			if pictures := shown.FindAllStringSubmatch(page, -1); len(pictures) != strings.Count(string(source), "\n![") {
				t.Errorf("%s in %s shows %d pictures", name, lang, len(pictures))
			} else {
				for _, picture := range pictures {
					got := b.get(picture[1]).is(t, 200, "\x89PNG")
					if len(got.body) > 150<<10 || got.Header.Get("Content-Type") != "image/png" {
						t.Errorf("%s: %d bytes of %s", picture[1], len(got.body), got.Header.Get("Content-Type"))
					}
				}
			}
		}
		if len(shapes) != 1 {
			t.Errorf("the guide %s has other parts in another language: %v", name, shapes)
		}
	}
	for _, lang := range domain.Languages() {
		files, err := os.ReadDir("../templates/help/" + lang)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, name := range templates.GuideNames() {
			source, _ := templates.Guide(lang, name)
			all.Write(source)
		}
		for _, file := range files {
			if strings.HasSuffix(file.Name(), ".png") && !strings.Contains(all.String(), fmt.Sprintf("](%s)", file.Name())) {
				t.Errorf("no guide in %s shows %s", lang, file.Name())
			}
		}
	}
}
