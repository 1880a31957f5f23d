package abtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/domain/abtest"
	"skychimp/domain/trial"
)

func TestTake(t *testing.T) {
	other, third := abtest.Variant{Subject: " Other "}, abtest.Variant{MessageID: 7}
	all := abtest.Beside{Clicks: true, Opens: true, Wait: 24 * time.Hour}
	for _, tt := range []struct {
		name   string
		typed  abtest.Setup
		beside abtest.Beside
		want   string // the fields with their keys, or what was taken
	}{
		{"nothing", abtest.Setup{Variants: []abtest.Variant{{}, {Subject: " "}}, Goal: "clicked", Hours: 4}, all, "[] 0  0"},
		{"two", abtest.Setup{Variants: []abtest.Variant{other, {}}, Share: 10, Goal: "clicked", Hours: 4}, all, "[{0 Other}] 10 clicked 4"},
		{"four", abtest.Setup{Variants: []abtest.Variant{other, third, {MessageID: 7, Subject: "Other"}}, Share: 50, Goal: "unsubscribed"}, abtest.Beside{Wait: time.Hour}, "[{0 Other} {7 } {7 Other}] 50 unsubscribed 0"},
		{"five", abtest.Setup{Variants: []abtest.Variant{other, third, {MessageID: 8}, {MessageID: 9}}, Share: 10, Goal: "clicked"}, all, "ab_subject ab_many"},
		{"the same twice", abtest.Setup{Variants: []abtest.Variant{third, third}, Share: 10, Goal: "clicked"}, all, "ab_subject ab_twice"},
		{"a long subject", abtest.Setup{Variants: []abtest.Variant{{Subject: strings.Repeat("я", 201)}}, Share: 10, Goal: "clicked"}, all, "ab_subject ab_subject_long"},
		{"nothing to try", abtest.Setup{Share: 10, Goal: "clicked"}, all, "ab_subject ab_nothing"},
		{"nobody to try it", abtest.Setup{Variants: []abtest.Variant{other}, Goal: "clicked"}, all, "ab_share ab_share_missing"},
		{"too many", abtest.Setup{Variants: []abtest.Variant{other}, Share: 60, Goal: "clicked"}, all, "ab_share ab_share_missing"},
		{"no goal", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10}, all, "ab_goal ab_goal_missing"},
		{"clicks that are not counted", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "clicked"}, abtest.Beside{Opens: true, Wait: time.Hour}, "ab_goal ab_needs_clicks"},
		{"opens that are not counted", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "opened"}, abtest.Beside{Clicks: true, Wait: time.Hour}, "ab_goal ab_needs_opens"},
		{"hours", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "clicked", Hours: 73}, all, "ab_hours ab_hours_wrong"},
		{"no number of hours", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "clicked", Hours: -1}, all, "ab_hours ab_hours_wrong"},
		{"after the next run", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "clicked", Hours: 24}, all, "ab_hours ab_hours_late"},
		{"with others in turn", abtest.Setup{Variants: []abtest.Variant{other}, Share: 10, Goal: "clicked"}, abtest.Beside{Clicks: true, Rotation: true, ZoneOfClient: true, Wait: time.Hour},
			"ab_share ab_no_rotation ab_share ab_no_zones"},
	} {
		taken, wrong := tt.typed.Take(tt.beside)
		got := fmt.Sprint(taken.Variants, taken.Share, taken.Goal, taken.Hours)
		if len(wrong) > 0 {
			got = strings.NewReplacer("mailings.", "", "{", "", "}", "", "[", "", "]", "").Replace(fmt.Sprint(wrong))
		}
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(tt.want, " ", "") {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Everybody is in one part, the same for each variant, and another test parts them otherwise.
func TestSplit(t *testing.T) {
	const clients = 20_000
	s := abtest.Setup{Variants: make([]abtest.Variant, 3), Share: 20}
	seed, other := trial.Seed("one"), trial.Seed("another")
	counts, moved := make([]int, 5), 0
	for client := range int64(clients) {
		var parts []int
		for variant := range 5 {
			if s.SplitOf(seed, variant).Has(client) {
				parts = append(parts, variant)
				counts[variant]++
			}
		}
		if len(parts) != 1 {
			t.Fatal(client, "is in", parts)
		}
		if s.SplitOf(other, parts[0]).Has(client) != (parts[0] == 0) {
			moved++
		}
	}
	for variant, n := range counts {
		want := clients / 20
		if variant == 0 {
			want = clients * 8 / 10
		}
		if off := n - want; off*off > 36*want {
			t.Errorf("variant %d has %d clients, want about %d", variant, n, want)
		}
	}
	if moved == 0 {
		t.Error("two tests part the clients alike")
	}
}

// results are those of as many variants: of so many, so many did what the goal is about.
func results(goal abtest.Goal, of int64, came ...int64) (list []abtest.Result) {
	for _, n := range came {
		r := abtest.Result{Accepted: of}
		switch goal {
		case abtest.Clicked:
			r.Clicked = n
		case abtest.Opened:
			r.Opened = n
		case abtest.Unsubscribed:
			r.Unsubscribed = n
		}
		list = append(list, r)
	}
	return list
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name               string
		goal               abtest.Goal
		results            []abtest.Result
		best, second, send int
		seen, some         bool
	}{
		{"nobody yet", abtest.Clicked, results(abtest.Clicked, 0, 0, 0), 1, 2, 1, false, false},
		{"equal", abtest.Clicked, results(abtest.Clicked, 200, 10, 10), 1, 2, 1, false, false},
		{"chance", abtest.Clicked, results(abtest.Clicked, 200, 10, 14), 2, 1, 1, false, false},
		{"the second is better", abtest.Clicked, results(abtest.Clicked, 1000, 50, 80), 2, 1, 2, true, true},
		{"the first is better", abtest.Opened, results(abtest.Opened, 1000, 80, 50), 1, 2, 1, true, true},
		{"fewer unsubscribes", abtest.Unsubscribed, results(abtest.Unsubscribed, 1000, 30, 5), 2, 1, 2, true, true},
		{"few unsubscribes", abtest.Unsubscribed, results(abtest.Unsubscribed, 1000, 5, 2), 2, 1, 1, false, false},
		{"the first is left behind, the others are alike", abtest.Clicked, results(abtest.Clicked, 1000, 10, 80, 85), 3, 2, 2, false, true},
		{"of four one is seen", abtest.Clicked, results(abtest.Clicked, 1000, 50, 52, 110, 49), 3, 2, 3, true, true},
		{"two would differ, of four they don't", abtest.Clicked, results(abtest.Clicked, 1000, 50, 72, 60, 60), 2, 3, 1, false, false},
		{"more clicks than acceptances so far", abtest.Clicked, []abtest.Result{{Accepted: 1, Clicked: 3}, {Accepted: 100, Clicked: 50}}, 1, 2, 1, false, false},
		{"one was cancelled", abtest.Unsubscribed, []abtest.Result{{}, {Accepted: 100, Unsubscribed: 1}}, 2, 1, 1, false, false},
	} {
		v := tt.goal.Judge(tt.results)
		if v.Best != tt.best || v.Second != tt.second || v.Send != tt.send || v.Seen != tt.seen || v.Some != tt.some {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
	if v := abtest.Clicked.Judge(results(abtest.Clicked, 1000, 50, 72)); !v.Seen {
		t.Errorf("two alone: %+v", v)
	}
}
