package domain

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Window is when in the day the emails of a mailing may leave, by the clocks of its zone. The zero Window is all day.
type Window struct {
	From, To string // such as 09:00; both or none
	Expires  bool   // what does not fit is not sent; else it goes on on the next of the mailing's days
}

// None reports whether emails may leave all day.
func (w Window) None() bool { return w.From == "" }

const clockFormat = "15:04"

// change takes what was typed, for a mailing that begins at start.
func (w *Window) change(p *ValidationErrors, form MailingForm, start time.Time) {
	*w = Window{From: strings.TrimSpace(form.WindowFrom), To: strings.TrimSpace(form.WindowTo), Expires: form.WindowThen == "expire"}
	if w.From == "" && w.To == "" {
		*w = Window{}
		return
	}
	from, wrongFrom := time.Parse(clockFormat, w.From)
	to, wrongTo := time.Parse(clockFormat, w.To)
	if wrongFrom != nil {
		p.Add("window_from", "mailings.window_clock")
	}
	if wrongTo != nil {
		p.Add("window_to", "mailings.window_clock")
	}
	if wrongFrom != nil || wrongTo != nil {
		return
	}
	w.From, w.To = from.Format(clockFormat), to.Format(clockFormat)
	if !from.Before(to) {
		p.Add("window_to", "mailings.window_order")
	} else if clock := start.Format(clockFormat); !start.IsZero() && (clock < w.From || clock >= w.To) {
		p.Add("start_at", "mailings.window_start", "From", w.From, "To", w.To)
	}
}

// on is the window of a date.
func (w Window) on(date time.Time, zone *time.Location) (opens, closes time.Time) {
	from, _ := time.Parse(clockFormat, w.From)
	to, _ := time.Parse(clockFormat, w.To)
	midnight := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	at := func(clock time.Time) time.Time {
		return Instant(midnight.Add(time.Duration(clock.Hour())*time.Hour+time.Duration(clock.Minute())*time.Minute), zone)
	}
	return at(from), at(to)
}

// Opening is the window that is open at an instant or the next one to open, on a day that the mailing goes out on; today
// counts all the same where it is asked for. Without a window both are zero.
func (w Window) Opening(m Mailing, after time.Time, today bool) (opens, closes time.Time) {
	if w.None() {
		return time.Time{}, time.Time{}
	}
	zone := m.Schedule().Zone
	local := after.In(zone)
	date := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	for n := range windowDays {
		day := date.AddDate(0, 0, n)
		opens, closes = w.on(day, zone)
		if after.Before(closes) && opens.Before(closes) && (n == 0 && today || !m.Days.offWeek(day) && !m.Days.holiday(day)) {
			break
		}
	}
	return opens, closes
}

// windowDays is for how many days a window is looked for.
const windowDays = 400

// Fit gives the run that is made at now the window of its mailing.
func (r *Run) Fit(m Mailing, now time.Time) {
	if now.Before(r.NotBefore) {
		now = r.NotBefore
	}
	r.WindowEnd = m.EndAt
	r.OpensAt, r.ClosesAt = m.Window.Opening(m, now, r.OccurrenceNo == nil)
	if r.Undecided {
		r.WindowEnd = restUntil(m, r.ScheduledAt, m.NextRunAt)
		return
	}
	if m.Window.Expires && !r.ClosesAt.IsZero() && (r.WindowEnd.IsZero() || r.ClosesAt.Before(r.WindowEnd)) {
		r.WindowEnd = r.ClosesAt
	}
}

// Shut reports whether no email of the run may leave at now although the run goes on.
func (r Run) Shut(now time.Time) bool {
	return !r.ClosesAt.IsZero() && (now.Before(r.OpensAt) || !now.Before(r.ClosesAt))
}

// Wait pauses a run that is shut until its window opens, the next one when this one is over.
func (r *Run) Wait(m Mailing, now time.Time) {
	if !now.Before(r.ClosesAt) {
		r.OpensAt, r.ClosesAt = m.Window.Opening(m, now, false)
	}
	if r.Status == RunRunning && r.Shut(now) {
		r.Status, r.Reason, r.ResumeAt = RunPaused, ReasonWindow, r.OpensAt
	}
}

