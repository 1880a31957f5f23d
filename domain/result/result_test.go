package result

import (
	"testing"
	"time"
)

func date(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		n, all int64
		want   Rate
	}{{0, 0, Rate{}}, {0, 10, Rate{0, true}}, {1, 3, Rate{333, true}}, {2, 3, Rate{667, true}}, {1, 1_000_000, Rate{1, true}},
		{999_999, 1_000_000, Rate{999, true}}, {5, 5, Rate{1000, true}}} {
		if got := RateOf(tt.n, tt.all); got != tt.want {
			t.Errorf("%d of %d: %v, want %v", tt.n, tt.all, got, tt.want)
		}
	}
}

func TestPeriods(t *testing.T) {
	today := time.Date(2031, 3, 31, 23, 0, 0, 0, time.FixedZone("", 3*3600))
	for _, tt := range []struct {
		from, to string
		want     string // "": refused
		step     Step
		buckets  int
	}{
		{"", "", "from=2031-02-01&to=2031-03-31", ByDay, 59},
		{"2031-01-01", "2031-03-31", "from=2031-01-01&to=2031-03-31", ByWeek, 14},
		{"2031-01-15", "2031-12-02", "from=2031-01-15&to=2031-12-02", ByMonth, 12},
		{"2031-03-31", "2031-03-31", "from=2031-03-31&to=2031-03-31", ByDay, 1},
		{"2031-04-01", "2031-03-31", "", "", 0}, {"31.03.2031", "", "", "", 0}, {"2021-01-01", "2031-01-01", "", "", 0}, {"1031-01-01", "", "", "", 0},
	} {
		p, err := NewPeriod(tt.from, tt.to, today)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s to %s is taken", tt.from, tt.to)
			}
			continue
		}
		if buckets := p.Buckets(nil); err != nil || p.Query() != tt.want || p.Step() != tt.step || len(buckets) != tt.buckets ||
			!buckets[0].First.Equal(p.From) || !buckets[len(buckets)-1].Last.Equal(p.To) {
			t.Errorf("%s to %s: %v %s by %s in %d", tt.from, tt.to, err, p.Query(), p.Step(), len(buckets))
		}
	}
	want := map[string]string{"month": "from=2031-03-01&to=2031-03-31", "last_month": "from=2031-02-01&to=2031-02-28", "quarter": "from=2031-01-01&to=2031-03-31",
		"last_quarter": "from=2030-10-01&to=2030-12-31", "year": "from=2031-01-01&to=2031-03-31", "last_year": "from=2030-01-01&to=2030-12-31"}
	for _, one := range Offered(today) {
		if one.Query() != want[one.Name] {
			t.Errorf("%s: %s", one.Name, one.Query())
		}
	}
}

func TestWholeMonths(t *testing.T) {
	for _, tt := range []struct{ from, to, before, months, after string }{
		{"2031-01-01", "2031-12-31", "", "2031-01-01 2031-12-31", ""},
		{"2031-01-01", "2031-12-02", "", "2031-01-01 2031-11-30", "2031-12-01 2031-12-02"},
		{"2031-01-31", "2031-03-31", "2031-01-31 2031-01-31", "2031-02-01 2031-03-31", ""},
		{"2031-01-02", "2031-03-30", "2031-01-02 2031-01-31", "2031-02-01 2031-02-28", "2031-03-01 2031-03-30"},
		{"2031-01-02", "2031-02-27", "2031-01-02 2031-02-27", "", ""}, {"2031-02-27", "2031-02-27", "2031-02-27 2031-02-27", "", ""},
		{"2030-12-31", "2031-01-01", "2030-12-31 2031-01-01", "", ""},
	} {
		say := func(p Period) string {
			if p.To.Before(p.From) {
				return ""
			}
			return p.From.Format(time.DateOnly) + " " + p.To.Format(time.DateOnly)
		}
		before, months, after := Period{date(tt.from), date(tt.to)}.Whole()
		if say(before) != tt.before || say(months) != tt.months || say(after) != tt.after {
			t.Errorf("%s to %s: %q, %q, %q", tt.from, tt.to, say(before), say(months), say(after))
		}
	}
}

func TestBuckets(t *testing.T) {
	p := Period{date("2031-01-01"), date("2031-03-31")} // a Wednesday, weeks
	got := p.Buckets(map[time.Time]Counts{date("2031-01-05"): {Accepted: 1}, date("2031-01-06"): {Accepted: 2, Bounced: 1}, date("2031-01-12"): {Accepted: 4}})
	if got[0].Accepted != 1 || got[1].Accepted != 6 || got[1].Bounced != 1 || got[1].First != date("2031-01-06") {
		t.Errorf("%+v", got[:2])
	}
}

func TestBetter(t *testing.T) {
	few, many := Counts{Accepted: 100, Unsubscribed: 1, Clicked: 5}, Counts{Accepted: 1000, Unsubscribed: 20, Clicked: 60}
	if !Better(few, many, false) || Better(few, many, true) || Better(few, few, true) {
		t.Error("compared wrongly")
	}
}
