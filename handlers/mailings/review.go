package mailings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/holdout"
	"skychimp/handlers/segments"
	"skychimp/handlers/senders"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// reviewView is the page mailings/review: what would go out, in sentences. Its one button launches, or sends now.
type reviewView struct {
	mailingRow
	Do           string // launch or run
	First        bool   // it ends the first steps of an owner, and leads back to them
	Audience     domain.Audience
	Tags         []string
	Segment      segments.Choice
	Recipients   int64 // after suppression
	LeftOut      []leftOut
	Capped       []string // who has had as many emails this week as the owner allows
	LeavesOut    []string // whom it leaves out to compare, and what counts
	SenderID     int64
	Sender       senders.Choice
	When         string
	Next         []web.Moment // in the mailing's zone
	Timezone     string
	ZoneOfClient bool
	Digest       string
	Turns        turns
	Test         testView
	PreviewFor   int64 // a recipient
	Warnings     []string
	Clashes      []clashWarning
	Refused      string // why there is no button
	Button       string
	Recall       string // how long it can be taken back, in words
}

// leftOut is why some of the audience get nothing.
type leftOut struct {
	Reason  string
	Clients int64
}

// clashWarning is another mailing that writes to the same people on the same day.
type clashWarning struct {
	Other    int64
	Name     string
	SameHour bool
	Clients  int64
	Days     []web.Moment
}

// stopView is the page mailings/stop.
type stopView struct {
	mailingRow
	Open int64 // emails of the current run
}

// Review shows what would go out, and asks for confirmation.
func (h *Launches) Review(r *web.Request) error {
	m, err := h.Mailings.ownMailing(r)
	if err != nil {
		return err
	}
	row, err := h.Mailings.rowOf(r, m)
	if err != nil {
		return err
	}
	view := reviewView{mailingRow: row, Do: "run", First: r.Query("first") != "" && row.Launch, Audience: m.Audience, Tags: m.Tags, Timezone: m.Timezone, ZoneOfClient: m.ZoneOfClient, Digest: digestWords(r, m), SenderID: m.SenderID}
	switch {
	case row.Launch && r.Query("do") != "run":
		view.Do = "launch"
	case !row.Run:
		return m.Launch(time.Now())
	}
	message, err := h.Mailings.DB.Messages().Get(r.UserContext(), m.OwnerID, m.MessageID)
	if err != nil {
		return err
	}
	if err := h.reviewRecipients(r, m, &view); err != nil {
		return err
	}
	if err := h.reviewEmail(r, m, message, &view); err != nil {
		return err
	}
	if view.Turns, err = h.Mailings.turnsOf(r, m); err != nil {
		return err
	}
	if view.Test, err = h.Mailings.tests().of(r, m, int(view.Recipients)); err != nil {
		return err
	}
	if view.Test.Few != "" {
		view.Warnings = append(view.Warnings, view.Test.Few)
	}
	if err := h.reviewTimes(r, m, &view); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "mailings/review", view)
}

// now reports whether the button sends at once.
func (v reviewView) now(m domain.Mailing) bool { return sendsNow(m, v.Do) }

func sendsNow(m domain.Mailing, do string) bool {
	first, ok := m.Schedule().From(0)
	return do == "run" || ok && !first.At.After(time.Now())
}

