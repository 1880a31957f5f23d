package domain

import "time"

// OwnerDay is what an owner sent in 24 hours, counted in days since the account was made. Sent are the emails
// that a server accepted or refused for good; of the accepted ones some may have come back or been complained of.
type OwnerDay struct {
	Day                               int
	Sent, Failed, Bounced, Complained int
}

// Clean reports whether mailboxes would take more of the same: less than 5 % were refused or came back, and
// less than 0.1 % were complained of.
func (d OwnerDay) Clean() bool {
	return 20*(d.Failed+d.Bounced) < d.Sent && 1000*d.Complained < d.Sent
}

// warmDays is how many clean days an account needs to be new no more.
const warmDays = 30

// WarmUp is how far an account has come.
type WarmUp struct {
	Lifted bool       // a manager has lifted the limit
	Days   []OwnerDay // those that are over and on which something was sent
	Today  int        // emails since the day began, those under way and those to the owner among them
}

// OwnerDayOf numbers the day of an account that was made at created.
func OwnerDayOf(created, now time.Time) int { return int(now.Sub(created) / (24 * time.Hour)) }

// OwnerDayBegins is when a day of an account begins.
func OwnerDayBegins(created time.Time, day int) time.Time {
	return created.Add(time.Duration(day) * 24 * time.Hour)
}

// DailyQuota is how many emails an account may send today; ok is false when it is bounded no more. It is Growth
// times as many as on the best clean day, so days on which little was sent teach little.
func (l OwnerLimits) DailyQuota(w WarmUp) (emails int, ok bool) {
	if l.FirstDay == 0 || w.Lifted {
		return 0, false
	}
	best, clean := 0, 0
	for _, day := range w.Days {
		if day.Clean() {
			best, clean = max(best, day.Sent), clean+1
		}
	}
	quota := max(float64(l.FirstDay), l.Growth*float64(best))
	if clean >= warmDays || quota >= enough {
		return 0, false
	}
	return int(quota), true
}
