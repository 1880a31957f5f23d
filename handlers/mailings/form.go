package mailings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/digest"
	"skychimp/handlers/holdout"
	"skychimp/handlers/topics"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// mailingForm is the blocks mailings/form (a new mailing) and mailings/edit-row, and their pages.
type mailingForm struct {
	web.ListForm
	domain.MailingForm
	Sender, Topic   string // their ids; of no sender or topic ""
	Segment         string // its id, "": none
	Senders, Topics []templates.Option
	Segments        []templates.Option
	Messages        messagePicker
	Rotation        rotationForm
	Tries           testForm
	Periodicities   []templates.Option
	OwnTags         []db.TagCount
	Found           picker
	WeekdayChoices  []weekdayChoice
	Countries       []templates.Option
	Nths, Moves     []templates.Option
	ZonesOf         []templates.Option
	Digests         []templates.Option
	Thens           []templates.Option // of what does not fit into the window
	Recipients      recipientCount
	LeaveOut        holdout.Fields
	Running         bool // the anchor is fixed
}

// ProblemID is the id of the text that says what is wrong with a group of fields.
func (f mailingForm) ProblemID(name string) string {
	return "mailing-" + strconv.FormatInt(f.ID, 10) + "-" + name + "-problem"
}

// Picker is what the form shows of the clients to pick.
func (f mailingForm) Picker() picker {
	if f.Errors.Of("client_ids") != "" {
		f.Found.Problem = f.ProblemID("clients")
	}
	return f.Found
}

// messagePicker is the block mailings/messages: the chosen message, and those that a search finds.
type messagePicker struct {
	ID      string // of the element
	Query   string
	Options []pickedMessage
	More    bool   // there are others
	Problem string // what is wrong with the choice
}

type pickedMessage struct {
	ID      int64
	Subject string
	Changed web.Moment
	Picked  bool
}

