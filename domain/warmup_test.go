package domain

import (
	"testing"
	"time"
)

func TestOwnerQuota(t *testing.T) {
	limits, err := ParseOwnerLimits("rate=50&conns=20&firstday=500")
	if err != nil || limits != (OwnerLimits{Limit{50, 20}, 500, 2}) {
		t.Fatalf("%+v %v", limits, err)
	}
	day := func(sent, failed, bounced, complained int) OwnerDay {
		return OwnerDay{Sent: sent, Failed: failed, Bounced: bounced, Complained: complained}
	}
	long := make([]OwnerDay, warmDays)
	for i := range long {
		long[i] = day(10, 0, 0, 0)
	}
	for name, test := range map[string]struct {
		warmup WarmUp
		want   int // 0: not bounded
	}{
		"new":                           {WarmUp{}, 500},
		"after a clean day":             {WarmUp{Days: []OwnerDay{day(500, 24, 0, 0)}}, 1000},
		"after two":                     {WarmUp{Days: []OwnerDay{day(500, 0, 0, 0), day(1000, 0, 0, 0)}}, 2000},
		"after 5 % refused":             {WarmUp{Days: []OwnerDay{day(500, 25, 0, 0)}}, 500},
		"after 5 % refused or returned": {WarmUp{Days: []OwnerDay{day(500, 5, 20, 0)}}, 500},
		"after a complaint of 0.1 %":    {WarmUp{Days: []OwnerDay{day(500, 0, 0, 0), day(1000, 0, 0, 1)}}, 1000},
		"after fewer":                   {WarmUp{Days: []OwnerDay{day(2000, 0, 0, 1)}}, 4000},
		"after few emails":              {WarmUp{Days: []OwnerDay{day(20, 0, 0, 0)}}, 500},
		"after a large clean day":       {WarmUp{Days: []OwnerDay{day(5_000_000, 0, 0, 0)}}, 0},
		"after a month of clean days":   {WarmUp{Days: long}, 0},
		"lifted":                        {WarmUp{Lifted: true}, 0},
	} {
		quota, ok := limits.DailyQuota(test.warmup)
		if quota != test.want || ok != (test.want > 0) {
			t.Errorf("%s: %d, %v", name, quota, ok)
		}
	}
	none, err := ParseOwnerLimits("none")
	if _, ok := none.DailyQuota(WarmUp{}); ok || err != nil {
		t.Error("none bounds", err)
	}
	created := time.Date(2031, 1, 1, 15, 0, 0, 0, time.UTC)
	if OwnerDayOf(created, created.Add(24*time.Hour-1)) != 0 || OwnerDayOf(created, created.Add(24*time.Hour)) != 1 ||
		!OwnerDayBegins(created, 1).Equal(created.Add(24*time.Hour)) {
		t.Error("days begin with the account")
	}
}
