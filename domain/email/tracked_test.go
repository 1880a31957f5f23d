package email

import (
	"slices"
	"strings"
	"testing"
)

func TestTrackedLinks(t *testing.T) {
	s := benchSource()
	s.Body = "Hello {{name}}! [One](https://shop.example/a?b=1&c=2#top), [two](https://shop.example/two?who={{email}}), " +
		"[mail](mailto:a@example.com), [out](https://mail.example.com/unsubscribe/x), [again](https://shop.example/a?b=1&c=2#top).\n\n" +
		"{{#if comment}}[three](http://shop.example/three){{else}}[four](https://shop.example/four?utm_source=own){{/if}}\n"
	s.Tracked = Tracked{BaseURL: "https://mail.example.com", Opens: true, Campaign: "Spring & all"}
	links, err := Links(s)
	if err != nil {
		t.Fatal(err)
	}
	utm := "utm_campaign=Spring+%26+all&utm_medium=email&utm_source=email"
	want := []string{"https://shop.example/a?b=1&c=2&" + utm + "#top", "http://shop.example/three?" + utm, "https://shop.example/four?utm_source=own"}
	if !slices.Equal(links, want) {
		t.Fatalf("links %q", links)
	}
	s.Tracked.Links = links
	compiled, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	r := benchRecipient()
	r.VisitToken = "abc234"
	page := compiled.HTML(r)
	for text, n := range map[string]int{
		`href="https://mail.example.com/c/abc234/1"`: 2, `href="https://mail.example.com/c/abc234/2"`: 1, `/c/abc234/3`: 0,
		`<img src="https://mail.example.com/o/abc234" width="1"`:         1,
		`href="https://shop.example/two?who=anna.petrova%40example.net"`: 1, // personal, so it stays
		`href="mailto:a@example.com"`:                                    1, `href="https://mail.example.com/unsubscribe/x"`: 1,
		`href="` + r.UnsubscribeURL + `"`: 1,
	} {
		if got := strings.Count(page, text); got != n {
			t.Errorf("%d times %s in\n%s", got, text, page)
		}
	}
	raw, err := compiled.Append(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	if text, _, _ := strings.Cut(string(raw), "Content-Type: text/html"); strings.Contains(text, "/c/") || strings.Contains(text, "/o/") {
		t.Errorf("the text part is tracked:\n%s", text)
	}
	plain := `<p><a class="x" href="http://shop.example/three" style="color:red">three</a> <a href="http://shop.example/other">other</a></p>`
	if got := WithClicks(plain, "Spring & all", map[string]int64{want[1]: 12}); !strings.Contains(got, ">12</span>three") || strings.Count(got, "<span") != 1 {
		t.Errorf("counts on the email: %s", got)
	}
	s.Tracked = Tracked{}
	if compiled, err = Compile(s); err != nil || strings.Contains(compiled.HTML(r), "abc234") {
		t.Errorf("an email that is not tracked: %v", err)
	}
}

func BenchmarkAppendTracked(b *testing.B) {
	s := benchSource()
	s.Body = strings.ReplaceAll(s.Body, "?who={{email}}", "/page")
	s.Tracked = Tracked{BaseURL: "https://mail.example.com", Opens: true, Links: []string{"https://example.com//page"}}
	benchmarkAppend(b, s, nil)
}
