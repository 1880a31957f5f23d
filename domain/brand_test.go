package domain

import (
	"strings"
	"testing"
	"time"
)

func TestBrandForm(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	var b Brand
	err := b.Change(BrandForm{Name: " Tulip  House ", Color: "C81E5A", Ground: "#EEF1F5", Font: "georgia", Address: " Main street 1 \r\n\r\n Delft ", Reason: "You asked.",
		Links: "t.me/tulips\nhttps://www.vk.com/tulips\n\nцветы.рф"}, now)
	if err != nil || b.Name != "Tulip House" || b.Color != "#c81e5a" || b.Ground != "" || b.Address != "Main street 1\nDelft" || b.Revision != 1 ||
		strings.Join(b.Links, " ") != "https://t.me/tulips https://www.vk.com/tulips https://xn--b1ag2aj7d.xn--p1ai" && len(b.Links) != 3 {
		t.Error(b, err)
	}
	if got := b.Elsewhere(); got[0].Name != "Telegram" || got[1].Name != "VK" || !strings.HasPrefix(got[2].Name, "xn--") {
		t.Error(got)
	}
	for name, form := range map[string]BrandForm{
		"color": {Color: "red"}, "ground": {Ground: "#12345"}, "font": {Font: "comic"}, "name": {Name: strings.Repeat("a", 81)},
		"address": {Address: "a\x00"}, "reason": {Reason: strings.Repeat("a", 301)}, "links": {Links: "javascript:alert(1)"},
	} {
		p, ok := (&Brand{}).Change(form, now).(ValidationErrors)
		if !ok || len(p) != 1 || p[0].Field != name {
			t.Errorf("%s: %v", name, p)
		}
	}
	for _, links := range []string{"nowhere", "https://user@example.com", "ftp://example.com", strings.Repeat("example.com\n", 9), "https://example.com/" + strings.Repeat("a", 300)} {
		if err := new(Brand).Change(BrandForm{Links: links}, now); err == nil {
			t.Errorf("%.40q is taken", links)
		}
	}
}

// Whatever colour an owner has chosen, words in it and on it can be read.
func TestBrandContrast(t *testing.T) {
	for _, color := range []string{"", "#ffffff", "#000000", "#ffff00", "#7f7f7f", "#c81e5a", "#00ff00", "#0000ff", "#ff0000", "#808000", "#777777", "#f5d142"} {
		for _, ground := range []string{"", "#ffffff", "#000000", "#808080", "#ffe4ef", "#777777", "#c81e5a"} {
			b := Brand{Color: color, Ground: ground}
			for what, got := range map[string]float64{"button": Contrast(b.OnMain(), b.Main()), "link": Contrast(b.Ink(), sheet),
				"at night": Contrast(b.NightInk(), night), "around": Contrast(b.InkAround(), b.Around()), "text around": Contrast(b.OnAround(), b.Around())} {
				if got < 3.9 { // the grey in the middle reaches no 4.5 with both ends
					t.Errorf("%s on %s, %s: %.2f", color, ground, what, got)
				}
			}
		}
	}
	if got := Contrast("#000000", "#ffffff"); got != 21 {
		t.Error(got)
	}
}

func TestBrandStyleName(t *testing.T) {
	for _, b := range []Brand{{}, {Color: "#c81e5a"}, {Ground: "#ffe4ef", Font: "georgia"}} {
		got, ok := BrandOfStyle(b.StyleName())
		if !ok || got.Main() != b.Main() || got.Around() != b.Around() || got.Font != b.Font {
			t.Error(b, b.StyleName(), got, ok)
		}
	}
	for _, wrong := range []string{"", "c81e5a", "c81e5a-ffe4ef-comic", "c81e5a-ffe4ef-georgia-x", "C81E5A-ffe4ef", "c81e5a-ffe4e;"} {
		if _, ok := BrandOfStyle(wrong); ok {
			t.Error(wrong)
		}
	}
}
