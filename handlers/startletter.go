package handlers

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// startLetterView is the page start/letter: the letter, its time, and the button.
type startLetterView struct {
	domain.StartForm
	Subject, Body string
	Examples      []templates.Option
	Example       string // the one that the letter begins with
	Clients       string // how many, in words
	Periodicities []templates.Option
	Reader        string             // the client that the preview is for
	Readers       []templates.Option // the newest ones
	Typed         bool               // what stands in the form is saved nowhere
	Notice        string
	Act           startAct
	Problems      templates.Problems
}

// startAct is the block start/act: what the button does, and when the letters go.
type startAct struct {
	Label, Promise, Note string
	Next                 []Moment
}

// startLetterOf is the form with what is saved, else with the example and usual times.
func (s *Site) startLetterOf(c *fiber.Ctx, start domain.Start) startLetterView {
	to, m := s.reader(c), start.Mailing
	tomorrow := time.Now().In(to.Zone).AddDate(0, 0, 1).Format("2006-01-02") + "T10:00"
	view := startLetterView{Subject: start.Message.Subject, Body: start.Message.Body,
		StartForm: domain.StartForm{When: domain.StartNow, StartAt: tomorrow, Timezone: to.User.Timezone, Periodicity: string(domain.Once)}}
	if start.Message.ID == 0 {
		view.Example = templates.StartNames()[0]
	}
	if chosen := c.Query("start"); slices.Contains(templates.StartNames(), chosen) {
		view.Example = chosen
	}
	if view.Example != "" {
		view.Subject, view.Body = templates.Start(to.Lang, view.Example)
	}
	if m.ID != 0 {
		view.Timezone, view.Periodicity = m.Timezone, string(m.Periodicity)
		if domain.Instant(m.StartLocal, m.Schedule().Zone).After(time.Now()) {
			view.When, view.StartAt = "later", m.StartLocal.Format(domain.WallFormat)
		}
	}
	return view
}

// sentStart reads the form.
func sentStart(c *fiber.Ctx) startLetterView {
	return startLetterView{Subject: c.FormValue("subject"), Body: c.FormValue("body"), Reader: c.FormValue("client"), Typed: true,
		StartForm: domain.StartForm{When: c.FormValue("when"), StartAt: c.FormValue("start_at"), Timezone: c.FormValue("timezone"),
			Periodicity: c.FormValue("periodicity")}}
}

func (s *Site) showStartLetter(c *fiber.Ctx, status int, view startLetterView) error {
	clients, total, err := s.DB.Clients(c.UserContext(), s.reader(c).User.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	view.Clients, view.Examples = s.tn(c, "clients.found", total), s.examples(c)
	for _, one := range clients {
		view.Readers = append(view.Readers, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: clientLabel(one)})
	}
	if view.Reader == "" && len(view.Readers) > 0 {
		view.Reader = view.Readers[0].Value
	}
	for _, one := range []domain.Periodicity{domain.Once, domain.Daily, domain.Weekly, domain.Monthly} {
		view.Periodicities = append(view.Periodicities, templates.Option{Value: string(one), Label: s.t(c, "mailings.every_"+string(one))})
	}
	if view.Act, err = s.startAct(c, view.StartForm); err != nil {
		return err
	}
	return s.page(c, status, "start/letter", view)
}

// startPlan answers what is being chosen in the form: what the button would do.
func (s *Site) startPlan(c *fiber.Ctx) error {
	act, err := s.startAct(c, sentStart(c).StartForm)
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "start/act", act)
}

func (s *Site) startAct(c *fiber.Ctx, form domain.StartForm) (startAct, error) {
	act := startAct{Label: s.t(c, "mailings.launch"), Promise: form.Promise()}
	m, now := domain.Mailing{OwnerID: s.reader(c).User.ID, MessageID: 1, Status: domain.Created}, time.Now()
	if texts, wrong := s.problems(c, form.Plan(&m, "-", now)); wrong {
		for _, text := range texts {
			act.Note = text
		}
		return act, nil
	}
	recipients, suppressed, err := s.DB.Recipients(c.UserContext(), m)
	if err != nil {
		return act, err
	}
	if form.When == domain.StartNow {
		act.Label = s.tn(c, "start.send_now", recipients)
	} else {
		act.Label = s.t(c, "start.send_later", "Day", s.day(c, m.StartLocal))
		act.Note = s.tn(c, "mailings.reach", recipients)
	}
	if suppressed > 0 {
		act.Note += " (" + s.tn(c, "mailings.suppressed", suppressed) + ")"
	}
	if m.Periodicity != domain.Once {
		act.Next = s.upcoming(c, m)[:3]
	}
	return act, nil
}

// launchStart saves the letter and its time. What else it does says the pressed button: one
// that promised something else than the form has now does nothing more.
func (s *Site) launchStart(c *fiber.Ctx) error {
	view, do, now, user := sentStart(c), c.FormValue("do"), time.Now(), s.reader(c).User
	launch := do == view.Promise()
	if !launch && do != "keep" && do != "test" {
		view.Notice = s.t(c, "start.look_again")
		return s.showStartLetter(c, fiber.StatusUnprocessableEntity, view)
	}
	write := func(m *domain.Message) error {
		return changeMessage(m, domain.MessageForm{Subject: view.Subject, Body: view.Body})
	}
	plan := func(m *domain.Mailing) error { return view.Plan(m, s.t(c, "start.mailing_name"), now) }
	m, err := s.DB.SaveStart(c.UserContext(), user.ID, launch, now, write, plan)
	if texts, ok := s.problems(c, err); ok {
		view.Problems = texts
		if more, wrong := s.problems(c, plan(&domain.Mailing{MessageID: 1})); wrong { // the letter was refused first
			maps.Copy(view.Problems, more)
		}
		return s.showStartLetter(c, fiber.StatusUnprocessableEntity, view)
	}
	switch {
	case err != nil:
		return err
	case launch || m.MessageID == 0: // the second click comes to the mailing of the first
		return s.done(c, mailingPath(m.ID), "mailings.launched")
	case do == "keep":
		return s.done(c, "/start", "start.kept")
	}
	client, _ := strconv.ParseInt(view.Reader, 10, 64)
	if err := s.DB.TestMessage(c.UserContext(), user.ID, m.MessageID, client); err != nil {
		return err
	}
	return s.done(c, "/start", s.testSent(), "Email", user.Email)
}