// picker is the block mailings/picker: the picked clients, and those that a search finds.
type picker struct {
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

// HasTopics reports whether there is a choice of topics to show.
func (f mailingForm) HasTopics() bool { return len(f.Topics) > 1 || f.Errors.Of("topic") != "" }

func readForm(r *web.Request) domain.MailingForm {
	form := domain.MailingForm{
		Name: r.FormValue("name"), Audience: r.FormValue("audience"), Tags: r.FormValue("tags"), StartAt: r.FormValue("start_at"),
		EndAt: r.FormValue("end_at"), Timezone: r.FormValue("timezone"), Periodicity: r.FormValue("periodicity"),
	}
	if form.MessageIDs = web.Numbers(r, "message_id"); len(form.MessageIDs) > 0 {
		form.MessageID = form.MessageIDs[0]
	}
	form.Digest, form.FeedURL = r.FormValue("digest"), r.FormValue("feed_url")
	form.AB = readTest(r)
	form.RotationStops = r.FormValue("rotation_then") == "stop"
	form.SenderID, _ = strconv.ParseInt(r.FormValue("sender_id"), 10, 64)
	form.SkipHolidays, form.HolidaysThen = r.FormValue("skip_holidays"), r.FormValue("holidays_then")
	form.Interval, form.Nth = r.FormValue("interval"), r.FormValue("nth")
	form.Tracking = web.TrackingOf(r)
	form.ZoneOf, form.Important = r.FormValue("zone_of"), r.FormValue("important") == "yes"
	form.WindowFrom, form.WindowTo, form.WindowThen = r.FormValue("window_from"), r.FormValue("window_to"), r.FormValue("window_then")
	for _, value := range r.Request().PostArgs().PeekMulti("weekdays") {
		form.Weekdays = append(form.Weekdays, string(value))
	}
	form.SegmentID, _ = strconv.ParseInt(r.FormValue("segment_id"), 10, 64)
	form.ClientIDs = web.Numbers(r, "client_ids")
	return form
}

// read is the form as it was sent. A topic is named by its number or its name.
func (h *Mailings) read(r *web.Request) (domain.MailingForm, error) {
	form, topic := readForm(r), r.FormValue("topic")
	fields, err := h.DB.Fields().List(r.UserContext(), r.Viewer.User.ID)
	form.Holdout = holdout.Read(r, fields)
	if err != nil || topic == "" {
		return form, err
	}
	list, err := h.DB.Topics().List(r.UserContext(), r.Viewer.User.ID)
	form.TopicID, _ = strconv.ParseInt(topic, 10, 64)
	if named := domain.TopicNamed(list, topic); named != nil {
		form.TopicID = named.ID
	} else if form.TopicID <= 0 {
		form.TopicID = noTopic
	}
	return form, err
}

// noTopic is the number of no topic: it is refused.
const noTopic = -1

// New begins with the message of the parameter message_id, if the viewer has it.
func (h *Mailings) New(r *web.Request) error {
	if r.Browser().Typed().Reopen() {
		return h.reopen(r, 0)
	}
	now := time.Now().In(r.Viewer.Zone)
	start := time.Date(now.Year(), now.Month(), now.Day(), now.Hour()+1, 0, 0, 0, time.UTC) // a wall clock
	return h.showForm(r, nil, 0, domain.MailingForm{
		MessageID: int64(r.QueryInt("message_id")), Audience: string(domain.AudienceAll), StartAt: start.Format(domain.WallFormat),
		Timezone: r.Viewer.User.Timezone, Periodicity: string(domain.Once),
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
	if r.Browser().Typed().Reopen() {
		return h.reopen(r, m.ID)
	}
	return h.showForm(r, nil, m.ID, formOf(m))
}

// reopen shows what was typed before.
func (h *Mailings) reopen(r *web.Request, id int64) error {
	typed, err := h.read(r)
	if err != nil {
		return err
	}
	return h.showForm(r, nil, id, typed)
}

// formOf is the form as the mailing is stored.
func formOf(m domain.Mailing) domain.MailingForm {
	form := domain.MailingForm{Name: m.Name, Audience: string(m.Audience), Tags: strings.Join(m.Tags, ", "), StartAt: m.StartLocal.Format(domain.WallFormat),
		Timezone: m.Timezone, Periodicity: string(m.Periodicity), MessageID: m.MessageID, SenderID: m.SenderID, TopicID: m.TopicID,
		SegmentID: m.SegmentID, ClientIDs: m.ClientIDs, SkipHolidays: m.SkipHolidays, Interval: strconv.Itoa(max(1, m.Interval)), Nth: m.NthText(),
		WindowFrom: m.Window.From, WindowTo: m.Window.To}
	if m.Window.Expires {
		form.WindowThen = "expire"
	}
	if len(m.MessageIDs) > 0 {
		form.MessageIDs, form.MessageID, form.RotationStops = m.MessageIDs, m.MessageIDs[0], m.RotationStops
	}
	switch form.Digest = m.Digest.Source; form.Digest {
	case "", digest.Blog:
	default:
		form.Digest, form.FeedURL = "feed", m.Digest.Source
	}
	form.Tracking, form.AB, form.Holdout = m.Tracking, m.AB, m.Holdout.Form()
	if form.Important = m.Important; m.ZoneOfClient {
		form.ZoneOf = "client"
	}
	if m.HolidayMoves {
		form.HolidaysThen = "move"
	}
	for _, one := range m.Weekdays {
		form.Weekdays = append(form.Weekdays, string(one))
	}
	if !m.EndLocal.IsZero() {
		form.EndAt = m.EndLocal.Format(domain.WallFormat)
	}
	return form
}

func (h *Mailings) Create(r *web.Request) error {
	m := domain.Mailing{OwnerID: r.Viewer.User.ID}
	typed, err := h.read(r)
	if err != nil {
		return err
	}
	chosen, err := turned(r, h, &typed)
	if err != nil {
		return err
	}
	if chosen {
		return h.showForm(r, nil, 0, typed)
	}
	err = cmp.Or(h.tests().check(r, typed), m.Change(typed, time.Now()))
	if err == nil {
		err = h.DB.Mailings().Create(r.UserContext(), &m)
	}
	if err != nil {
		return h.showForm(r, err, 0, typed)
	}
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	return r.Saved(Path(m.ID), web.Fragment{Block: "mailings/created", View: createdMailing{row}, Event: "mailings-changed"}, "mailings.created")
}

// createdMailing is the block mailings/created: the new row, and no form any more.
type createdMailing struct{ Row mailingRow }

func (h *Mailings) Update(r *web.Request) error {
	id := r.ID()
	typed, err := h.read(r)
	if err != nil {
		return err
	}
	chosen, err := turned(r, h, &typed)
	if err != nil {
		return err
	}
	if chosen {
		return h.showForm(r, nil, id, typed)
	}
	m, err := h.DB.Mailings().Update(r.UserContext(), r.Viewer.User.ID, id, func(m *domain.Mailing) error {
		return cmp.Or(r.CheckRevision(formOf(*m)), h.tests().check(r, typed), m.Change(typed, time.Now()))
	})
	if domain.KindOf(err) == domain.Invalid || web.Changed(err) {
		return h.showForm(r, err, id, typed)
	}
	return h.saved(r, err, m, Path(m.ID), "mailings.saved")
}

// showForm shows what was typed, with its choices and what is wrong with it; id 0 is a new mailing.
func (h *Mailings) showForm(r *web.Request, refusal error, id int64, typed domain.MailingForm) error {
	form := &mailingForm{ListForm: web.ListForm{Noun: "mailing", ID: id}, MailingForm: typed, Periodicities: Periodicities(r),
		WeekdayChoices: weekdayChoices(r, typed.Weekdays), Countries: countryChoices(r), Nths: nthChoices(r),
		Moves:   []templates.Option{{Value: "", Label: r.Viewer.T("mailings.holiday_skip")}, {Value: "move", Label: r.Viewer.T("mailings.holiday_move")}},
		Digests: []templates.Option{{Value: "", Label: r.Viewer.T("mailings.digest_none")}, {Value: digest.Blog, Label: r.Viewer.T("mailings.digest_blog")}, {Value: "feed", Label: r.Viewer.T("mailings.digest_feed")}},
		ZonesOf: []templates.Option{{Value: "", Label: r.Viewer.T("mailings.zone_of_mailing")}, {Value: "client", Label: r.Viewer.T("mailings.zone_of_client")}},
		Thens:   []templates.Option{{Value: "", Label: r.Viewer.T("mailings.window_wait")}, {Value: "expire", Label: r.Viewer.T("mailings.window_expire")}}}
	if typed.SenderID != 0 {
		form.Sender = strconv.FormatInt(typed.SenderID, 10)
	}
	if typed.TopicID > 0 {
		form.Topic = strconv.FormatInt(typed.TopicID, 10)
	}
	if typed.SegmentID != 0 {
		form.Segment = strconv.FormatInt(typed.SegmentID, 10)
	}
	if err := h.choices(r, form, refusal); err != nil {
		return err
	}
	if r.HTMX() && r.Get("HX-Target") == form.Rotation.Mark() {
		return r.Block(fiber.StatusOK, "mailings/turned", form)
	}
	return r.ListForm(refusal, form)
}

// choices fills in what the form offers besides what was typed.
func (h *Mailings) choices(r *web.Request, form *mailingForm, refusal error) (err error) {
	ctx, owner := r.UserContext(), r.Viewer.User.ID
	var m domain.Mailing
	if form.ID != 0 {
		if m, err = h.ownMailing(r); err != nil {
			return err
		}
		form.Running = m.Status == domain.Running
		stored := formOf(m)
		form.Against(r, refusal, stored, templates.Option{Label: r.Viewer.T("mailings.name"), Value: stored.Name},
			templates.Option{Label: r.Viewer.T("mailings.audience"), Value: r.Viewer.T("mailings.audience_"+stored.Audience) + " " + stored.Tags},
			templates.Option{Label: r.Viewer.T("mailings.periodicity"), Value: everyWords(r, m)},
			templates.Option{Label: r.Viewer.T("mailings.days"), Value: daysWords(r, m)},
			templates.Option{Label: r.Viewer.T("mailings.start_at"), Value: r.Viewer.Wall(m.StartLocal)},
			templates.Option{Label: r.Viewer.T("mailings.end_at"), Value: r.Viewer.Wall(m.EndLocal)})
		form.Revision = cmp.Or(form.Revision, web.Revision(stored))
	}
	if form.Messages, err = h.findMessages(r, form.ID, form.MessageID); err != nil {
		return err
	}
	form.Messages.Problem = r.Viewer.Errors(refusal).Of("message_id")
	if form.Rotation, err = h.rotationForm(r, form.ID, form.MailingForm); err != nil {
		return err
	}
	if form.Tries, err = h.tests().form(r, form.AB, r.Viewer.Errors(refusal)); err != nil {
		return err
	}
	if form.Senders, err = h.Senders.Options(r); err != nil {
		return err
	}
	fields, err := h.DB.Fields().List(ctx, owner)
	if err != nil {
		return err
	}
	form.LeaveOut = holdout.NewFields(r, "mailing-"+strconv.FormatInt(form.ID, 10)+"-", form.MailingForm.Holdout, m, fields)
	list, err := h.DB.Topics().List(ctx, owner)
	if err != nil {
		return err
	}
	form.Topics = topics.Options(r, list)
	if form.Segments, err = h.Segments.Options(r, r.Viewer.T("mailings.choose_segment")); err != nil {
		return err
	}
	if form.OwnTags, err = h.DB.Clients().Tags(ctx, owner); err != nil {
		return err
	}
	if form.Found, err = h.findClients(r, form.ClientIDs, r.FormValue("client_q")); err != nil {
		return err
	}
	form.Recipients, err = h.countRecipients(r, form.MailingForm)
	return err
}

// Periodicities are the choices of how often a mailing goes out.
func Periodicities(r *web.Request) (list []templates.Option) {
	for _, one := range []domain.Periodicity{domain.Once, domain.Daily, domain.Weekly, domain.Monthly} {
		list = append(list, templates.Option{Value: string(one), Label: r.Viewer.T("mailings.every_" + string(one))})
	}
	return list
}

// maxChoices is how many messages the form offers at once.
const maxChoices = 8

// findMessages are the chosen message and the newest that the search of the form of the mailing id finds.
func (h *Mailings) findMessages(r *web.Request, id, chosen int64) (messagePicker, error) {
	view := messagePicker{ID: "mailing-" + strconv.FormatInt(id, 10) + "-messages", Query: r.FormValue("message_q")}
	messages, more, err := h.DB.Messages().Choices(r.UserContext(), r.Viewer.User.ID, chosen, view.Query, maxChoices)
	if view.More = more; len(messages) == 1 && view.Query == "" && chosen == 0 {
		chosen = messages[0].ID
	}
	for _, one := range messages {
		view.Options = append(view.Options, pickedMessage{one.ID, one.Subject, r.Viewer.Moment(one.UpdatedAt), one.ID == chosen})
	}
	return view, err
}

// ShowMessages is the search for a message inside the form.
func (h *Mailings) ShowMessages(r *web.Request) error {
	id, _ := strconv.ParseInt(r.Query("id"), 10, 64)
	view, err := h.findMessages(r, id, readForm(r).MessageID)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/messages", view)
}

// recipientCount is the block mailings/recipient-count: whom the audience in the form comes to.
type recipientCount struct{ Recipients, Suppressed int64 }

// ShowRecipients answers what is being chosen in the form.
func (h *Mailings) ShowRecipients(r *web.Request) error {
	form, err := h.read(r)
	if err != nil {
		return err
	}
	count, err := h.countRecipients(r, form)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/recipient-count", count)
}

func (h *Mailings) countRecipients(r *web.Request, f domain.MailingForm) (recipientCount, error) {
	recipients, suppressed, err := h.DB.Mailings().RecipientCount(r.UserContext(), domain.Mailing{OwnerID: r.Viewer.User.ID,
		Audience: domain.Audience(f.Audience), Tags: domain.ParseTags(f.Tags), SegmentID: f.SegmentID, ClientIDs: f.ClientIDs, TopicID: f.TopicID})
	return recipientCount{int64(recipients), int64(suppressed)}, err
}

// ShowPicker is the search for clients inside the form. It is a POST because an address
// can't hold thousands of picked clients.
func (h *Mailings) ShowPicker(r *web.Request) error {
	view, err := h.findClients(r, readForm(r).ClientIDs, r.FormValue("client_q"))
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "mailings/picker", view)
}

// findClients lists the picked clients first, then those that the search finds.
func (h *Mailings) findClients(r *web.Request, picked []int64, query string) (picker, error) {
	owner := r.Viewer.User.ID
	view := picker{Query: query}
	chosen, err := h.DB.Clients().ByID(r.UserContext(), owner, picked)
	if err != nil {
		return view, err
	}
	for _, one := range chosen {
		view.Clients = append(view.Clients, pickedClient{one.ID, one.Email, one.FullName, true})
	}
	found, total, err := h.DB.Clients().List(r.UserContext(), owner, db.ClientFilter{Query: query})
	if err != nil {
		return view, err
	}
	for _, one := range found {
		if !slices.Contains(picked, one.ID) {
			view.Clients = append(view.Clients, pickedClient{one.ID, one.Email, one.FullName, false})
		}
	}
	view.More = total > len(found)
	return view, nil
}
