package recipients

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/brands"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// preferencesView is the page recipients/preferences and its block recipients/choices.
type preferencesView struct {
	web.Form
	Path, Email, Owner string     // Email is masked
	Why                string     // why emails come
	Since              web.Moment // since when
	Stopped            bool       // by the client itself
	LeftFor            string     // why
	Bounced            bool       // the address does not work
	Complained         bool       // an email was called spam
	Paused             web.Moment // until then; zero: not paused
	Until, Earliest    string     // of the form of a pause
	Topics             []topicChoice
	Frequencies        []templates.Option
	Frequency          string
	Reasons            []templates.Option
	Gone               bool // nothing is kept of the client
	Refused            bool // and its address gets no more emails
	Ask                bool // whether erasing is meant
	Test               bool // the link is from a test email

	brand domain.Brand
}

// topicChoice is a topic that the client may leave.
type topicChoice struct {
	ID            int64
	Name, Details string
	Wanted        bool
}

func preferencesPath(r *web.Request) string {
	return "/preferences/" + url.PathEscape(r.Params("token"))
}

// Preferences shows what may be chosen and changes nothing: mail programs open links by themselves.
func (h *Recipients) Preferences(r *web.Request) error {
	if r.Params("token") == testToken {
		private(r)
		return r.Page(fiber.StatusOK, "recipients/preferences", &preferencesView{Test: true})
	}
	link, err := h.linkOf(r)
	if err != nil {
		return err
	}
	return h.show(r, link, nil)
}

// show is the page with what was refused of it.
func (h *Recipients) show(r *web.Request, link domain.RecipientLink, refusal error) error {
	private(r)
	view, err := h.view(r, link)
	if err != nil {
		return err
	}
	view.Ask = refusal == nil && r.Query("ask") == "erase"
	status, err := r.Refused(refusal, view)
	if err != nil {
		return err
	}
	if r.HTMX() {
		return r.Block(status, "recipients/choices", view)
	}
	if view.Gone {
		return r.Page(status, "recipients/preferences", view)
	}
	return brands.ShowPublic(r, view.brand, status, "recipients/preferences", view, brands.PublicPage{Owner: view.Owner, Hidden: true, Wide: true})
}

