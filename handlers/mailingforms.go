package handlers

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// mailingForm is the blocks mailings/form (a new mailing) and mailings/edit-row, and their pages.
type mailingForm struct {
	ID                                                             int64
	Name, Message, Audience, Tags, StartAt, EndAt, Timezone, Every string
	Messages, Periodicities                                        []templates.Option
	OwnTags                                                        []db.TagCount
	Pick                                                           mailingPick
	Reach                                                          mailingReach
	Running                                                        bool // the anchor is fixed
	InPlace                                                        bool // htmx puts the form into the list
	Problems                                                       templates.Problems
}

// FieldID is the id of a field; several forms can be open at once.
func (f mailingForm) FieldID(name string) string {
	return "id=mailing-" + strconv.FormatInt(f.ID, 10) + "-" + name
}

// ProblemID is the id of the text that says what is wrong with a group of fields.
func (f mailingForm) ProblemID(name string) string {
	return "mailing-" + strconv.FormatInt(f.ID, 10) + "-" + name + "-problem"
}

// mailingPick is the block mailings/pick: the picked clients, and those that a search finds.
type mailingPick struct {
	Query   string
	Clients []pickedClient
	More    bool   // the search finds more than are shown
	Problem string // id of the text that says what is wrong
}

type pickedClient struct {
	ID          int64
	Email, Name string
	Picked      bool
}

// sentMailing reads the fields of the form.
func sentMailing(c *fiber.Ctx) domain.MailingForm {
	form := domain.MailingForm{
		Name: c.FormValue("name"), Audience: c.FormValue("audience"), Tags: c.FormValue("tags"), StartAt: c.FormValue("start_at"),
		EndAt: c.FormValue("end_at"), Timezone: c.FormValue("timezone"), Periodicity: c.FormValue("periodicity"),
	}
	form.MessageID, _ = strconv.ParseInt(c.FormValue("message_id"), 10, 64)
	for _, value := range c.Request().PostArgs().PeekMulti("client_ids") {
		if id, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			form.ClientIDs = append(form.ClientIDs, id)
		}
	}
	return form
}

// newMailingForm begins with the message of the parameter message_id, if the reader has it.
func (s *Site) newMailingForm(c *fiber.Ctx) error {
	user := s.reader(c).User
	now := time.Now().In(s.reader(c).Zone)
	start := time.Date(now.Year(), now.Month(), now.Day(), now.Hour()+1, 0, 0, 0, time.UTC) // a wall clock
	return s.showMailingForm(c, fiber.StatusOK, 0, nil, domain.MailingForm{
		MessageID: int64(c.QueryInt("message_id")), Audience: string(domain.AudienceAll), StartAt: start.Format(domain.WallFormat), Timezone: user.Timezone, Periodicity: string(domain.Once),
	})
}

func (s *Site) editMailingForm(c *fiber.Ctx) error {
	m, err := s.ownMailing(c)
	if err == nil && !m.MayEdit() {
		err = domain.Refuse(domain.Conflict, "", "mailings.finished_fixed")
	}
	if err != nil {
		return err
	}
	form := domain.MailingForm{Name: m.Name, Audience: string(m.Audience), Tags: strings.Join(m.Tags, ", "), StartAt: m.StartLocal.Format(domain.WallFormat),
		Timezone: m.Timezone, Periodicity: string(m.Periodicity), MessageID: m.MessageID, ClientIDs: m.ClientIDs}
	if !m.EndLocal.IsZero() {
		form.EndAt = m.EndLocal.Format(domain.WallFormat)
	}
	return s.showMailingForm(c, fiber.StatusOK, m.ID, nil, form)
}

func (s *Site) createMailing(c *fiber.Ctx) error {
	form := sentMailing(c)
	if c.FormValue("find") != "" { // the search of clients, without JavaScript
		return s.showMailingForm(c, fiber.StatusOK, 0, nil, form)
	}
	m := domain.Mailing{OwnerID: s.reader(c).User.ID}
	err := m.Change(form, time.Now())
	if err == nil {
		err = s.DB.CreateMailing(c.UserContext(), &m)
	}
	if texts, ok := s.problems(c, err); ok {
		return s.showMailingForm(c, fiber.StatusUnprocessableEntity, 0, texts, form)
	}
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, mailingPath(m.ID), "mailings.created")
	}
	s.toast(c, "mailings.created")
	c.Set("HX-Trigger-After-Swap", "mailings-changed")
	row, err := s.rowOf(c, m)
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "mailings/created", createdMailing{row})
}

// createdMailing is the block mailings/created: the new row, and no form any more.
type createdMailing struct{ Row mailingRow }

