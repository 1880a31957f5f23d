package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// Form is embedded in the view of every form.
type Form struct {
	Errors templates.ValidationErrors

	Revision string             // of the object as the form was opened with it
	Stored   []templates.Option // what is stored now, where somebody else has changed it meanwhile
}

func (f *Form) refuse(problems templates.ValidationErrors) { f.Errors = problems }

// TrackingOf reads the block mailings/tracking of a form.
func TrackingOf(r *Request) domain.Tracking {
	return domain.Tracking{TrackClicks: r.FormValue("track_clicks") == "yes", TrackOpens: r.FormValue("track_opens") == "yes",
		UTM: r.FormValue("utm") == "yes", UTMCampaign: r.FormValue("utm_campaign")}
}

// Checked is the value of a box that is ticked, as a template has it.
func (Form) Checked(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// ListForm is embedded in the view of a form that htmx opens in a list. A noun has it in four
// templates: clients/form and clients/edit-row are the blocks, clients/new and clients/edit the pages.
type ListForm struct {
	Form
	Noun    string // client
	ID      int64  // 0: a new one
	InPlace bool   // htmx puts the form into the list
}

// Numbers are the values of a field that repeats; what is no number is passed over.
func Numbers(r *Request, name string) (list []int64) {
	for _, value := range r.Request().PostArgs().PeekMulti(name) {
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// Revision names a version of an object by what its form shows.
func Revision(form any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", form))
	return hex.EncodeToString(sum[:8])
}

// CheckRevision refuses to save over a change that the form was not opened with; a form without a revision, of a
// program, saves over anything.
func (r *Request) CheckRevision(stored any) error {
	if sent := r.FormValue("revision"); sent != "" && sent != Revision(stored) {
		return domain.Errorf(domain.Conflict, "", changedKey)
	}
	return nil
}

// Changed reports whether that was the refusal.
func Changed(refusal error) bool {
	_, known := statusOf(refusal)
	return known != nil && known.Key == changedKey
}

const changedKey = "errors.changed_meanwhile"

// Against keeps the revision that the form was sent with; where it was refused for it, shows what is stored now, and
// lets the next attempt save over that.
func (f *Form) Against(r *Request, refusal error, stored any, shown ...templates.Option) {
	f.Revision = r.FormValue("revision")
	if Changed(refusal) {
		f.Revision, f.Stored = Revision(stored), shown
	}
}

func (f *ListForm) list() *ListForm { return f }

// FieldID is the id of a field; several forms can be open at once.
func (f ListForm) FieldID(name string) string { return fmt.Sprintf("id=%s-%d-%s", f.Noun, f.ID, name) }

type formView interface {
	refuse(problems templates.ValidationErrors)
}

type listFormView interface {
	formView
	list() *ListForm
}

// Form answers with a form: as it is while err is nil, else with what was typed and what is wrong
// with it. An err that is no fault of the form is returned.
func (r *Request) Form(err error, page string, view formView) error {
	status, err := r.Refused(err, view)
	if err != nil {
		return err
	}
	return r.Page(status, page, view)
}

// ListForm is Form for a form that htmx opens in its list.
func (r *Request) ListForm(err error, view listFormView) error {
	status, err := r.Refused(err, view)
	if err != nil {
		return err
	}
	form := view.list()
	form.InPlace = r.HTMX()
	room := form.Noun + "s/"
	switch {
	case form.InPlace && form.ID == 0:
		r.Set("HX-Retarget", "#new-"+form.Noun)
		r.Set("HX-Reswap", "innerHTML")
		return r.Block(status, room+"form", view)
	case form.InPlace:
		return r.Block(status, room+"edit-row", view)
	case form.ID == 0:
		return r.Page(status, room+"new", view)
	}
	return r.Page(status, room+"edit", view)
}

// Refused puts the broken rules in err into the view, and is the status that goes with them; other
// errors are returned. htmx shows the form with 422, and with 409 where somebody else's change is in the way.
func (r *Request) Refused(err error, view formView) (status int, other error) {
	if err == nil {
		return fiber.StatusOK, nil
	}
	problems := r.Viewer.Errors(err)
	if problems == nil {
		return 0, err
	}
	view.refuse(problems)
	if status, _ = statusOf(err); r.HTMX() && !Changed(err) {
		status = fiber.StatusUnprocessableEntity
	}
	return status, nil
}

// Errors are the broken rules in err as texts for the form, nil when err is something else.
func (v Viewer) Errors(err error) templates.ValidationErrors {
	texts := templates.ValidationErrors{}
	for _, one := range refusals(err) {
		if one.Kind != domain.Invalid && one.Kind != domain.Conflict {
			return nil
		}
		if texts[one.Field] == "" {
			texts[one.Field] = v.Text(one)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return texts
}

// Problem is the first broken rule in err, "" when err is something else.
func (v Viewer) Problem(err error) string {
	if list := refusals(err); v.Errors(err) != nil {
		return v.Text(list[0])
	}
	return ""
}

// Text is a refusal in the viewer's language.
func (v Viewer) Text(refusal *domain.Error) string {
	return v.texts.Fill(v.Lang, refusal.Key, refusal.Args)
}

// Fragment is what a change is to htmx.
type Fragment struct {
	Block string // swapped in; "": nothing, its place in the page stays empty
	View  any
	Event string // tells the page's other parts
}

// Saved answers a change: 303 to path, for htmx 200 with the fragment. Both say the text of key.
func (r *Request) Saved(path string, changed Fragment, key string, args ...any) error {
	if !r.HTMX() {
		return r.Done(path, key, args...)
	}
	r.ledTo = domain.FormAnswer{Path: path, Said: r.Viewer.T(key, args...)}
	r.Toast(key, args...)
	if changed.Event != "" {
		r.Set("HX-Trigger-After-Swap", changed.Event)
	}
	if changed.Block == "" {
		return r.Send(nil)
	}
	return r.Block(fiber.StatusOK, changed.Block, changed.View)
}
