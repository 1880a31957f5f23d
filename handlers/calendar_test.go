package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/outbox"
	dbseries "skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
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
		fmt.Sprintf(`<a href="%s/dates/1"><time datetime="2031-01-07T`, pathOf(m)), `href="/calendar/2031-01-07"`)
	not(t, b.get("/calendar?month=2031-01"), "more than one email")
	w.act(t, second, launch)
	b.get("/calendar?month=2031-01").is(t, 200, "some clients get more than one email", "within an hour", "1 client is in both", `class="planned clash"`)
	not(t, other.get("/calendar?month=2031-01"), "clash", pathOf(m))
	for _, month := range []string{"2001-01", "soon", "2031-13", "9999-01"} {
		not(t, b.get("/calendar?month="+month).is(t, 200), `rel="prev"`)
	}
}

// The calendar shows a week, what ran in it and how that went, and leads to each day.
func TestCalendarPast(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID)
	w.act(t, m, launch)
	now := time.Now().UTC()
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, now, true)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	today := now.Format(time.DateOnly)
	b.get("/calendar").is(t, 200, `class="going"`, fmt.Sprintf(`href="/runs/%d"`, run.ID), "0 of 1")
	w.exec(t, `UPDATE runs SET status = 'done', closed_at = now(), accepted = 1 WHERE id = $1`, run.ID)
	b.get("/calendar?week="+today).is(t, 200, "Week of", `class="good"`, "1 of 1", `href="/calendar?month=20`)
	b.get("/calendar/"+today).is(t, 200, "What went out", fmt.Sprintf(`href="/runs/%d"`, run.ID), "Done")
	not(t, other.get("/calendar/"+today).is(t, 200, "Nothing goes out on this day."), "/runs/")
	w.exec(t, `UPDATE runs SET status = 'missed' WHERE id = $1`, run.ID)
	b.get("/calendar").is(t, 200, `class="missed"`)
	for _, wrong := range []string{"soon", "2031-02-30", "2001-01-01", "9999-01-01"} {
		b.get("/calendar/"+wrong).is(t, 404)
	}
}

// On a day it stands who gets what, and whom several mailings reach, with the way to mend it.
func TestCalendarDay(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	for i := range 5 {
		c := domain.Client{OwnerID: user.ID}
		form := domain.ClientForm{Email: fmt.Sprintf("c%d@example.com", i)}
		if i < 2 {
			form.Tags = "news"
		}
		if err := c.Change(form); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Clients().Create(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	all := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Periodicity = "weekly" })
	news := w.mailing(t, user.ID, func(f *domain.MailingForm) {
		f.Audience, f.Tags, f.Periodicity, f.Name = "tags", "news", "weekly", "Offers"
	})
	third := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Periodicity, f.Timezone, f.Name = "weekly", "Asia/Tokyo", "Tokyo" })
	for _, m := range []domain.Mailing{all, news, third} {
		w.act(t, m, launch)
	}
	b.get("/calendar?month=2031-01").is(t, 200, "3 mailings reach the same 2 clients on one day", `<a href="/calendar/2031-01-13">Monday, 13 January</a>`)
	b.get("/calendar/2031-01-13").is(t, 200, "12 emails", "5 recipients", "2 recipients", "(Asia/Tokyo)", "3 mailings reach the same 2 clients", "2 mailings reach the same 5 clients",
		fmt.Sprintf(`href="%s/dates/1"`, pathOf(news)))
}