// Refit gives an open run the window and the end that its mailing has now.
func (r *Run) Refit(m Mailing, now time.Time) {
	r.Fit(m, now)
	if r.Status == RunPaused && r.Reason == ReasonWindow {
		r.Status, r.Reason, r.ResumeAt = RunRunning, "", time.Time{}
	}
	r.Wait(m, now)
}

// Expire ends what is open of a run whose end has come.
func (r *Run) Expire() {
	r.EndOutcome, r.Reason = OutcomeExpired, ReasonEnded
	if r.Undecided {
		r.Reason = ReasonUndecided
	} else if !r.ClosesAt.IsZero() && r.WindowEnd.Equal(r.ClosesAt) {
		r.Reason = ReasonWindowOver
	}
}

// zonesAhead is for how long the zones are looked for where an hour comes first; clocks change within it.
const zonesAhead = 24 // months

// KeepZones keeps of the clients' zones those in which the mailing's hour comes first on some day to come.
func KeepZones(m *Mailing, now time.Time) {
	m.Zones = []string{}
	var zones []*time.Location
	for _, name := range m.ClientZones {
		if zone, err := LoadZone(name); err == nil {
			zones = append(zones, zone)
		}
	}
	own := m.Schedule().Zone
	first := max(now.Unix(), m.StartLocal.Unix())
	for month := range zonesAhead {
		wall := time.Unix(first, 0).UTC().AddDate(0, month, 0)
		earliest, at := own, Instant(wall, own)
		for _, zone := range zones {
			if other := Instant(wall, zone); other.Before(at) {
				earliest, at = zone, other
			}
		}
		if name := earliest.String(); earliest != own && !slices.Contains(m.Zones, name) {
			m.Zones = append(m.Zones, name)
		}
	}
	slices.Sort(m.Zones)
}

// FollowZones gives the mailing the next time by the zones that it has now.
func FollowZones(m *Mailing) { m.advanceTo(m.NextNo) }

// WavesOf are when an occurrence goes out in each of the clients' zones, "" is where none is known: in the mailing's. Nil
// where it goes out everywhere at once.
func WavesOf(m Mailing, no int) map[string]time.Time {
	schedule := m.Schedule()
	wall, ok := schedule.settled(no)
	if !m.ZoneOfClient || m.ZoneField == 0 || !ok {
		return nil
	}
	waves := map[string]time.Time{"": Instant(wall, schedule.Zone)}
	for _, name := range m.ClientZones {
		if zone, err := LoadZone(name); err == nil {
			waves[name] = Instant(wall, zone)
		}
	}
	return waves
}

// utcOffset is how people write a zone of whole hours.
var utcOffset = regexp.MustCompile(`^(?i:utc|gmt)? ?([+-])0?([0-9]|1[0-4])(?::?00)?$`)

// parseZone takes the IANA name of a zone, however its capitals are, and an offset such as UTC+3.
func parseZone(text string) (string, bool) {
	if at := utcOffset.FindStringSubmatch(strings.ReplaceAll(text, "−", "-")); at != nil {
		sign := map[string]string{"+": "-", "-": "+"}[at[1]] // Etc/GMT-3 is three hours ahead
		if text = "Etc/GMT" + sign + at[2]; at[2] == "0" {
			text = "Etc/GMT"
		}
	}
	name := strings.ReplaceAll(strings.TrimSpace(text), " ", "_")
	if _, err := LoadZone(name); err == nil {
		return name, true
	}
	letters := []rune(strings.ToLower(name))
	for i := range letters {
		if i == 0 || letters[i-1] == '/' || letters[i-1] == '_' {
			letters[i] = unicode.ToUpper(letters[i])
		}
	}
	_, err := LoadZone(string(letters))
	return string(letters), err == nil
}
