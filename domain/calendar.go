package domain

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Slot is an upcoming run in a calendar, the occurrence No of its mailing.
type Slot struct {
	Mailing Mailing
	At      time.Time
	No      int
}

// Slots are the upcoming runs of the mailings between two times, in their order.
func Slots(mailings []Mailing, from, to time.Time) (slots []Slot) {
	for _, m := range mailings {
		for _, one := range m.Upcoming(from.Add(-1), int(to.Sub(from)/day)+3) { // a moved one may come beside another
			if one.At.Before(to) {
				slots = append(slots, Slot{m, one.At, one.No})
			}
		}
	}
	slices.SortStableFunc(slots, func(a, b Slot) int { return a.At.Compare(b.At) })
	return slots
}

// SkippedSlots are the dates between two times that their owner skipped, in their order, at their times in the calendar.
func SkippedSlots(mailings []Mailing, from, to time.Time) (slots []Slot) {
	for _, m := range mailings {
		for _, e := range m.Exceptions {
			if date, err := m.Date(e.No); err == nil && date.Skipped && !date.At.Before(from) && date.At.Before(to) {
				slots = append(slots, Slot{m, date.At, e.No})
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

// MailingsOf are the mailings of slots, each once.
func MailingsOf(slots []Slot) (mailings []Mailing) {
	seen := map[int64]bool{}
	for _, one := range slots {
		if !seen[one.Mailing.ID] {
			seen[one.Mailing.ID] = true
			mailings = append(mailings, one.Mailing)
		}
	}
	return mailings
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

// TagSet counts the clients who have exactly these tags and whom exactly these mailings pick, one by one or by a segment.
// Every client who gets emails is in one.
type TagSet struct {
	Picks   []int64  `bun:",array"`
	Tags    []string `bun:",array"`
	Clients int64
}

// Overlaps tell how many clients mailings of an owner share.
type Overlaps struct {
	sets []TagSet
	in   map[int64][]bool // by mailing: whether it writes to the clients of a set
}

// NewOverlaps of an owner's clients.
func NewOverlaps(sets []TagSet) Overlaps { return Overlaps{sets, map[int64][]bool{}} }

// writes tells of each set whether m writes to its clients.
func (o Overlaps) writes(m Mailing) []bool {
	in, known := o.in[m.ID]
	if !known {
		in = make([]bool, len(o.sets))
		for i, set := range o.sets {
			in[i] = m.Audience.Picks() && slices.Contains(set.Picks, m.ID) || !m.Audience.Picks() && takes(m, set.Tags)
		}
		o.in[m.ID] = in
	}
	return in
}

// Of is the number of clients in the audiences of both.
func (o Overlaps) Of(a, b Mailing) (clients int64) {
	inA, inB := o.writes(a), o.writes(b)
	for i, set := range o.sets {
		if inA[i] && inB[i] {
			clients += set.Clients
		}
	}
	return clients
}

// Capped tells of slots, which are in their order, how many emails wait for room in the week of their client, and how many
// are left out, when nobody gets more than so many within seven days; 0: there is no such limit. It begins with nobody having had any.
func (o Overlaps) Capped(slots []Slot, most int) (waiting, leftOut []int64) {
	waiting, leftOut = make([]int64, len(slots)), make([]int64, len(slots))
	had := make([][]time.Time, len(o.sets)) // the latest of each set of clients, at most so many
	for i := range slots {
		m, at := slots[i].Mailing, slots[i].At
		if most == 0 {
			break
		}
		hold := m.HoldUntil(at)
		for set, in := range o.writes(m) {
			if !in {
				continue
			}
			due := at
			if len(had[set]) == most && !m.Important {
				due = slices.MaxFunc([]time.Time{at, had[set][0].AddDate(0, 0, capDays)}, time.Time.Compare)
			}
			switch clients := o.sets[set].Clients; {
			case due.After(hold):
				leftOut[i] += clients
				continue
			case due.After(at):
				waiting[i] += clients
			}
			had[set] = append(had[set], due)
			slices.SortFunc(had[set], time.Time.Compare)
			had[set] = had[set][max(0, len(had[set])-most):]
		}
	}
	return waiting, leftOut
}

// Crowd is several mailings that all write to the same clients on one day.
type Crowd struct {
	Mailings []Mailing // in the order of the slots
	Clients  int64     // whom all of them write to
	Days     []time.Time
}

const (
	crowdMailings = 64 // of a day
	crowdsMost    = 5  // of a day
)

// Crowds of the mailings of one day, at least so many of them: those of most mailings first, then those of most clients.
func (o Overlaps) Crowds(mailings []Mailing, least int) (crowds []Crowd) {
	mailings = mailings[:min(len(mailings), crowdMailings)]
	clients := map[uint64]int64{} // by which of the mailings write to them
	for i, set := range o.sets {
		var who uint64
		for bit, m := range mailings {
			if o.writes(m)[i] {
				who |= 1 << bit
			}
		}
		if bits.OnesCount64(who) >= least {
			clients[who] += set.Clients
		}
	}
	order := []uint64{}
	for who := range clients {
		order = append(order, who)
	}
	slices.SortFunc(order, func(a, b uint64) int {
		return cmp.Or(bits.OnesCount64(b)-bits.OnesCount64(a), cmp.Compare(clients[b], clients[a]), cmp.Compare(a, b))
	})
	for _, who := range order[:min(len(order), crowdsMost)] {
		crowd := Crowd{}
		for bit, m := range mailings {
			if who&(1<<bit) != 0 {
				crowd.Mailings = append(crowd.Mailings, m)
			}
		}
		for other, n := range clients {
			if other&who == who {
				crowd.Clients += n
			}
		}
		crowds = append(crowds, crowd)
	}
	return crowds
}

// CrowdedDays are the crowds of three mailings and more among the slots, which are in their order; the same mailings
// on several days are one.
func (o Overlaps) CrowdedDays(slots []Slot, zone *time.Location) (crowds []Crowd) {
	for len(slots) > 0 {
		first := slots[0].At.In(zone)
		mailings, n := []Mailing{}, 0
		for ; n < len(slots) && sameDay(slots[n].At.In(zone), first); n++ {
			if m := slots[n].Mailing; !slices.ContainsFunc(mailings, func(known Mailing) bool { return known.ID == m.ID }) {
				mailings = append(mailings, m)
			}
		}
		slots = slots[n:]
		if len(mailings) < 3 {
			continue
		}
		for _, one := range o.Crowds(mailings, 3) {
			at := slices.IndexFunc(crowds, one.same)
			if at < 0 {
				at, crowds = len(crowds), append(crowds, one)
			}
			crowds[at].Days = append(crowds[at].Days, first)
		}
	}
	return crowds
}

func (c Crowd) same(other Crowd) bool {
	return slices.EqualFunc(c.Mailings, other.Mailings, func(a, b Mailing) bool { return a.ID == b.ID })
}

// Picks reports whether the audience can't be told from tags.
func (a Audience) Picks() bool { return a == AudiencePicked || a == AudienceSegment }

// takes reports whether a client with these tags can be in the audience.
func takes(m Mailing, tags []string) bool {
	return m.Audience != AudienceTags || slices.ContainsFunc(m.Tags, func(wanted string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return strings.EqualFold(tag, wanted) })
	})
}