func (s *Site) updateMailing(c *fiber.Ctx) error {
	form, id := sentMailing(c), pathID(c)
	if c.FormValue("find") != "" {
		return s.showMailingForm(c, fiber.StatusOK, id, nil, form)
	}
	m, err := s.DB.UpdateMailing(c.UserContext(), s.reader(c).User.ID, id, func(m *domain.Mailing) error { return m.Change(form, time.Now()) })
	if texts, ok := s.problems(c, err); ok && domain.KindOf(err) == domain.Invalid {
		return s.showMailingForm(c, fiber.StatusUnprocessableEntity, id, texts, form)
	}
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, mailingPath(id), "mailings.saved")
	}
	s.toast(c, "mailings.saved")
	return s.mailingAsRow(c, m)
}

// showMailingForm shows what was typed, with its choices; id 0 is a new mailing.
func (s *Site) showMailingForm(c *fiber.Ctx, status int, id int64, problems templates.Problems, f domain.MailingForm) error {
	owner := s.reader(c).User.ID
	form := mailingForm{ID: id, Name: f.Name, Audience: f.Audience, Tags: f.Tags, StartAt: f.StartAt, EndAt: f.EndAt, Timezone: f.Timezone,
		Every: f.Periodicity, Problems: problems, InPlace: isHTMX(c)}
	if f.MessageID != 0 {
		form.Message = strconv.FormatInt(f.MessageID, 10)
	}
	for _, one := range []domain.Periodicity{domain.Once, domain.Daily, domain.Weekly, domain.Monthly} {
		form.Periodicities = append(form.Periodicities, templates.Option{Value: string(one), Label: s.t(c, "mailings.every_"+string(one))})
	}
	if id != 0 {
		m, err := s.ownMailing(c)
		if err != nil {
			return err
		}
		form.Running = m.Status == domain.Running
	}
	var err error
	if form.Messages, err = s.messageOptions(c, owner, f.MessageID); err != nil {
		return err
	}
	if form.OwnTags, err = s.DB.Tags(c.UserContext(), owner); err != nil {
		return err
	}
	if form.Pick, err = s.pick(c, f.ClientIDs, c.FormValue("client_q")); err != nil {
		return err
	}
	if problems.Of("client_ids") != "" {
		form.Pick.Problem = form.ProblemID("clients")
	}
	if form.Reach, err = s.reach(c, f); err != nil {
		return err
	}
	switch {
	case form.InPlace && id == 0:
		c.Set("HX-Retarget", "#new-mailing")
		c.Set("HX-Reswap", "innerHTML")
		return s.block(c, status, "mailings/form", form)
	case form.InPlace:
		return s.block(c, status, "mailings/edit-row", form)
	case id == 0:
		return s.page(c, status, "mailings/new", form)
	}
	return s.page(c, status, "mailings/edit", form)
}

// messageOptions are the newest messages and the chosen one, for the choice of one.
func (s *Site) messageOptions(c *fiber.Ctx, owner, chosen int64) ([]templates.Option, error) {
	messages, err := s.DB.MessageChoices(c.UserContext(), owner, chosen)
	options := []templates.Option{{Label: s.t(c, "mailings.choose_message")}}
	for _, one := range messages {
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Subject})
	}
	return options, err
}

// mailingReach is the block mailings/reach: whom the audience in the form comes to.
type mailingReach struct{ Recipients, Suppressed int64 }

// showReach answers what is being chosen in the form.
func (s *Site) showReach(c *fiber.Ctx) error {
	reach, err := s.reach(c, sentMailing(c))
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "mailings/reach", reach)
}

func (s *Site) reach(c *fiber.Ctx, f domain.MailingForm) (mailingReach, error) {
	recipients, suppressed, err := s.DB.Recipients(c.UserContext(), domain.Mailing{OwnerID: s.reader(c).User.ID,
		Audience: domain.Audience(f.Audience), Tags: domain.ParseTags(f.Tags), ClientIDs: f.ClientIDs})
	return mailingReach{int64(recipients), int64(suppressed)}, err
}

// pickClients is the search for clients inside the form. It is a POST because an address
// can't hold thousands of picked clients.
func (s *Site) pickClients(c *fiber.Ctx) error {
	pick, err := s.pick(c, sentMailing(c).ClientIDs, c.FormValue("client_q"))
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "mailings/pick", pick)
}

// pick lists the picked clients first, then those that the search finds.
func (s *Site) pick(c *fiber.Ctx, picked []int64, query string) (mailingPick, error) {
	owner := s.reader(c).User.ID
	pick := mailingPick{Query: query}
	chosen, err := s.DB.ClientsByID(c.UserContext(), owner, picked)
	if err != nil {
		return pick, err
	}
	for _, one := range chosen {
		pick.Clients = append(pick.Clients, pickedClient{one.ID, one.Email, one.FullName, true})
	}
	found, total, err := s.DB.Clients(c.UserContext(), owner, db.ClientFilter{Query: query, Page: 1})
	if err != nil {
		return pick, err
	}
	for _, one := range found {
		if !slices.Contains(picked, one.ID) {
			pick.Clients = append(pick.Clients, pickedClient{one.ID, one.Email, one.FullName, false})
		}
	}
	pick.More = total > len(found)
	return pick, nil
}
