package mailings

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/holdout"
	"skychimp/handlers/runs"
	"skychimp/handlers/segments"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// mailingView is the page mailings/show.
type mailingView struct {
	mailingRow
	Owner         string // the owner's name, when the viewer is somebody else
	SenderID      int64
	Sender        string // name and address
	Topic         string
	Audience      domain.Audience
	Tags          []string
	Segment       segments.Choice
	Mine          bool // the viewer owns it
	Picked        int
	Recipients    int64 // after suppression
	Suppressed    int64
	Start, End    string // wall clocks in Timezone
	Timezone      string
	Turns         turns
	Test          testView
	Digest        string // where its posts come from
	DigestSeen    web.Moment
	Every, Days   string
	Important     bool
	LeavesOut     string // whom, in words
	Holdout       *holdout.Result
	ZoneOfClient  bool           // the times of Next are those where the clients' clocks are the most ahead
	Next          []upcomingDate // in the mailing's zone
	Passed        []upcomingDate // those that are skipped meanwhile
	Progress      *mailingProgress
	Throughput    throughput
	Runs          []runs.Row
	Readers       bool // some of them tracked opens or clicks
	Chart         web.Chart
	Pager         web.Pager
	DisabledSince web.Moment
	PausedSince   web.Moment
	DeleteErrors  templates.ValidationErrors
}

// Refresh: without JavaScript the page is asked for again.
func (v mailingView) Refresh() bool { return v.Recall.Open || v.Progress != nil && v.Progress.Going() }

// mailingProgress is the block mailings/progress: the current or the last run, which htmx asks
// for again every second until it has ended. Waiting: a run later than After is about to begin.
type mailingProgress struct {
	MailingID int64
	Run       runs.Row
	Log       []runs.AttemptRow // the latest
	Waiting   bool
	After     int64
}

// Going reports whether there will be more to see.
func (p mailingProgress) Going() bool { return p.Waiting || !p.Run.Over }

const logRows = 8

// progressOf is how far a run is, with the latest answers of the mail server.
func (h *Mailings) progressOf(r *web.Request, run db.RunRow) (*mailingProgress, error) {
	view := &mailingProgress{MailingID: run.MailingID, Run: h.Runs.Row(r, run)}
	attempts, _, err := h.DB.Attempts().List(r.UserContext(), db.AttemptFilter{RunID: run.ID})
	for _, one := range attempts[:min(len(attempts), logRows)] {
		view.Log = append(view.Log, h.Runs.AttemptRow(r, one))
	}
	return view, err
}

// Show shows a mailing: to htmx as the row of the list.
func (h *Mailings) Show(r *web.Request) error {
	m, err := h.DB.Mailings().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	if m.Kind == domain.KindSeries { // runs and lists for managers name it so
		return r.Redirect("/series/" + strconv.FormatInt(m.ID, 10))
	}
	if r.HTMX() {
		row, err := h.rowOf(r, m)
		if err != nil {
			return err
		}
		return r.Block(fiber.StatusOK, "mailings/row", row)
	}
	view, err := h.mailingView(r, m)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "mailings/show", view)
}

// settings are what the mailing's owner chose.
func (h *Mailings) settings(r *web.Request, m domain.Mailing) (mailingView, error) {
	row, err := h.rowOf(r, m)
	if err != nil {
		return mailingView{}, err
	}
	view := mailingView{mailingRow: row, Audience: m.Audience, Tags: m.Tags, Picked: len(m.ClientIDs), Timezone: m.Timezone, Every: everyWords(r, m), Days: daysWords(r, m), Digest: digestWords(r, m), DigestSeen: r.Viewer.Moment(m.Digest.Seen), Important: m.Important, ZoneOfClient: m.ZoneOfClient,
		Start: r.Viewer.Wall(m.StartLocal), End: r.Viewer.Wall(m.EndLocal), DisabledSince: r.Viewer.Moment(m.DisabledAt), PausedSince: r.Viewer.Moment(m.PausedAt)}
	if user := r.Viewer.User; m.OwnerID != user.ID {
		owner, err := h.DB.Users().Get(r.UserContext(), m.OwnerID)
		if err != nil {
			return view, err
		}
		view.Owner = owner.Name + " <" + owner.Email + ">"
	}
	view.Mine = m.OwnerID == r.Viewer.User.ID
	if view.Segment, err = h.Segments.Choice(r, m.OwnerID, m.SegmentID); err != nil {
		return view, err
	}
	if view.SenderID, view.Sender, err = h.senderOf(r, m); err != nil {
		return view, err
	}
	if m.TopicID != 0 {
		topic, err := h.DB.Topics().Get(r.UserContext(), m.OwnerID, m.TopicID)
		if err != nil {
			return view, err
		}
		view.Topic = topic.Name
	}
	return view, nil
}

