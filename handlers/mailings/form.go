package mailings

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
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
func sentMailing(r *web.Request) domain.MailingForm {
	form := domain.MailingForm{
		Name: r.FormValue("name"), Audience: r.FormValue("audience"), Tags: r.FormValue("tags"), StartAt: r.FormValue("start_at"),
		EndAt: r.FormValue("end_at"), Timezone: r.FormValue("timezone"), Periodicity: r.FormValue("periodicity"),
	}
	form.MessageID, _ = strconv.ParseInt(r.FormValue("message_id"), 10, 64)
	for _, value := range r.Request().PostArgs().PeekMulti("client_ids") {
		if id, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			form.ClientIDs = append(form.ClientIDs, id)
		}
	}
	return form
}

// New begins with the message of the parameter message_id, if the reader has it.
func (h *Mailings) New(r *web.Request) error {
	user := r.Viewer.User
	now := time.Now().In(r.Viewer.Zone)
	start := time.Date(now.Year(), now.Month(), now.Day(), now.Hour()+1, 0, 0, 0, time.UTC) // a wall clock
	return h.showMailingForm(r, fiber.StatusOK, 0, nil, domain.MailingForm{
		MessageID: int64(r.QueryInt("message_id")), Audience: string(domain.AudienceAll), StartAt: start.Format(domain.WallFormat), Timezone: user.Timezone, Periodicity: string(domain.Once),
	})
}

func (h *Mailings) Edit(r *web.Request) error {
	m, err := h.ownMailing(r)
	if err == nil && !m.MayEdit() {
		err = domain.Errorf(domain.Conflict, "", "mailings.finished_fixed")
	}
	if err != nil {
		return err
	}
	form := domain.MailingForm{Name: m.Name, Audience: string(m.Audience), Tags: strings.Join(m.Tags, ", "), StartAt: m.StartLocal.Format(domain.WallFormat),
		Timezone: m.Timezone, Periodicity: string(m.Periodicity), MessageID: m.MessageID, ClientIDs: m.ClientIDs}
	if !m.EndLocal.IsZero() {
		form.EndAt = m.EndLocal.Format(domain.WallFormat)
	}
	return h.showMailingForm(r, fiber.StatusOK, m.ID, nil, form)
}

func (h *Mailings) Create(r *web.Request) error {
	form := sentMailing(r)
	if r.FormValue("find") != "" { // the search of clients, without JavaScript
		return h.showMailingForm(r, fiber.StatusOK, 0, nil, form)
	}
	m := domain.Mailing{OwnerID: r.Viewer.User.ID}
	err := m.Change(form, time.Now())
	if err == nil {
		err = h.DB.Mailings().Create(r.UserContext(), &m)
	}
	if texts, ok := r.Problems(err); ok {
		return h.showMailingForm(r, fiber.StatusUnprocessableEntity, 0, texts, form)
	}
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Done(Path(m.ID), "mailings.created")
	}
	r.Toast("mailings.created")
	r.Set("HX-Trigger-After-Swap", "mailings-changed")
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/created", createdMailing{row})
}

// createdMailing is the block mailings/created: the new row, and no form any more.
type createdMailing struct{ Row mailingRow }

func (h *Mailings) Update(r *web.Request) error {
	form, id := sentMailing(r), r.ID()
	if r.FormValue("find") != "" {
		return h.showMailingForm(r, fiber.StatusOK, id, nil, form)
	}
	m, err := h.DB.Mailings().Update(r.UserContext(), r.Viewer.User.ID, id, func(m *domain.Mailing) error { return m.Change(form, time.Now()) })
	if texts, ok := r.Problems(err); ok && domain.KindOf(err) == domain.Invalid {
		return h.showMailingForm(r, fiber.StatusUnprocessableEntity, id, texts, form)
	}
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Done(Path(id), "mailings.saved")
	}
	r.Toast("mailings.saved")
	return h.mailingAsRow(r, m)
}

