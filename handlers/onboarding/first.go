package onboarding

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/clients"
	"skychimp/handlers/mailings"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Preview shows the email as a client gets it, its subject above it, in the color scheme of this
// browser: as it stands in the form, or as it is saved.
func (h *Onboarding) Preview(r *web.Request) error {
	view, user := readForm(r), *r.Viewer.User
	if r.Method() == fiber.MethodGet {
		start, err := h.DB.Onboarding().Get(r.UserContext(), user.ID)
		if err != nil {
			return err
		}
		view = h.emailOf(r, start)
	}
	message := domain.Message{OwnerID: user.ID, Subject: view.Subject, Body: view.Draft.Body}
	client, _ := strconv.ParseInt(r.FormValue("client", r.Query("client")), 10, 64)
	compiled, to, err := h.Messages.EmailTo(r, user, message, client)
	if text := r.Viewer.Problem(err); text != "" {
		return r.Status(fiber.StatusUnprocessableEntity).SendString(text)
	}
	if err != nil {
		return err
	}
	var head strings.Builder
	if err := r.Site.Templates.Render(&head, r.Viewer.Lang, "onboarding/subject", compiled.Subject(to)); err != nil {
		return err
	}
	return messages.ShowEmail(r, email.Under(head.String(), compiled.HTML(to)))
}

// emailView is the page onboarding/email: the email and its time. Its button leads to the review of the mailing.
type emailView struct {
	web.Form
	domain.OnboardingForm
	Subject        string
	Draft          messages.Draft
	Composer       messages.Composer
	Examples       []templates.Option
	Example        string // the one that the email begins with
	Clients        string // how many, in words
	Periodicities  []templates.Option
	PreviewFor     string             // the client that the preview is for
	PreviewClients []templates.Option // the newest ones
	Typed          bool               // the form has values that aren't saved
	Kept           messages.DraftView // what is kept of them
	Advice         []string           // what to look at before the email goes out
	Plan           planView
}

// planView is the block onboarding/plan: to how many the emails go, and when the next ones do.
type planView struct {
	Note string
	Next []web.Moment
}

// emailOf is the form with what is saved, else with the example and usual times.
func (h *Onboarding) emailOf(r *web.Request, start domain.Onboarding) emailView {
	to, m := r.Viewer, start.Mailing
	tomorrow := time.Now().In(to.Zone).AddDate(0, 0, 1).Format("2006-01-02") + "T10:00"
	view := emailView{Subject: start.Message.Subject,
		OnboardingForm: domain.OnboardingForm{When: domain.StartNow, StartAt: tomorrow, Timezone: to.User.Timezone, Periodicity: string(domain.Once)}}
	if start.Message.ID == 0 {
		view.Example = templates.ExampleNames()[0]
	}
	if chosen := r.Query("start"); slices.Contains(templates.ExampleNames(), chosen) {
		view.Example = chosen
	}
	body := start.Message.Body
	if view.Example != "" {
		view.Subject, body = templates.Example(to.Lang, view.Example, r.Site.Absolute(""))
	}
	view.Draft = messages.OpenDraft(body)
	if m.ID != 0 {
		view.Timezone, view.Periodicity = m.Timezone, string(m.Periodicity)
		if domain.Instant(m.StartLocal, m.Schedule().Zone).After(time.Now()) {
			view.When, view.StartAt = "later", m.StartLocal.Format(domain.WallFormat)
		}
	}
	return view
}

// readForm reads the form.
func readForm(r *web.Request) emailView {
	return emailView{Subject: r.FormValue("subject"), Draft: messages.ReadDraft(r), PreviewFor: r.FormValue("client"), Typed: true,
		OnboardingForm: domain.OnboardingForm{When: r.FormValue("when"), StartAt: r.FormValue("start_at"), Timezone: r.FormValue("timezone"),
			Periodicity: r.FormValue("periodicity")}}
}

func (h *Onboarding) showEmail(r *web.Request, refusal error, view emailView) error {
	list, total, err := h.DB.Clients().List(r.UserContext(), r.Viewer.User.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	view.Clients, view.Examples = r.Viewer.TN("clients.found", total), h.Messages.Examples(r)
	for _, one := range list {
		view.PreviewClients = append(view.PreviewClients, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: clients.Label(one)})
	}
	if view.PreviewFor == "" && len(view.PreviewClients) > 0 {
		view.PreviewFor = view.PreviewClients[0].Value
	}
	if view.Advice, err = h.Messages.Advice(r, view.Subject, view.Draft.Body); err != nil {
		return err
	}
	if view.Kept.Path == "" {
		start, err := h.DB.Onboarding().Get(r.UserContext(), r.Viewer.User.ID)
		if err != nil {
			return err
		}
		if view.Kept, _, err = h.Messages.StartDraft(r, start.Message.ID); err != nil {
			return err
		}
	}
	view.Periodicities = mailings.Periodicities(r)
	if view.Plan, err = h.planOf(r, view.OnboardingForm); err != nil {
		return err
	}
	if view.Composer.ID == "" {
		if view.Composer, err = h.composer(r, view.Draft, -1, refusal); err != nil {
			return err
		}
	}
	return r.Form(refusal, "onboarding/email", &view)
}

