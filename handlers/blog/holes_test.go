package blog

import (
	"testing"

	"skychimp/domain"
)

// Cards are in the reader's language as long as there are any.
func TestPostsOfTheReadersLanguageFirst(t *testing.T) {
	posts := []domain.Post{{ID: 1, Title: "Spring news"}, {ID: 2, Title: "Весна, 2026 год"}, {ID: 3, Title: "SkyChimp: что нового"}, {ID: 4, Title: "Autumn"}, {ID: 5, Title: "Letters"}}
	for _, tt := range []struct {
		lang  string
		n     int
		first []int64 // in any order
		all   int
	}{{"ru", 2, []int64{2, 3}, 2}, {"ru", 4, []int64{2, 3}, 4}, {"en", 3, []int64{1, 4, 5}, 3}, {"en", 9, []int64{1, 4, 5}, 5}} {
		got := pickFor(tt.lang, posts, tt.n)
		if len(got) != tt.all {
			t.Fatalf("%s: %d posts, want %d", tt.lang, len(got), tt.all)
		}
		first := map[int64]bool{}
		for _, one := range got[:len(tt.first)] {
			first[one.ID] = true
		}
		for _, id := range tt.first {
			if !first[id] {
				t.Errorf("%s: post %d is not among the first", tt.lang, id)
			}
		}
	}
}