// showMailingForm shows what was typed, with its choices; id 0 is a new mailing.
func (h *Mailings) showMailingForm(r *web.Request, status int, id int64, problems templates.Problems, f domain.MailingForm) error {
	owner := r.Viewer.User.ID
	form := mailingForm{ID: id, Name: f.Name, Audience: f.Audience, Tags: f.Tags, StartAt: f.StartAt, EndAt: f.EndAt, Timezone: f.Timezone,
		Every: f.Periodicity, Problems: problems, InPlace: r.HTMX()}
	if f.MessageID != 0 {
		form.Message = strconv.FormatInt(f.MessageID, 10)
	}
	for _, one := range []domain.Periodicity{domain.Once, domain.Daily, domain.Weekly, domain.Monthly} {
		form.Periodicities = append(form.Periodicities, templates.Option{Value: string(one), Label: r.T("mailings.every_" + string(one))})
	}
	if id != 0 {
		m, err := h.ownMailing(r)
		if err != nil {
			return err
		}
		form.Running = m.Status == domain.Running
	}
	var err error
	if form.Messages, err = h.messageOptions(r, owner, f.MessageID); err != nil {
		return err
	}
	if form.OwnTags, err = h.DB.Clients().Tags(r.UserContext(), owner); err != nil {
		return err
	}
	if form.Pick, err = h.pick(r, f.ClientIDs, r.FormValue("client_q")); err != nil {
		return err
	}
	if problems.Of("client_ids") != "" {
		form.Pick.Problem = form.ProblemID("clients")
	}
	if form.Reach, err = h.reach(r, f); err != nil {
		return err
	}
	switch {
	case form.InPlace && id == 0:
		r.Set("HX-Retarget", "#new-mailing")
		r.Set("HX-Reswap", "innerHTML")
		return r.Block(status, "mailings/form", form)
	case form.InPlace:
		return r.Block(status, "mailings/edit-row", form)
	case id == 0:
		return r.Page(status, "mailings/new", form)
	}
	return r.Page(status, "mailings/edit", form)
}

// messageOptions are the newest messages and the chosen one, for the choice of one.
func (h *Mailings) messageOptions(r *web.Request, owner, chosen int64) ([]templates.Option, error) {
	messages, err := h.DB.Messages().Choices(r.UserContext(), owner, chosen)
	options := []templates.Option{{Label: r.T("mailings.choose_message")}}
	for _, one := range messages {
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Subject})
	}
	return options, err
}

// mailingReach is the block mailings/reach: whom the audience in the form comes to.
type mailingReach struct{ Recipients, Suppressed int64 }

// ShowRecipients answers what is being chosen in the form.
func (h *Mailings) ShowRecipients(r *web.Request) error {
	reach, err := h.reach(r, sentMailing(r))
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/reach", reach)
}

func (h *Mailings) reach(r *web.Request, f domain.MailingForm) (mailingReach, error) {
	recipients, suppressed, err := h.DB.Mailings().RecipientCount(r.UserContext(), domain.Mailing{OwnerID: r.Viewer.User.ID,
		Audience: domain.Audience(f.Audience), Tags: domain.ParseTags(f.Tags), ClientIDs: f.ClientIDs})
	return mailingReach{int64(recipients), int64(suppressed)}, err
}

// Pick is the search for clients inside the form. It is a POST because an address
// can't hold thousands of picked clients.
func (h *Mailings) Pick(r *web.Request) error {
	pick, err := h.pick(r, sentMailing(r).ClientIDs, r.FormValue("client_q"))
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/pick", pick)
}

// pick lists the picked clients first, then those that the search finds.
func (h *Mailings) pick(r *web.Request, picked []int64, query string) (mailingPick, error) {
	owner := r.Viewer.User.ID
	pick := mailingPick{Query: query}
	chosen, err := h.DB.Clients().ByID(r.UserContext(), owner, picked)
	if err != nil {
		return pick, err
	}
	for _, one := range chosen {
		pick.Clients = append(pick.Clients, pickedClient{one.ID, one.Email, one.FullName, true})
	}
	found, total, err := h.DB.Clients().List(r.UserContext(), owner, db.ClientFilter{Query: query, Page: 1})
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