// A date that is skipped or moved is so everywhere, and for its owner alone.
func TestCalendarDates(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Periodicity = "weekly" }) // Mondays, 9:00 in Berlin, from 6 January 2031
	w.act(t, m, launch)
	date := func(no int) string { return fmt.Sprintf("%s/dates/%d", pathOf(m), no) }
	b.get(date(1)).is(t, 200, "Monday, 13 January 2031, 09:00", "Europe/Berlin", "1 recipient", "Skip this date", "Move this date", `value="2031-01-13T09:00"`)
	other.get(date(1)).is(t, 404)
	other.post(date(1), "do", "skip").is(t, 404)
	b.get(date(-1)).is(t, 404)
	b.get(pathOf(m)+"/dates/x").is(t, 404)

	b.post(date(1), "do", "skip").is(t, 303)
	b.get(date(1)).is(t, 200, "The date is skipped.", "Bring it back")
	b.get(pathOf(m)).is(t, 200, "<s><time", `<a href="`+date(1)+`">Bring it back</a>`)
	b.get("/calendar?month=2031-01").is(t, 200, `class="skipped"`)
	b.get("/calendar/2031-01-13").is(t, 200, "Bring it back")
	b.post(date(0), "do", "skip").is(t, 303)
	if now, err := w.db.Mailings().Get(t.Context(), user.ID, m.ID); err != nil || now.NextRunAt.Format("01-02") != "01-20" {
		t.Errorf("the next run is at %s, %v", now.NextRunAt, err)
	}
	b.post(date(1), "do", "restore").is(t, 303)
	b.post(date(1), "do", "move", "at", "2031-01-19T10:30").is(t, 303)
	b.get("/calendar/2031-01-19").is(t, 200, "1 email", `datetime="2031-01-19T09:30:00Z"`)
	b.get(date(1)).is(t, 200, "Moved here from Monday, 13 January 2031, 09:00.", "Move it back")
	b.get(pathOf(m)).is(t, 200, "Moved")
	b.get(pathOf(m)+"/review?do=run").is(t, 200, "2031-01-19T09:30:00Z")
	b.post(date(1), "do", "move", "at", "2031-01-20T09:00").is(t, 422, "Choose a time after the previous date", `value="2031-01-20T09:00"`, `aria-invalid="true"`)
	b.post(date(1), "do", "move", "at", "").is(t, 422, "Enter a date and a time.")
	once := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Periodicity = "once" })
	b.post(pathOf(once)+"/dates/0", "do", "skip").is(t, 409, "This mailing has no other date.")
	if a := b.get(pathOf(once)+"/dates/0").is(t, 200, "has not been launched"); strings.Contains(a.body, "Skip this date") {
		t.Error("the only date can be skipped")
	}
	w.act(t, m, stop)
	b.post(date(2), "do", "skip").is(t, 409, "can no longer be changed")
}

// What would go to nobody now is refused with the reason; a finished mailing is begun again as a copy.
func TestLaunchToNobodyAndAgain(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	past := func(f *domain.MailingForm) { f.StartAt, f.Periodicity = "2025-01-06T09:00", "weekly" }
	m := w.mailing(t, user.ID, past)
	tagged := w.mailing(t, user.ID, past, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "vip" })
	later := w.mailing(t, user.ID)
	b.post(pathOf(m)+"/launch").is(t, 409, "you have no clients who receive emails")
	b.post(pathOf(tagged)+"/run").is(t, 409, "no client who receives emails has any of these tags")
	b.post(pathOf(later)+"/launch").is(t, 303)
	w.client(t, user.ID, "c@example.com")
	b.post(pathOf(m)+"/launch").is(t, 303)
	w.act(t, m, stop)
	b.get(pathOf(m)).is(t, 200, "Begin again")
	place := b.post(pathOf(m)+"/copy", "again", "yes").is(t, 303).Header.Get("Location")
	b.get(place).is(t, 200, "copy of the finished mailing", "News", "1 client")
	if !strings.HasSuffix(place, "/review") {
		t.Error(place)
	}
}

