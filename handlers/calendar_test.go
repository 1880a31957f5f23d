package handlers

import (
	"fmt"
	"testing"
)

func TestCalendar(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	b.get("/calendar").is(t, 200, "<html", "Nothing is scheduled this month", `aria-current="date"`)
	w.client(t, user.ID, "eve@example.com")
	m, second := w.mailing(t, user.ID), w.mailing(t, user.ID) // daily from Monday, 6 January 2031
	w.act(t, m, launch)
	b.get("/calendar?month=2031-01").is(t, 200, "January 2031", `rel="next" href="/calendar?month=2031-02"`, `rel="prev"`, "Tuesday, 7 January",
		fmt.Sprintf(`<a href="%s"><time datetime="2031-01-07T`, pathOf(m)))
	not(t, b.get("/calendar?month=2031-01"), "more than one email")
	w.act(t, second, launch)
	b.get("/calendar?month=2031-01").is(t, 200, "some clients get more than one email", "within an hour", "1 client is in both", `class="clash"`)
	not(t, other.get("/calendar?month=2031-01"), "clash", pathOf(m))
	for _, month := range []string{"2001-01", "soon", "2031-13", "9999-01"} {
		not(t, b.get("/calendar?month="+month).is(t, 200), `rel="prev"`)
	}
}