func (h *Mailings) mailingView(r *web.Request, m domain.Mailing) (mailingView, error) {
	view, err := h.settings(r, m)
	if err != nil {
		return view, err
	}
	if err := h.fillRecipients(r, m, &view); err != nil {
		return view, err
	}
	if view.Turns, view.Test, err = h.emailsOf(r, m, int(view.Recipients)); err != nil {
		return view, err
	}
	view.Next, view.Passed = upcomingDates(r, m)
	for i := range view.Next {
		view.Next[i].Subject = view.Turns.subject(m, i)
	}
	page := max(1, r.QueryInt("page", 1))
	list, total, err := h.DB.Runs().List(r.UserContext(), r.OwnerID(), m.ID, page)
	if err != nil {
		return view, err
	}
	view.Pager = r.Pager(page, db.LastPage(total))
	for _, run := range list {
		view.Runs = append(view.Runs, h.Runs.Row(r, run))
		view.Readers = view.Readers || run.TrackOpens || run.TrackClicks
	}
	view.Chart = runs.Chart(r, view.Runs)
	last, err := h.lastRun(r, m)
	switch {
	case err != nil:
		return view, err
	case (last.ID == 0 || last.Closed()) && aboutToRun(r, m, last.ID):
		view.Progress = &mailingProgress{MailingID: m.ID, Waiting: true, After: last.ID}
	case last.ID != 0:
		if view.Progress, err = h.progressOf(r, last); err != nil {
			return view, err
		}
	}
	view.Throughput, err = h.throughputOf(r, m, last)
	return view, err
}

// emailsOf are what the mailing sends beside its one message.
func (h *Mailings) emailsOf(r *web.Request, m domain.Mailing, recipients int) (list turns, test testView, err error) {
	if list, err = h.turnsOf(r, m); err == nil {
		test, err = h.tests().of(r, m, recipients)
	}
	return list, test, err
}

// fillRecipients says who gets it, and who is left out to compare.
func (h *Mailings) fillRecipients(r *web.Request, m domain.Mailing, view *mailingView) error {
	recipients, suppressed, err := h.DB.Mailings().RecipientCount(r.UserContext(), m)
	if err != nil {
		return err
	}
	view.LeavesOut = holdout.Words(r, m.Holdout, int64(recipients))
	view.Recipients, view.Suppressed = int64(recipients)-m.Holdout.Expected(int64(recipients)), int64(suppressed)
	view.Holdout, err = h.Holdouts.Of(r, m)
	return err
}

// senderOf is the mailing's sender, as emails show it.
func (h *Mailings) senderOf(r *web.Request, m domain.Mailing) (id int64, shown string, err error) {
	if m.SenderID == 0 {
		return 0, "", nil
	}
	s, err := h.DB.Senders().Get(r.UserContext(), m.OwnerID, m.SenderID)
	return s.ID, s.Name + " <" + s.Email + ">", err
}

// aboutToRun reports whether a worker will make a run in a moment: it is due, or one after a run that
// is the last was asked for.
func aboutToRun(r *web.Request, m domain.Mailing, last int64) bool {
	due := m.Status == domain.Running && !m.NextRunAt.IsZero() && !m.NextRunAt.After(time.Now())
	return !m.Disabled() && (due || int64(r.QueryInt("after", -1)) >= last && m.Status != domain.Finished)
}

// Upcoming are the next five runs, in the mailing's time zone.
func Upcoming(r *web.Request, m domain.Mailing) (next []web.Moment) {
	for _, one := range m.Upcoming(time.Now(), 5) {
		next = append(next, inZone(r, m, one.At))
	}
	return next
}

// lastRun is the mailing's run, zero before the first.
func (h *Mailings) lastRun(r *web.Request, m domain.Mailing) (db.RunRow, error) {
	last, err := h.DB.Runs().Last(r.UserContext(), r.OwnerID(), m.ID)
	if domain.KindOf(err) == domain.NotFound {
		err = nil
	}
	return last, err
}

// poll answers with a part of the page that htmx asks for again and again; who asks without it gets the page.
func (h *Mailings) poll(r *web.Request, show func(m domain.Mailing, last db.RunRow) error) error {
	m, err := h.readableMailing(r)
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Redirect(Path(m.ID))
	}
	last, err := h.lastRun(r, m)
	if err != nil {
		return err
	}
	return show(m, last)
}

// Progress is the current run of a mailing.
func (h *Mailings) Progress(r *web.Request) error {
	return h.poll(r, func(m domain.Mailing, last db.RunRow) error { return h.showProgress(r, m, last) })
}

func (h *Mailings) showProgress(r *web.Request, m domain.Mailing, last db.RunRow) error {
	after := int64(r.QueryInt("after", -1))
	switch {
	case after >= last.ID && m.Status != domain.Finished && !m.Disabled():
		return r.Block(fiber.StatusOK, "mailings/progress", &mailingProgress{MailingID: m.ID, Waiting: true, After: after})
	case last.ID != 0 && !last.Closed():
		view, err := h.progressOf(r, last)
		if err != nil {
			return err
		}
		return r.Block(fiber.StatusOK, "mailings/progress", view)
	}
	r.Path(Path(m.ID)) // the pages of its runs
	view, err := h.mailingView(r, m)
	if err != nil {
		return err
	}
	return r.Block(web.StopPolling, "mailings/ended", view)
}
