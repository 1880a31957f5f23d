// Package result says what emails came to: counts, rates, and the periods that people look at.
package result

import (
	"time"

	"skychimp/domain"
)

// Counts are sums over emails.
type Counts struct {
	Planned, Accepted, Deferred, Failed int64
	Bounced, Complained, Unsubscribed   int64
	Opened, Clicked                     int64 // clients
}

// Add adds more.
func (c *Counts) Add(more Counts) {
	c.Planned += more.Planned
	c.Accepted += more.Accepted
	c.Deferred += more.Deferred
	c.Failed += more.Failed
	c.Bounced += more.Bounced
	c.Complained += more.Complained
	c.Unsubscribed += more.Unsubscribed
	c.Opened += more.Opened
	c.Clicked += more.Clicked
}

// Lost are clients who get no more emails because of these: they left, complained, or their mailbox gave them back.
func (c Counts) Lost() int64 { return c.Bounced + c.Complained + c.Unsubscribed }

// Tracked reports whether anybody was seen to open or click.
func (c Counts) Tracked() bool { return c.Opened+c.Clicked > 0 }

// Rate is a share in tenths of a percent; Known is false for a share of nothing.
type Rate struct {
	PerMille int64
	Known    bool
}

// RateOf is n of all, rounded, but never to nothing or all when it isn't.
func RateOf(n, all int64) Rate {
	if all <= 0 {
		return Rate{}
	}
	rate := (1000*n + all/2) / all
	if n > 0 && rate == 0 {
		rate = 1
	}
	if n < all && rate == 1000 {
		rate = 999
	}
	return Rate{rate, true}
}

// Refused is the share of emails that the servers refused for good.
func (c Counts) Refused() Rate { return RateOf(c.Failed, c.Accepted+c.Failed) }

// Least is how many accepted emails a mailing needs to be compared with others.
const Least = 20

// Better reports whether a went better than b: more clicked, where clicks are seen, else fewer were lost.
func Better(a, b Counts, clicks bool) bool {
	if clicks {
		return a.Clicked*b.Accepted > b.Clicked*a.Accepted
	}
	return a.Lost()*b.Accepted < b.Lost()*a.Accepted
}

// Period is whole days, the last included. Its times are midnights of UTC and stand for days alone.
type Period struct{ From, To time.Time }

// longest is the longest period that a page shows.
const longest = 5 * 366

// NewPeriod reads the days of a form; both empty is the month so far and the one before it.
func NewPeriod(from, to string, today time.Time) (p Period, err error) {
	var problems domain.ValidationErrors
	today = day(today)
	p = Period{today.AddDate(0, -1, 1-today.Day()), today}
	for _, field := range []struct {
		name, value string
		at          *time.Time
	}{{"from", from, &p.From}, {"to", to, &p.To}} {
		if field.value == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, field.value)
		if err != nil || at.Year() < 2000 || at.Year() > 2200 {
			problems.Add(field.name, "results.day_unknown")
			continue
		}
		*field.at = at
	}
	switch {
	case problems.Err() != nil:
	case p.To.Before(p.From):
		problems.Add("to", "results.day_before")
	case p.Days() > longest:
		problems.Add("from", "results.too_long")
	}
	return p, problems.Err()
}

func day(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// Days is how many there are.
func (p Period) Days() int { return int(p.To.Sub(p.From).Hours())/24 + 1 }

// Whole are the months that lie in the period as a whole, with the days before and after them. What there is none of ends
// before it begins.
func (p Period) Whole() (before, months, after Period) {
	first := ByMonth.begin(p.From)
	if first.Before(p.From) {
		first = ByMonth.next(first)
	}
	last := ByMonth.begin(p.To.AddDate(0, 0, 1)).AddDate(0, 0, -1)
	if last.Before(first) {
		none := Period{p.To, p.To.AddDate(0, 0, -1)}
		return p, none, none
	}
	return Period{p.From, first.AddDate(0, 0, -1)}, Period{first, last}, Period{last.AddDate(0, 0, 1), p.To}
}

// Query is the period as addresses have it.
func (p Period) Query() string {
	return "from=" + p.From.Format(time.DateOnly) + "&to=" + p.To.Format(time.DateOnly)
}

// Named is a period with a word for it.
type Named struct {
	Name string
	Period
}

// Offered are the periods that people ask for, as of today.
func Offered(today time.Time) []Named {
	today = day(today)
	month := today.AddDate(0, 0, 1-today.Day())
	quarter := month.AddDate(0, -(int(month.Month())-1)%3, 0)
	year := time.Date(today.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	return []Named{
		{"month", Period{month, today}}, {"last_month", Period{month.AddDate(0, -1, 0), month.AddDate(0, 0, -1)}},
		{"quarter", Period{quarter, today}}, {"last_quarter", Period{quarter.AddDate(0, -3, 0), quarter.AddDate(0, 0, -1)}},
		{"year", Period{year, today}}, {"last_year", Period{year.AddDate(-1, 0, 0), year.AddDate(0, 0, -1)}},
	}
}

// MonthBefore is the month that ended last.
func MonthBefore(today time.Time) Period { return Offered(today)[1].Period }

// Step is what a chart of a period shows side by side.
type Step string

// The steps.
const (
	ByDay   Step = "day"
	ByWeek  Step = "week"
	ByMonth Step = "month"
)

// Step of the period: few enough for a phone.
func (p Period) Step() Step {
	switch n := p.Days(); {
	case n <= 62:
		return ByDay
	case n <= 250:
		return ByWeek
	}
	return ByMonth
}

// begin is the first day of the step that at is in.
func (s Step) begin(at time.Time) time.Time {
	switch s {
	case ByWeek:
		return at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
	case ByMonth:
		return at.AddDate(0, 0, 1-at.Day())
	}
	return at
}

func (s Step) next(at time.Time) time.Time {
	switch s {
	case ByWeek:
		return at.AddDate(0, 0, 7)
	case ByMonth:
		return at.AddDate(0, 1, 0)
	}
	return at.AddDate(0, 0, 1)
}

// Bucket is one step of a period.
type Bucket struct {
	First, Last time.Time // days of the period
	Counts
}

// Buckets are the steps of the period with the counts of their days.
func (p Period) Buckets(days map[time.Time]Counts) (list []Bucket) {
	step := p.Step()
	for at := step.begin(p.From); !at.After(p.To); at = step.next(at) {
		one := Bucket{First: at, Last: step.next(at).AddDate(0, 0, -1)}
		if one.First.Before(p.From) {
			one.First = p.From
		}
		if one.Last.After(p.To) {
			one.Last = p.To
		}
		for d := one.First; !d.After(one.Last); d = d.AddDate(0, 0, 1) {
			one.Add(days[d])
		}
		list = append(list, one)
	}
	return list
}
