package series

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
)

// previewView is the page series/preview: the whole series as one client gets it, with the dates.
type previewView struct {
	ID       int64
	Name     string
	Typed    string // whose address was typed
	Unknown  bool   // nobody has it
	ClientID int64  // 0: the owner has no clients
	Client   string
	In       bool // the client is under way; else the dates are counted from now
	Over     bool // the client got all of it, or has left
	NoDay    bool // no date of the client begins it
	Zone     string
	Rows     []previewStep
}

// previewStep is one email of it.
type previewStep struct {
	Position  int
	MessageID int64
	Subject   string
	At        web.Moment
	On        string // the day, for {{date}}
	Got       bool
}

// Preview shows the series as a client gets it.
func (h *Series) Preview(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	view := previewView{ID: s.ID, Name: s.Mailing.Name, Typed: strings.TrimSpace(r.Query("email")), Zone: r.Viewer.Zone.String()}
	client, err := h.previewed(r, &view)
	if err != nil {
		return err
	}
	if err := h.previewSteps(r, s, client, &view); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "series/preview", view)
}

// previewed is the client of the parameters client or email, else the newest.
func (h *Series) previewed(r *web.Request, view *previewView) (client domain.Client, err error) {
	ctx, owner := r.UserContext(), r.Viewer.User.ID
	id := int64(r.QueryInt("client"))
	if view.Typed != "" {
		found, err := h.kept().Find(ctx, owner, []string{view.Typed})
		if err != nil {
			return client, err
		}
		if view.Unknown = len(found) == 0; !view.Unknown {
			id = found[0]
		}
	}
	if id == 0 {
		if id, err = h.kept().Newest(ctx, owner); err != nil || id == 0 {
			return client, err
		}
	}
	client, err = h.DB.Clients().Get(ctx, owner, id)
	view.ClientID, view.Client = client.ID, client.Email
	return client, err
}

// previewSteps are the emails with their dates: those that the client waits for, or would get from now on.
func (h *Series) previewSteps(r *web.Request, s rules.Series, client domain.Client, view *previewView) error {
	place, err := h.kept().OfClient(r.UserContext(), s.OwnerID, client.ID)
	if err != nil {
		return err
	}
	zone, err := h.kept().ZoneOf(r.UserContext(), s.OwnerID, client)
	if err != nil {
		return err
	}
	now := time.Now()
	onward := s.Onward(0, now, nil, zone)
	if s.Entry == rules.Date {
		onward = nil
		date, _ := client.Fields[s.FieldID].(string)
		day, ok := s.NextTurn(date, now.In(zone))
		if view.NoDay = !ok; ok && len(s.Steps) > 0 {
			onward = s.OnwardAt(0, s.Steps[0].DueOn(day, zone), nil, zone)
		}
	}
	var passed []int64
	for _, one := range place {
		if one.SeriesID != s.ID {
			continue
		}
		passed, view.NoDay = one.Passed, false
		view.In, view.Over = !one.DueAt.IsZero(), one.DueAt.IsZero()
		switch {
		case view.Over:
			onward = nil
		case one.DueAt.Unix() <= 0:
			onward = s.Onward(one.NextStepID, now, passed, zone)
		default:
			onward = s.OnwardAt(one.NextStepID, one.DueAt, passed, zone)
		}
	}
	view.Rows, err = h.previewRows(r, s, client, onward, passed)
	return err
}

// previewRows are the emails filled in for the client; those without a time yet have today's date.
func (h *Series) previewRows(r *web.Request, s rules.Series, client domain.Client, onward []rules.Expected, passed []int64) (rows []previewStep, err error) {
	subjects, err := h.subjects(r, s)
	if err != nil {
		return nil, err
	}
	at := map[int64]time.Time{}
	for _, one := range onward {
		at[one.Step.ID] = one.At
	}
	for _, step := range s.Steps {
		on := rules.Later(at[step.ID], time.Now()).In(r.Viewer.Zone)
		row := previewStep{Position: step.Position, MessageID: step.MessageID, At: r.Viewer.Moment(at[step.ID]), On: on.Format(time.DateOnly), Got: slices.Contains(passed, step.ID)}
		if step.MessageID != 0 {
			if row.Subject, err = h.Messages.SubjectTo(r, *r.Viewer.User, subjects[step.MessageID], client.ID, step.Position, on); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Test sends all steps to the owner's own address at once, filled in as for the client of the form.
func (h *Series) Test(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	client := int64(0)
	if ids := web.Numbers(r, "client"); len(ids) > 0 {
		client = ids[0]
	}
	if err := h.kept().SendTests(r.UserContext(), s, client, time.Now()); err != nil {
		return err
	}
	return r.Done(Path(s.ID)+"/preview", messages.TestSent(r), "Email", r.Viewer.User.Email)
}

// Copy makes a series like the one of the path, and opens it for changes.
func (h *Series) Copy(r *web.Request) error {
	s, err := h.own(r)
	if err != nil {
		return err
	}
	own, err := h.kept().Own(r.UserContext(), s.OwnerID)
	if err != nil {
		return err
	}
	in := s.Input(own.Fields)
	in.Name = r.Viewer.T("mailings.copy_name", "Name", in.Name)
	if runes := []rune(in.Name); len(runes) > 200 {
		in.Name = string(runes[:200])
	}
	for i := range in.Steps {
		in.Steps[i].ID = 0
	}
	copied, err := h.kept().Create(r.UserContext(), s.OwnerID, in, time.Now())
	if err != nil {
		return err
	}
	return r.Done(Path(copied.ID)+"/edit", "series.copied")
}