func (h *Launches) reviewRecipients(r *web.Request, m domain.Mailing, view *reviewView) error {
	recipients, suppressed, err := h.Mailings.DB.Mailings().RecipientCount(r.UserContext(), m)
	if err != nil {
		return err
	}
	if words := holdout.Words(r, m.Holdout, int64(recipients)); words != "" {
		counts, err := h.Mailings.Holdouts.Counts(r, m)
		if err != nil {
			return err
		}
		view.LeavesOut = []string{words, counts}
		recipients -= int(m.Holdout.Expected(int64(recipients)))
	}
	view.Recipients = int64(recipients)
	if view.Segment, err = h.Mailings.Segments.Choice(r, m.OwnerID, m.SegmentID); err != nil {
		return err
	}
	if suppressed > 0 {
		reasons, err := h.Mailings.DB.Mailings().LeftOut(r.UserContext(), m)
		if err != nil {
			return err
		}
		for _, one := range reasons {
			view.LeftOut = append(view.LeftOut, leftOut{r.Viewer.TN("mailings.left_out_"+one.Reason, int(one.Clients)), one.Clients})
		}
	}
	capped, err := h.Mailings.DB.Mailings().Capped(r.UserContext(), m, firstRun(m, view.now(m)))
	if err != nil {
		return err
	}
	view.Capped = cappedWords(r, m, capped)
	view.Button = r.Viewer.TN("mailings.launch_for", recipients)
	if view.now(m) {
		view.Button = r.Viewer.TN("mailings.send_to", recipients)
	}
	if r.Site.RecallFor > 0 {
		view.Recall = r.Viewer.T("mailings.recall_promise", "Time", r.Viewer.Span(r.Site.RecallFor))
	}
	if recipients == 0 && view.now(m) {
		view.Refused = r.Viewer.T("mailings.nobody_" + string(m.Audience))
	} else if recipients == 0 {
		view.Warnings = append(view.Warnings, r.Viewer.T("mailings.nobody_yet"))
	}
	return nil
}

// firstRun is when the first emails leave.
func firstRun(m domain.Mailing, now bool) time.Time {
	if next := m.Upcoming(time.Now(), 1); !now && len(next) > 0 {
		return next[0].At
	}
	return time.Now()
}

// cappedWords say whose emails wait for room in their week, and who gets none for that.
func cappedWords(r *web.Request, m domain.Mailing, capped db.Capped) (words []string) {
	most := r.Viewer.TN("mailings.weekly_cap", capped.Most)
	if capped.Waiting > 0 {
		words = append(words, r.Viewer.TN("mailings.cap_waits", int(capped.Waiting), "Most", most, "Until", r.Viewer.Wall(capped.Until.In(m.Schedule().Zone))+" ("+m.Timezone+")"))
	}
	if capped.LeftOut > 0 {
		words = append(words, r.Viewer.TN("mailings.cap_leaves_out", int(capped.LeftOut), "Most", most))
	}
	return words
}

// reviewEmail says what is wrong with the email, and what may be.
func (h *Launches) reviewEmail(r *web.Request, m domain.Mailing, message domain.Message, view *reviewView) error {
	var err error
	if view.Sender, err = h.Mailings.Senders.Choice(r, m.SenderID); err != nil {
		return err
	}
	if templates.IsExample(message.Subject, message.Body) {
		view.Refused = r.Viewer.T("mailings.example_untouched")
	}
	fields, err := h.Mailings.DB.Fields().List(r.UserContext(), m.OwnerID)
	if err != nil {
		return err
	}
	uses := email.Uses(fields, message.Subject, message.Body)
	values, err := h.Mailings.DB.Mailings().EmptyValues(r.UserContext(), m, uses)
	if err != nil {
		return err
	}
	view.PreviewFor = values.First
	for _, name := range uses {
		if n := values.Empty[name]; n > 0 {
			view.Warnings = append(view.Warnings, r.Viewer.TN("mailings.empty_values", int(n), "Name", "{{"+name+"}}"))
		}
	}
	return nil
}

