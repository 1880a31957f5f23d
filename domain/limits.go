package domain

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// Limit bounds what one process sends at a time; a zero field bounds nothing.
type Limit struct {
	Rate  float64 // emails per second
	Conns int     // emails under way at once
}

// Limits are the limits by receiving domain, in lower case; "*" stands for each domain
// not named.
type Limits map[string]Limit

// Of is the limit of an address, and the domain that shares it; a domain without one is "".
func (l Limits) Of(email string) (domain string, limit Limit) {
	if len(l) == 0 {
		return "", Limit{}
	}
	domain = strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
	limit, ok := l[domain]
	if !ok {
		if limit, ok = l["*"]; !ok {
			domain = ""
		}
	}
	return domain, limit
}

// ParseLimits reads limits such as "gmail.com?rate=20&conns=5 *?rate=50".
func ParseLimits(text string) (Limits, error) {
	limits := Limits{}
	for one := range strings.FieldsSeq(text) {
		name, query, ok := strings.Cut(strings.ToLower(one), "?")
		if !ok || name == "" || strings.ContainsAny(name, "@/:,=&") {
			return nil, fmt.Errorf("%q is no domain; allowed is gmail.com?rate=20&conns=5, or * for each other domain", name)
		}
		var limit Limit
		if err := readQuery(query, map[string]*float64{"rate": &limit.Rate}, map[string]*int{"conns": &limit.Conns}); err != nil {
			return nil, err
		}
		limits[name] = limit
	}
	return limits, nil
}

// OwnerLimits bound every owner. A new account may send FirstDay emails in its first 24 hours, and Growth
// times as many after each clean day (DailyQuota): mailbox providers distrust new senders of many emails.
type OwnerLimits struct {
	Limit
	FirstDay int     // 0: new accounts are not bounded
	Growth   float64 // from day to day, above 1
}

// ParseOwnerLimits reads limits such as "rate=50&conns=20&firstday=500&growth=2", or "none".
func ParseOwnerLimits(text string) (OwnerLimits, error) {
	if text == "none" {
		return OwnerLimits{}, nil
	}
	limits := OwnerLimits{Growth: 2}
	err := readQuery(text, map[string]*float64{"rate": &limits.Rate, "growth": &limits.Growth},
		map[string]*int{"conns": &limits.Conns, "firstday": &limits.FirstDay})
	switch {
	case err != nil:
		return OwnerLimits{}, err
	case limits.Growth <= 1:
		return OwnerLimits{}, errors.New("growth must be above 1: what an account may send in a day, divided by the day before")
	case limits.FirstDay > 0 && limits.FirstDay < BatchSize:
		return OwnerLimits{}, fmt.Errorf("firstday must be at least %d", BatchSize)
	}
	return limits, nil
}

// enough is more than anybody sends in a day.
const enough = 10_000_000

// readQuery sets the values that a query names; every number must be above 0.
func readQuery(query string, numbers map[string]*float64, wholes map[string]*int) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("%q cannot be read; allowed is name=number, with & between", query)
	}
	for name := range values {
		text := values.Get(name)
		n, err := strconv.ParseFloat(text, 64)
		number, whole := numbers[name], wholes[name]
		switch {
		case number == nil && whole == nil:
			return fmt.Errorf("%q is unknown", name)
		case err != nil || !(n > 0 && n <= enough), whole != nil && n != math.Trunc(n):
			return fmt.Errorf("%s=%s must be a number above 0", name, text)
		case whole != nil:
			*whole = int(n)
		default:
			*number = n
		}
	}
	return nil
}