// The calendar, a day and the forecast show what series will send, step by step.
func TestCalendarSeries(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	first, second := w.message(t, user.ID, "Welcome", "Text"), w.message(t, user.ID, "How is it?", "Text")
	kept := dbseries.In(w.db)
	s, err := kept.Create(t.Context(), user.ID, rules.Input{Name: "Warm welcome", Entry: "manual", Steps: []rules.StepInput{
		{MessageID: first.ID, Wait: "1", At: "10:00"}, {MessageID: second.ID, Wait: "2", At: "10:00"}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if s, err = kept.Launch(t.Context(), user.ID, s.ID, false, 0); err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for i := range 3 {
		ids = append(ids, w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i)).ID)
	}
	if _, err := kept.Add(t.Context(), user.ID, s.ID, ids); err != nil {
		t.Fatal(err)
	}
	day := s.Steps[0].Due(time.Now(), time.UTC)
	b.get("/calendar/"+day.Format(time.DateOnly)).is(t, 200, "3 emails", "Warm welcome, step 1", "3 recipients", fmt.Sprintf(`href="/series/%d"`, s.ID))
	later := s.Steps[1].Due(day, time.UTC)
	b.get("/calendar?week="+later.Format(time.DateOnly)).is(t, 200, `class="series"`, "Warm welcome, step 2", "3 emails")
	b.get("/calendar/forecast").is(t, 200, "2 runs, 6 emails", "Warm welcome, step 1")
	not(t, other.get("/calendar/forecast").is(t, 200), "Warm welcome")
	if err := kept.Pause(t.Context(), user.ID, s.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	not(t, b.get("/calendar/forecast").is(t, 200), "Warm welcome")
}

// The whole series as a client gets it, with the dates; all steps go to the owner at once; a copy sends nothing.
func TestSeriesPreview(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	first, second := w.message(t, user.ID, "Welcome", "Text"), w.message(t, user.ID, "How is it?", "Text")
	kept := dbseries.In(w.db)
	s, err := kept.Create(t.Context(), user.ID, rules.Input{Name: "Warm welcome", Entry: "manual", Steps: []rules.StepInput{
		{MessageID: first.ID, Wait: "1", At: "10:00"}, {MessageID: second.ID, Wait: "2", At: "10:00"}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/series/%d", s.ID)
	b.get(path+"/preview").is(t, 200, "Welcome", "How is it?")
	eve, max := w.client(t, user.ID, "eve@example.com"), w.client(t, user.ID, "max@example.com")
	day := s.Steps[0].Due(time.Now(), time.UTC)
	later := s.Steps[1].Due(day, time.UTC)
	b.get(path+"/preview?email=EVE@example.com").is(t, 200, "not in the series", day.Format(time.RFC3339), later.Format(time.RFC3339), fmt.Sprintf("client=%d", eve.ID))
	b.get(path+"/preview?email=nobody@example.com").is(t, 200, `aria-invalid="true"`, "None of your clients has this address")
	if s, err = kept.Launch(t.Context(), user.ID, s.ID, false, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Add(t.Context(), user.ID, s.ID, []int64{max.ID}); err != nil {
		t.Fatal(err)
	}
	w.exec(t, `UPDATE series_clients SET passed = ARRAY[$1::bigint], next_step_id = $2, due_at = '2031-05-01T10:00:00Z'`, s.Steps[0].ID, s.Steps[1].ID)
	b.get(fmt.Sprintf("%s/preview?client=%d", path, max.ID)).is(t, 200, "these are the real dates", "Sent", "2031-05-01T10:00:00Z")
	other.get(path+"/preview").is(t, 404)
	b.post(path+"/test", "client", fmt.Sprint(eve.ID)).leads(t, path+"/preview")
	tests := 0
	for _, job := range w.mailJobs(t) {
		if job.Email == domain.MailTest && job.ClientID == eve.ID {
			tests++
		}
	}
	if tests != 2 {
		t.Errorf("%d tests", tests)
	}
	place := b.post(path+"/copy").is(t, 303).Header.Get("Location")
	b.get(place).is(t, 200, "Warm welcome", "Nothing goes out before you launch it.")
	other.post(path+"/copy").is(t, 404)
}
