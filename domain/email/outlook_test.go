package email

import (
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/domain/blocks"
	"skychimp/domain/email/outlooktest"
	"skychimp/domain/htmlemail"
)

// everyBlock is a body with a block of each kind, and what else Markdown has.
func everyBlock(t *testing.T) string {
	t.Helper()
	const picture = "https://example.com/5f1c-1200x500.jpg"
	list := []blocks.Block{}
	for _, kind := range blocks.Kinds() {
		b := blocks.New(kind)
		switch kind {
		case blocks.Picture:
			b.Picture, b.Alt, b.URL = picture, "Tulips", "https://example.com"
		case blocks.Button:
			b.Text, b.URL = "Order", "https://example.com"
		case blocks.Columns:
			b.Text, b.Picture, b.Alt, b.Right = "left\n\n**[Order](https://example.com)**", picture, "a", blocks.Side{Text: "## right\n\n> quote", Picture: picture, Alt: "b"}
		case blocks.Product:
			b.Picture, b.Alt, b.Name, b.Text, b.Price, b.Label, b.URL = picture, "a", "Tulips", "Fresh.\n\n- red", "990", "Order", "https://example.com"
		case blocks.List:
			b.Text = "- a\n- b\n  1. c\n\n     > quoted"
		case blocks.Markdown:
			b.Text = "|a|b|\n|-|-|\n|c|d|\n\n```\ncode\n```"
		case blocks.Divider:
		default:
			b.Text = "words of *" + string(kind) + "*"
		}
		list = append(list, b)
	}
	blocks.Settle(list)
	for _, b := range list {
		if strings.TrimSpace(b.Source) == "" {
			t.Fatalf("nothing of a %s is in the body", b.Kind)
		}
	}
	return "![hero](" + picture + ")\n\n" + blocks.Body(list)
}

// No block is spoilt by Outlook or Gmail, in any look and direction.
func TestOutlookShowsEveryBlock(t *testing.T) {
	for _, language := range []string{"en", "ar"} {
		for _, brand := range []domain.Brand{{}, {Name: "Tulips", Color: "#ffd400", Ground: "#20103a", Font: "georgia", Logo: strings.Repeat("a", 32) + "-1200x300.png",
			Address: "Street 1", Links: []string{"https://t.me/tulips"}}} {
			s := benchSource()
			s.Body, s.Language, s.Brand, s.MediaURL, s.Preheader = everyBlock(t), language, brand, "https://example.com/media/", "beside the subject"
			page := compile(t, s).HTML(benchRecipient())
			for _, wrong := range outlooktest.Lint(page) {
				t.Error(language, brand.Name, wrong)
			}
			if !strings.Contains(page, `class="hero"`) || strings.Count(page, `width="600" height="250"`) != 1 {
				t.Errorf("no picture at the upper edge in %s", page)
			}
		}
	}
	notice := Notice{Subject: "x", Paragraphs: []string{"Hello"}, ButtonText: "Confirm", ButtonURL: "https://example.com", FooterText: "y", Language: "en", From: benchSource().From}
	compiled, err := notice.compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range outlooktest.Lint(compiled.HTML(Recipient{})) {
		t.Error("notice", wrong)
	}
}

// What the lint is for, it finds.
func TestOutlookLint(t *testing.T) {
	s := benchSource()
	page := compile(t, s).HTML(benchRecipient())
	if wrong := outlooktest.Lint(page); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	for put, want := range map[string]string{
		`<div style="display:flex">`:                                        "display:flex",
		`<p style="position:absolute">`:                                     "position",
		`<div style="padding:8px">`:                                         "pads cells alone",
		`<img src="https://example.com/a.png" alt="">`:                      "no width",
		`<img src="https://example.com/a.png" width="9">`:                   "no alt",
		`<table cellpadding="0" cellspacing="0" border="0">`:                "role=presentation",
		`<table role="presentation" cellpadding="0" border="0">`:            "no cellspacing",
		`<p style="background:url(https://example.com/a.png)">`:             "url(",
		`<p style="font-size:2rem">`:                                        "2rem",
		`<hr>`:                                                              "draws its own",
		`<blockquote>a</blockquote>`:                                        "not in a cell",
		`<a style="display:inline-block;padding:9px">b</a>`:                 "a button without",
		`<!--[if mso]><table><![endif]-->`:                                  "left open",
		strings.Repeat("<p>many words of an email</p>", 4000):               "clips",
		`<style>` + strings.Repeat(".a{color:#123456}\n", 600) + `</style>`: "Gmail drops it",
	} {
		spoilt := strings.Replace(page, "</h1>", "</h1>"+put, 1)
		if found := outlooktest.Lint(spoilt); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%.60s: %q, want %q", put, found, want)
		}
	}
}

// Only a wide picture that an email begins with stands at its upper edge, and what was taken over with its look stays as it was.
func TestHero(t *testing.T) {
	const wide = "https://example.com/a-1200x500.jpg"
	for body, want := range map[string]bool{
		"![a](" + wide + ")\n\ntext":                                                 true,
		"[![a](" + wide + ")](https://example.com)\n\ntext":                          true,
		"![a](" + wide + ") text":                                                    false,
		"text\n\n![a](" + wide + ")":                                                 false,
		"![a](https://example.com/a-500x200.jpg)":                                    false,
		"![a](https://example.com/a-1200x1600.jpg)":                                  false,
		"![a](https://example.com/a.jpg)":                                            false,
		"**[![a](" + wide + ")](https://example.com)**":                              false,
		`<div class="` + htmlemail.Class + `"><p><img src="` + wide + `"></p></div>`: false,
	} {
		s := benchSource()
		s.Body = body
		page := compile(t, s).HTML(benchRecipient())
		if got := strings.Contains(page, `<td class="hero"`); got != want {
			t.Errorf("%s: %v", body, got)
		}
		if strings.Count(page, "<img") != 1 {
			t.Errorf("%s became %s", body, page)
		}
	}
}