func (h *Onboarding) composer(r *web.Request, d messages.Draft, focus int, refused error) (messages.Composer, error) {
	return h.Messages.Composer(r, d, "composer", "/start/compose", focus, refused)
}

// Compose does what a button of the composer says and shows the form again, saving nothing.
func (h *Onboarding) Compose(r *web.Request) error {
	view := readForm(r)
	d, focus, refused := h.Messages.Composed(r)
	if refused != nil && r.Viewer.Problem(refused) == "" {
		return refused
	}
	c, err := h.composer(r, d, focus, refused)
	if err != nil {
		return err
	}
	view.Draft, view.Composer = d, c
	if !r.HTMX() {
		return h.showEmail(r, refused, view)
	}
	status := fiber.StatusOK
	if refused != nil {
		status = fiber.StatusUnprocessableEntity
	}
	return r.Block(status, "messages/composer", c)
}

// Plan answers what is being chosen in the form.
func (h *Onboarding) Plan(r *web.Request) error {
	plan, err := h.planOf(r, readForm(r).OnboardingForm)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "onboarding/plan", plan)
}

func (h *Onboarding) planOf(r *web.Request, form domain.OnboardingForm) (plan planView, err error) {
	m, now := domain.Mailing{OwnerID: r.Viewer.User.ID, Status: domain.Created}, time.Now()
	if plan.Note = r.Viewer.Problem(form.Plan(&m, "-", now)); plan.Note != "" {
		return plan, nil
	}
	recipients, suppressed, err := h.DB.Mailings().RecipientCount(r.UserContext(), m)
	if err != nil {
		return plan, err
	}
	if plan.Note = r.Viewer.TN("mailings.recipient_count", recipients); suppressed > 0 {
		plan.Note += " (" + r.Viewer.TN("mailings.suppressed", suppressed) + ")"
	}
	if m.Periodicity != domain.Once {
		plan.Next = mailings.Upcoming(r, m)[:3]
	}
	return plan, nil
}

// Save keeps the email and its time, and goes where the pressed button leads: to the review of what would go out,
// back to the form, or there after a test.
func (h *Onboarding) Save(r *web.Request) error {
	view, do, now, user := readForm(r), r.FormValue("do"), time.Now(), r.Viewer.User
	fields, err := h.DB.Fields().List(r.UserContext(), user.ID)
	if err != nil {
		return err
	}
	write := func(m *domain.Message) error {
		if do == "review" && templates.IsExample(view.Subject, view.Draft.Body) {
			return domain.ValidationErrors{domain.Errorf(domain.Invalid, "body", "mailings.example_untouched")}
		}
		return messages.Change(m, domain.MessageForm{Subject: view.Subject, Body: view.Draft.Body, Language: m.Language}, fields)
	}
	plan := func(m *domain.Mailing) error {
		return view.OnboardingForm.Plan(m, r.Viewer.T("onboarding.mailing_name"), now)
	}
	m, err := h.DB.Onboarding().Save(r.UserContext(), user.ID, write, plan)
	if err != nil { // what is wrong with the email is found before what is wrong with its time
		return h.showEmail(r, domain.Join(err, plan(&domain.Mailing{})), view)
	}
	for _, id := range []int64{0, m.MessageID} { // of the form before and after it was first saved
		if err := h.DB.Messages().DropDraft(r.UserContext(), user.ID, id); err != nil {
			return err
		}
	}
	switch {
	case m.MessageID == 0: // another page has launched it
		return r.Redirect(mailings.Path(m.ID))
	case do == "review":
		return r.Redirect(mailings.Path(m.ID) + "/review?first=yes")
	case do != "test":
		return r.Done("/start", "onboarding.kept")
	}
	client, _ := strconv.ParseInt(view.PreviewFor, 10, 64)
	if err := h.DB.Messages().SendTest(r.UserContext(), user.ID, m.MessageID, client, time.Now()); err != nil {
		return err
	}
	return r.Done("/start", messages.TestSent(r), "Email", user.Email)
}
