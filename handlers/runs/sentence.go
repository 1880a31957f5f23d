package runs

import (
	"strings"
	"time"

	"skychimp/db"
	"skychimp/handlers/web"
)

// sentence says what has become of a run; dead are its addresses that do not exist.
func sentence(r *web.Request, run db.RunRow, dead int64) string {
	parts := []string{r.Viewer.T("runs.said_accepted", "Accepted", run.Accepted, "Planned", run.Planned)}
	say := func(key string, n int64, args ...any) {
		if n > 0 {
			parts = append(parts, r.Viewer.TN("runs.said_"+key, int(n), args...))
		}
	}
	dead = min(dead, run.Failed)
	say("dead", dead)
	say("failed", run.Failed-dead)
	if !run.Closed() {
		say("deferred", run.Deferred, "Time", clock(r, run.NextTryAt))
		say("open", run.Open()-run.Deferred)
	}
	say("suppressed", run.Suppressed)
	say("expired", run.Expired)
	say("cancelled", run.Cancelled)
	return strings.Join(parts, ", ") + "."
}

// clock is the time of a day, with the day when that is not today.
func clock(r *web.Request, at time.Time) string {
	local, today := at.In(r.Viewer.Zone), time.Now().In(r.Viewer.Zone)
	if local.Format(time.DateOnly) == today.Format(time.DateOnly) {
		return local.Format("15:04")
	}
	return r.Viewer.Wall(local)
}

// Bar is the outcomes of a run side by side, in thousandths of its width.
type Bar struct {
	Parts []barPart
}

type barPart struct {
	Kind     string
	X, Width int64
}

// leastPart of a bar can still be seen.
const leastPart = 6

// Bar of the counts.
func (c runCounts) Bar() Bar {
	var bar Bar
	if c.Planned == 0 {
		return bar
	}
	x := int64(0)
	for _, one := range []struct {
		kind string
		n    int64
	}{{"accepted", c.Accepted}, {"failed", c.Failed}, {"unsent", c.Unsent()}, {"deferred", c.Deferred}, {"open", c.Open() - c.Deferred}} {
		if one.n > 0 {
			part := barPart{one.kind, x, max(leastPart, 1000*one.n/c.Planned)}
			bar.Parts = append(bar.Parts, part)
			x += part.Width
		}
	}
	return bar
}
