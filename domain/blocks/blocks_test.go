package blocks

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []Block // without Sources
	}{
		{"empty", " \n", nil},
		{"texts", "# A *b*\ntext\nmore\n\n- a\n- b\n\nlast", []Block{
			{Kind: Heading, Fields: Fields{Level: 1, Text: "A *b*"}}, {Kind: Text, Fields: Fields{Text: "text\nmore\n\n- a\n- b\n\nlast"}}}},
		{"list", "- a\n- b\n\n> c\n> d\n\n***", []Block{
			{Kind: List, Fields: Fields{Text: "- a\n- b"}}, {Kind: Quote, Fields: Fields{Text: "c\nd"}}, {Kind: Divider}}},
		{"underlined heading", "A\n---\n", []Block{{Kind: Heading, Fields: Fields{Level: 2, Text: "A"}}}},
		{"pictures", "![a \\* {{name}}](https://e.example/a.png)\n\n[![b](<https://e.example/b (1).png>)](e.example)", []Block{
			{Kind: Picture, Fields: Fields{Picture: "https://e.example/a.png", Alt: "a * {{name}}"}},
			{Kind: Picture, Fields: Fields{Picture: "https://e.example/b (1).png", Alt: "b", URL: "https://e.example"}}}},
		{"picture with a title", `![a](https://e.example/a.png "t")`, []Block{{Kind: Markdown, Fields: Fields{Text: `![a](https://e.example/a.png "t")`}}}},
		{"button", "**[Buy, {{first_name}}!](https://e.example/?e={{email}})**", []Block{
			{Kind: Button, Fields: Fields{Text: "Buy, {{first_name}}!", URL: "https://e.example/?e={{email}}"}}}},
		{"button with marks", "**[a *b*](https://e.example)**", []Block{{Kind: Markdown, Fields: Fields{Text: "**[a *b*](https://e.example)**"}}}},
		{"columns", "<!-- columns -->\n\n![l](https://e.example/l.png)\n\nleft\n\n<!-- column -->\n\n## right\n\n<!-- /columns -->", []Block{
			{Kind: Columns, Fields: Fields{Text: "left", Picture: "https://e.example/l.png", Alt: "l", Right: Side{Text: "## right"}}}}},
		{"product", "<!-- product -->\n\n![t](https://e.example/t.png)\n\n### Tulips\n\nFresh.\n\n**990 ₽**\n\n**[Order](https://e.example)**\n\n<!-- /product -->\n\nx", []Block{
			{Kind: Product, Fields: Fields{Picture: "https://e.example/t.png", Alt: "t", Name: "Tulips", Text: "Fresh.", Price: "990 ₽", Label: "Order", URL: "https://e.example"}},
			{Kind: Text, Fields: Fields{Text: "x"}}}},
		{"only a price", "<!-- product -->\n\n**1**\n\n<!-- /product -->", []Block{{Kind: Product, Fields: Fields{Price: "1"}}}},
		{"footer", "<!-- footer -->\n\n*We*, here\n\n<!-- /footer -->", []Block{{Kind: Footer, Fields: Fields{Text: "*We*, here"}}}},
		{"footer without an end", "<!-- footer -->\n\nWe", []Block{
			{Kind: Markdown, Fields: Fields{Text: "<!-- footer -->"}}, {Kind: Text, Fields: Fields{Text: "We"}}}},
		{"a hidden address", "# A\n[a]: /b\n", []Block{
			{Kind: Heading, Fields: Fields{Level: 1, Text: "A"}}, {Kind: Markdown, Fields: Fields{Text: "[a]: /b"}}}},
		{"others", "|a|\n|-|\n|b|\n\n```\nc\n```\n\n<b>d</b>", []Block{
			{Kind: Markdown, Fields: Fields{Text: "|a|\n|-|\n|b|"}}, {Kind: Markdown, Fields: Fields{Text: "```\nc\n```"}}, {Kind: Text, Fields: Fields{Text: "<b>d</b>"}}}},
		{"too much", strings.Repeat("> ", 60) + "a", []Block{{Kind: Markdown, Fields: Fields{Text: strings.Repeat("> ", 60) + "a"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := Parse(test.body)
			if got := Body(list); got != test.body && test.want != nil {
				t.Errorf("body %q", got)
			}
			if len(list) != len(test.want) {
				t.Fatalf("%+v", list)
			}
			for i, b := range list {
				if b.Kind != test.want[i].Kind || b.Fields != test.want[i].Fields {
					t.Errorf("%d: %+v, want %+v", i, b, test.want[i])
				}
			}
		})
	}
}

func TestSettle(t *testing.T) {
	const body = "# A\ntext\n\n\n***\n> q\n\n**[b](https://e.example)**\n"
	for _, test := range []struct {
		name   string
		change func([]Block) []Block
		want   string
	}{
		{"nothing", func(l []Block) []Block { return l }, body},
		{"heading", func(l []Block) []Block { l[0].Text, l[0].Level = " New\n one ", 2; return l }, "## New one\n\ntext\n\n\n***\n> q\n\n**[b](https://e.example)**\n"},
		{"quote", func(l []Block) []Block { l[3].Text = "a\n\nb"; return l }, "# A\ntext\n\n\n***\n\n> a\n>\n> b\n\n**[b](https://e.example)**\n"},
		{"button", func(l []Block) []Block { l[4].Text, l[4].URL = "Buy [now]", "e.example/a b"; return l },
			"# A\ntext\n\n\n***\n> q\n\n**[Buy \\[now\\]](<e.example/a b>)**"},
		{"emptied", func(l []Block) []Block { l[3].Text = "\n"; return l }, "# A\ntext\n\n\n***\n**[b](https://e.example)**\n"},
		{"up", func(l []Block) []Block { return Move(l, 4, 3) }, "# A\ntext\n\n\n***\n\n**[b](https://e.example)**\n\n> q\n\n"},
		{"down", func(l []Block) []Block { return Move(l, 0, 1) }, "text\n\n\n# A\n\n***\n> q\n\n**[b](https://e.example)**\n"},
		{"nowhere", func(l []Block) []Block { return Move(Move(Remove(l, 9), 0, -1), 9, 0) }, body},
		{"removed", func(l []Block) []Block { return Remove(l, 2) }, "# A\ntext\n\n\n> q\n\n**[b](https://e.example)**\n"},
		{"a new one", func(l []Block) []Block { b := New(Divider); b.Source = ""; return Insert(l, 5, b) }, body + "\n---"},
		{"an empty one", func(l []Block) []Block { return Insert(Insert(l, 1, New(Text)), 1, New(Product)) }, "# A\n\ntext\n\n\n***\n> q\n\n**[b](https://e.example)**\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := test.change(Parse(body))
			Settle(list)
			if got := Body(list); got != test.want {
				t.Errorf("%q\nwant %q", got, test.want)
			}
		})
	}
}

