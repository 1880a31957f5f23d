package domain

import (
	"slices"
	"strings"
	"time"
)

// Slot is an upcoming run in a calendar.
type Slot struct {
	Mailing Mailing
	At      time.Time
}

// Slots are the upcoming runs of the mailings between two times, in their order.
func Slots(mailings []Mailing, from, to time.Time) (slots []Slot) {
	for _, m := range mailings {
		for _, one := range m.Upcoming(from.Add(-1), int(to.Sub(from)/day)+2) {
			if one.At.Before(to) {
				slots = append(slots, Slot{m, one.At})
			}
		}
	}
	slices.SortStableFunc(slots, func(a, b Slot) int { return a.At.Compare(b.At) })
	return slots
}

// Ahead are the slots that will be run when nobody changes anything: a paused mailing passes its times over.
func Ahead(mailings []Mailing, from, to time.Time) []Slot {
	return Slots(slices.DeleteFunc(slices.Clone(mailings), Mailing.Paused), from, to)
}

// Clash is two mailings to the same clients on one day, or within an hour.
type Clash struct {
	One, Other Mailing
	Clients    int64       // in both audiences
	SameHour   bool        // on one of the days at least
	At         []time.Time // of the earlier run, on each of the days
}

// Clashes are those among the slots, which are in their order; zone says when a day begins.
// overlap tells how many clients two mailings share; it is asked once for each two of them.
func Clashes(slots []Slot, zone *time.Location, overlap func(a, b Mailing) int64) []Clash {
	var list []Clash
	seen := map[[2]int64]int{} // where in the list, -1: they share nobody
	for i := range slots {
		for j := i + 1; j < len(slots); j++ {
			a, b := &slots[i], &slots[j] // there are very many of these pairs
			near := b.At.Sub(a.At) < time.Hour
			if !near && !sameDay(a.At.In(zone), b.At.In(zone)) {
				break
			}
			if a.Mailing.ID == b.Mailing.ID {
				continue
			}
			pair := [2]int64{min(a.Mailing.ID, b.Mailing.ID), max(a.Mailing.ID, b.Mailing.ID)}
			at, known := seen[pair]
			if !known {
				at = -1
				if clients := overlap(a.Mailing, b.Mailing); clients > 0 {
					at = len(list)
					list = append(list, Clash{One: a.Mailing, Other: b.Mailing, Clients: clients})
				}
				seen[pair] = at
			}
			if at >= 0 {
				list[at].SameHour = list[at].SameHour || near
				list[at].At = append(list[at].At, a.At)
			}
		}
	}
	sorted := make([]Clash, 0, len(list)) // those within an hour first
	for _, sameHour := range []bool{true, false} {
		for i := range list {
			if list[i].SameHour == sameHour {
				sorted = append(sorted, list[i])
			}
		}
	}
	return sorted
}

// ClashesOf are the other mailings that write to some of m's clients on the days of its times.
func ClashesOf(m Mailing, times []time.Time, others []Mailing, zone *time.Location, overlap func(a, b Mailing) int64) (list []Clash) {
	for _, other := range others {
		clash := Clash{One: m, Other: other}
		for _, at := range times {
			local := at.In(zone)
			begin := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
			for _, slot := range Slots([]Mailing{other}, begin, begin.AddDate(0, 0, 1)) {
				clash.SameHour = clash.SameHour || slot.At.Sub(at).Abs() < time.Hour
				clash.At = append(clash.At, slot.At)
			}
		}
		if other.ID == m.ID || len(clash.At) == 0 {
			continue
		}
		if clash.Clients = overlap(m, other); clash.Clients > 0 {
			list = append(list, clash)
		}
	}
	return list
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// TagSet counts the clients that have exactly these tags: of all the owner's clients, or of
// those that a mailing picks, one by one or by a segment.
type TagSet struct {
	MailingID int64    // 0: of all
	Tags      []string `bun:",array"`
	Clients   int64
}

// Overlaps is what is needed to tell how many clients two mailings of an owner share.
type Overlaps struct {
	Sets   []TagSet
	Picked map[[2]int64]int64 // clients that both pick, by the IDs of the mailings, the lower first
}

// Of is the number of clients in the audiences of both.
func (o Overlaps) Of(a, b Mailing) (clients int64) {
	if a.Picks() && b.Picks() {
		return o.Picked[[2]int64{min(a.ID, b.ID), max(a.ID, b.ID)}]
	}
	var picked int64
	for _, m := range []Mailing{a, b} {
		if m.Picks() {
			picked = m.ID
		}
	}
	for _, set := range o.Sets {
		if set.MailingID == picked && a.takes(set.Tags) && b.takes(set.Tags) {
			clients += set.Clients
		}
	}
	return clients
}

// Picks reports whether the audience can't be told from tags.
func (m Mailing) Picks() bool { return m.Audience == AudiencePicked || m.Audience == AudienceSegment }

// takes reports whether a client with these tags can be in the audience.
func (m Mailing) takes(tags []string) bool {
	return m.Audience != AudienceTags || slices.ContainsFunc(m.Tags, func(wanted string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return strings.EqualFold(tag, wanted) })
	})
}
