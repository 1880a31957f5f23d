package series

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	rules "skychimp/domain/series"
	"skychimp/handlers/web"
)

// launchView is the page series/launch.
type launchView struct {
	web.Form
	ID            int64
	Name, Entry   string
	Qualify       int64
	Steps         int
	Now           prospect // to those who qualify already
	Later         prospect // to those whose date comes within a year
	FirstWhen     string   // when whoever comes in gets the first email; empty: by a date
	Zone          string
	Refused, From string
	LeavesOut     []string // whom it leaves out to compare, and what counts
	Recall        string   // how long it can be taken back, in words
}

// prospect is the block series/prospect: what goes out after a launch.
type prospect struct {
	First, Last web.Moment
	Clients     int64 // who get the first step
	Emails      int64 // of all steps
	Zone        string
}

func (h *Series) prospectOf(r *web.Request, list []rules.Expected) (p prospect) {
	for _, one := range list {
		p.Emails += one.Emails
		if one.Step.Position == 1 {
			p.Clients += one.Emails
		}
	}
	if len(list) > 0 {
		p.First, p.Last, p.Zone = r.Viewer.Moment(list[0].At), r.Viewer.Moment(list[len(list)-1].At), r.Viewer.Zone.String()
	}
	return p
}

// AskLaunch says what a launch means, and asks about those who qualify already.
func (h *Series) AskLaunch(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	view := &launchView{ID: s.ID, Name: s.Mailing.Name, Steps: len(s.Steps), Refused: r.Viewer.Problem(s.Ready())}
	own, err := h.kept().Own(r.UserContext(), s.OwnerID)
	if err != nil {
		return err
	}
	view.Entry = entryWords(r, s, own)
	sender, err := h.Senders.Choice(r, s.Mailing.SenderID)
	if err != nil {
		return err
	}
	if view.From = sender.Name; sender.Email != "" {
		view.From = fmt.Sprintf("%s <%s>", sender.Name, sender.Email)
	}
	if view.Refused == "" {
		view.Refused = sender.Refusal
	}
	if view.LeavesOut, err = h.Holdouts.SeriesWords(r, s.Mailing); err != nil {
		return err
	}
	found, err := h.kept().Prospect(r.UserContext(), s, time.Now().Add(r.Site.RecallFor))
	if err != nil {
		return err
	}
	view.Qualify, view.Now, view.Later = found.Qualify, h.prospectOf(r, found.Expected), h.prospectOf(r, found.Later)
	if s.Entry != rules.Date && len(s.Steps) > 0 {
		view.FirstWhen = lowerFirst(stepWords(r, s.Steps[0]))
	}
	if r.Site.RecallFor > 0 && view.Refused == "" {
		view.Recall = r.Viewer.T("mailings.recall_promise", "Time", r.Viewer.Span(r.Site.RecallFor))
	}
	return r.Form(nil, "series/launch", view)
}

// lowerFirst is the text as it stands within a sentence.
func lowerFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[size:]
}

// Launch launches a series.
func (h *Series) Launch(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	if _, err := h.Senders.Choice(r, s.Mailing.SenderID); err != nil { // DNS is asked about it: its rule has to know what is true now
		return err
	}
	_, err = h.kept().Launch(r.UserContext(), r.Viewer.User.ID, r.ID(), r.FormValue("audience_now") == "yes", r.Site.RecallFor)
	return h.done(r, err, "series.launched")
}

// nowView is the block series/now: what passes within minutes. htmx asks for it each second as long as there is something.
type nowView struct {
	ID          int64
	Recall      bool // the launch can be taken back
	Seconds     int64
	Moving      bool // clients are moved, after an edit
	Done, Total int64
}

// Polls reports whether there will be something else in a second.
func (v nowView) Polls() bool { return v.Recall || v.Moving }

func (h *Series) nowOf(r *web.Request, s rules.Series) (view nowView, err error) {
	now := time.Now()
	view = nowView{ID: s.ID, Recall: s.OwnerID == r.Viewer.User.ID && s.Mailing.Recallable(now)}
	if view.Recall {
		view.Seconds = int64(s.Mailing.Recall.Until.Sub(now).Round(time.Second) / time.Second)
	}
	move, moving, err := h.kept().Moving(r.UserContext(), s.ID)
	view.Moving, view.Done, view.Total = moving, move.Done, move.Total
	return view, err
}

// Now is what passes at this moment.
func (h *Series) Now(r *web.Request) error {
	s, err := h.kept().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Redirect(Path(s.ID))
	}
	view, err := h.nowOf(r, s)
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	if !view.Polls() {
		status = web.StopPolling
	}
	return r.Block(status, "series/now", view)
}

// TakeBack undoes a launch before its first email.
func (h *Series) TakeBack(r *web.Request) error {
	_, err := h.kept().TakeBack(r.UserContext(), r.Viewer.User.ID, r.ID())
	return h.done(r, err, "mailings.recalled")
}