// reviewTimes says when emails go out, and who writes to the same people on those days.
func (h *Launches) reviewTimes(r *web.Request, m domain.Mailing, view *reviewView) error {
	ctx, now := r.UserContext(), time.Now()
	view.Next, view.When = Upcoming(r, m), whenWords(r, m, view.now(m), view.Do)
	days := []time.Time{}
	if view.now(m) {
		days = append(days, now)
	}
	if view.Do == "launch" || m.Status == domain.Running {
		for _, one := range m.Upcoming(now, 5) {
			days = append(days, one.At)
		}
	} else {
		view.Next = nil
	}
	others, err := h.Mailings.DB.Mailings().Next(ctx, m.OwnerID, calendarMailings)
	if err != nil || len(others) == 0 {
		return err
	}
	overlaps, err := h.Mailings.DB.Mailings().Audiences().Overlaps(ctx, m.OwnerID, append(others, m))
	if err != nil {
		return err
	}
	clashes := domain.ClashesOf(m, days, others, m.Schedule().Zone, overlaps.Of)
	for _, one := range clashes[:min(len(clashes), 5)] {
		warning := clashWarning{Other: one.Other.ID, Name: one.Other.Name, SameHour: one.SameHour, Clients: one.Clients}
		for _, at := range one.At[:min(len(one.At), calendarDays)] {
			warning.Days = append(warning.Days, r.Viewer.Moment(at))
		}
		view.Clashes = append(view.Clashes, warning)
	}
	return nil
}

// whenWords are the sentence about the time.
func whenWords(r *web.Request, m domain.Mailing, now bool, do string) string {
	start := r.Viewer.Wall(m.StartLocal) + " (" + m.Timezone + ")"
	text := ""
	switch {
	case now && (m.Periodicity == domain.Once || do == "run" && m.Status != domain.Running):
		text = r.Viewer.T("mailings.when_now")
	case now && do == "run":
		text = r.Viewer.T("mailings.when_now_besides")
	case now && m.Interval > 1:
		text = r.Viewer.T("mailings.when_now") + " " + r.Viewer.T("mailings.when_then", "Every", everyWords(r, m))
	case now:
		text = r.Viewer.T("mailings.when_now_then_" + string(m.Periodicity))
	case m.Interval > 1 && m.Periodicity != domain.Once:
		text = r.Viewer.T("mailings.when_each", "Every", everyWords(r, m), "Start", start)
	default:
		text = r.Viewer.T("mailings.when_"+string(m.Periodicity), "Start", start)
	}
	if days := daysWords(r, m); days != "" {
		text += " " + days
	}
	if !m.EndLocal.IsZero() {
		text += " " + r.Viewer.T("mailings.when_end", "End", r.Viewer.Wall(m.EndLocal))
	}
	return text
}

// AskStop asks for confirmation, for browsers without JavaScript.
func (h *Launches) AskStop(r *web.Request) error {
	m, err := h.Mailings.ownMailing(r)
	if err != nil {
		return err
	}
	row, err := h.Mailings.rowOf(r, m)
	if err != nil {
		return err
	}
	if !row.Stop {
		return m.Stop(time.Now())
	}
	last, err := h.Mailings.lastRun(r, m)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "mailings/stop", stopView{row, h.Mailings.Runs.Row(r, last).Open()})
}

// ready refuses to send to nobody and a message that is still what it began with, and asks DNS about the sender, so
// that its rule knows what is true now.
func (h *Launches) ready(r *web.Request, do string) error {
	m, err := h.Mailings.ownMailing(r)
	if err != nil || m.MessageID == 0 {
		return err
	}
	message, err := h.Mailings.DB.Messages().Get(r.UserContext(), m.OwnerID, m.MessageID)
	if err == nil && templates.IsExample(message.Subject, message.Body) {
		err = domain.Errorf(domain.Conflict, "", "mailings.example_untouched")
	}
	if err != nil {
		return err
	}
	if sendsNow(m, do) && (do == "run" && m.MayRun(time.Now()) || do == "launch" && m.MayLaunch(time.Now())) {
		recipients, _, err := h.Mailings.DB.Mailings().RecipientCount(r.UserContext(), m)
		if err == nil && recipients == 0 {
			err = domain.Errorf(domain.Conflict, "", "mailings.nobody_"+string(m.Audience))
		}
		if err != nil {
			return err
		}
	}
	return h.Mailings.Senders.Before(r.UserContext(), m.OwnerID, m.SenderID)
}