// examples are CommonMark's own, as goldmark brings them along for its tests, and some of ours.
func examples(t *testing.T) []string {
	t.Helper()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/goldmark").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "_test", "spec.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec []struct{ Markdown string }
	if err := json.Unmarshal(file, &spec); err != nil || len(spec) < 600 {
		t.Fatal(len(spec), err)
	}
	list := []string{"<!-- columns -->\n\nа\n\n<!-- column -->\n\nб\n\n<!-- /columns -->", "<!-- product -->\n### x\n<!-- /product -->",
		"**[Купить](e.example)**\n", "![a](https://e.example/a.png)", "|a|b|\n|-|-|\n|1|2|\n", "Yours,\n--\nAnna", "~~a~~", "<!-- footer -->\nf\n<!-- /footer -->\n"}
	for _, one := range spec {
		list = append(list, one.Markdown)
	}
	return list
}

// TestNothingIsLost takes all examples, and random ones one after the other, through the blocks.
func TestNothingIsLost(t *testing.T) {
	list := examples(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		some := ""
		for range 2 + random.IntN(4) {
			some += list[random.IntN(650)] + "\n\n\n"[:random.IntN(3)]
		}
		list = append(list, some)
	}
	kinds := map[Kind]int{}
	for _, body := range list {
		if strings.TrimSpace(body) == "" {
			continue
		}
		blocks := Parse(body)
		if got := Body(blocks); got != body {
			t.Errorf("%q came back as %q", body, got)
		}
		for _, b := range blocks {
			kinds[b.Kind]++
			if b.Kind != Text && b.Kind != List && b.Kind != Markdown && !same(b.Source, b.print()) {
				t.Errorf("%s of %q would become %q", b.Kind, body, b.print())
			}
		}
		Settle(blocks)
		if got := Body(blocks); got != body {
			t.Errorf("%q was settled as %q", body, got)
		}
		if len(blocks) > 1 { // what is changed changes nothing else
			at := random.IntN(len(blocks))
			rest := []string{Body(blocks[:at]), Body(blocks[at+1:])}
			blocks[at].Kind, blocks[at].Fields = Button, Fields{Text: "new", URL: "https://e.example"}
			Settle(blocks)
			if got := Body(blocks); !strings.HasPrefix(got, rest[0]) || !strings.HasSuffix(got, rest[1]) || !strings.Contains(got, "**[new](https://e.example)**") {
				t.Errorf("%q was changed to %q", body, got)
			}
		}
	}
	for _, kind := range Kinds() {
		if kinds[kind] == 0 {
			t.Errorf("no %s among the examples", kind)
		}
	}
	t.Log(kinds)
}

func TestSimple(t *testing.T) {
	for source, want := range map[string]bool{
		"a **b** *c* [d](https://e.example) https://e.example\ne\n\n- f\n- g\n  1. h": true, "": true,
		"### a *b*\n\nc\n\n[d](https://e.example)": true, "a\n## b #": true, "a\n---": false, "#": false, "- # a": false,
		"- a\n\n- b": false, "`a`": false, "~~a~~": false, "<b>a</b>": false, "![a](b.png)": false, "> a": false, "|a|\n|-|": false,
	} {
		if Simple(source) != want {
			t.Errorf("%q: %v", source, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# a\n\n<!-- product -->\n\nb\n\n<!-- /product -->\n> c")
	f.Fuzz(func(t *testing.T, body string) {
		if list := Parse(body); list != nil && Body(list) != body {
			t.Errorf("%q came back as %q", body, Body(list))
		}
	})
}