func (h *Recipients) view(r *web.Request, link domain.RecipientLink) (*preferencesView, error) {
	view := &preferencesView{Path: preferencesPath(r)}
	who, err := h.DB.Preferences().Get(r.UserContext(), link.ClientID)
	if domain.KindOf(err) == domain.NotFound {
		view.Gone = true
		view.Owner, view.Refused, err = h.refused(r, link)
		return view, err
	}
	if err != nil {
		return nil, err
	}
	brand, err := h.DB.Brands().Get(r.UserContext(), who.OwnerID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	view.brand = brand
	view.Email, view.Owner, view.Since = masked(who.Email), who.OwnerName, r.Viewer.Moment(who.CreatedAt)
	if brand.Name != "" {
		view.Owner = brand.Name
	}
	view.Why = h.why(r, who, brand)
	if !who.AgreedAt.IsZero() {
		view.Since = r.Viewer.Moment(who.AgreedAt)
	}
	view.Stopped, view.LeftFor = who.SuppressedReason == domain.Unsubscribed, who.LeftFor
	view.Bounced, view.Complained = who.SuppressedReason == domain.Bounced, who.SuppressedReason == domain.Complained
	if who.PausedUntil.After(now) {
		view.Paused = r.Viewer.Moment(who.PausedUntil)
	}
	today := now.In(r.Viewer.Zone)
	view.Earliest, view.Until = today.AddDate(0, 0, 1).Format(time.DateOnly), today.AddDate(0, 1, 0).Format(time.DateOnly)
	if r.Has("until") {
		view.Until = r.FormValue("until")
	}
	view.Frequency = string(who.Frequency)
	for _, one := range who.Topics {
		view.Topics = append(view.Topics, topicChoice{one.ID, one.Name, one.Details, !who.Leaves(one.ID)})
	}
	for _, one := range domain.Frequencies() {
		view.Frequencies = append(view.Frequencies, templates.Option{Value: string(one), Label: r.Viewer.T("recipients.frequency_" + wordOf(string(one), "any"))})
	}
	for _, one := range domain.LeaveReasons() {
		view.Reasons = append(view.Reasons, templates.Option{Value: string(one), Label: r.Viewer.T("recipients.reason_" + string(one))})
	}
	return view, nil
}

func wordOf(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

// why emails come: the owner's own words, else how the client came here.
func (h *Recipients) why(r *web.Request, who db.Recipient, brand domain.Brand) string {
	switch {
	case brand.Reason != "":
		return brand.Reason
	case !who.AgreedAt.IsZero():
		return r.Viewer.T("recipients.why_signed")
	case who.Imported:
		return r.Viewer.T("recipients.why_list", "Owner", who.OwnerName)
	}
	return r.Viewer.T("recipients.why_added", "Owner", who.OwnerName)
}

// Choose does what a button says. It needs no cookie: the link is the key, as that of unsubscribing is.
func (h *Recipients) Choose(r *web.Request) error {
	if r.Params("token") == testToken {
		return h.Preferences(r)
	}
	link, err := h.linkOf(r)
	if err != nil {
		return err
	}
	said, err := h.choose(r, link)
	if domain.KindOf(err) == domain.NotFound { // deleted meanwhile
		return h.show(r, link, nil)
	}
	switch {
	case err != nil:
		return h.show(r, link, err)
	case said == "":
		return nil // answered
	case r.HTMX():
		r.Toast(said)
		return h.show(r, link, nil)
	}
	return r.Done(preferencesPath(r), said)
}

// choose does it, and says so by a key; none where it has answered.
func (h *Recipients) choose(r *web.Request, link domain.RecipientLink) (said string, err error) {
	ctx, preferences := r.UserContext(), h.DB.Preferences()
	switch r.FormValue("do") {
	case "save":
		form := domain.PreferencesForm{Topics: numbers(r, "topics"), Frequency: r.FormValue("frequency")}
		if r.Has("shown") {
			form.Shown = numbers(r, "shown")
		}
		return "recipients.saved", preferences.Change(ctx, link, func(p *domain.Preferences, topics []domain.Topic) error { return p.Change(form, topics) })
	case "pause":
		return "recipients.paused", preferences.Change(ctx, link, func(p *domain.Preferences, _ []domain.Topic) error {
			return p.Pause(r.FormValue("until"), r.Viewer.Zone, time.Now())
		})
	case "resume":
		return "recipients.resumed", preferences.Change(ctx, link, func(p *domain.Preferences, _ []domain.Topic) error {
			p.PausedUntil = time.Time{}
			return nil
		})
	case "stop":
		reason, err := domain.ParseLeaveReason(r.FormValue("reason"))
		if err == nil {
			err = preferences.Stop(ctx, link, reason)
		}
		if said = "recipients.stopped"; reason != "" {
			said = "recipients.thanks"
		}
		return said, err
	case "undo":
		return "recipients.undone", preferences.Undo(ctx, link)
	case "data":
		return "", h.data(r, link)
	case "erase":
		if r.FormValue("sure") != "yes" {
			return "", r.Redirect(preferencesPath(r) + "?ask=erase")
		}
		return "recipients.erased", preferences.Erase(ctx, link)
	}
	return "", domain.ValidationErrors{domain.Errorf(domain.Invalid, "", "recipients.do_unknown")}
}

// numbers are the values of a field that repeats; what is no number is passed over.
func numbers(r *web.Request, name string) []int64 {
	list := []int64{}
	for _, value := range r.Request().PostArgs().PeekMulti(name) {
		if id, err := strconv.ParseInt(strings.TrimSpace(string(value)), 10, 64); err == nil {
			list = append(list, id)
		}
	}
	return list
}

// data answers with all that is kept of the client.
func (h *Recipients) data(r *web.Request, link domain.RecipientLink) error {
	if _, err := h.DB.Preferences().Get(r.UserContext(), link.ClientID); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := h.DB.Preferences().Data(r.UserContext(), link.ClientID, &out); err != nil {
		return err
	}
	private(r)
	r.Attachment("my-data.json")
	r.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return r.Send(out.Bytes())
}
