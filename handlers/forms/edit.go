package forms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// formForm is the pages forms/new and forms/edit and their block forms/fields.
type formForm struct {
	web.ListForm
	domain.FormInput
	Asks    []choiceRow
	Offers  []choiceRow
	Senders []templates.Option
}

// choiceRow is something that a form may have.
type choiceRow struct {
	Key, Label, Details string
	Chosen, Required    bool
}

// SenderValue is the chosen sender.
func (f formForm) SenderValue() string { return strconv.FormatInt(f.SenderID, 10) }

// TickValue is the state of the box.
func (f formForm) TickValue() string { return checked(f.Tick) }

// ClosedValue is the state of the box.
func (f formForm) ClosedValue() string { return checked(f.Closed) }

func checked(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// several are all values of a name in the form, each of which may hold some with commas between them.
func several(r *web.Request, name string) (list []string) {
	for _, one := range r.Context().PostArgs().PeekMulti(name) {
		for part := range strings.SplitSeq(string(one), ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}

func readForm(r *web.Request) domain.FormInput {
	sender, _ := strconv.ParseInt(r.FormValue("sender_id"), 10, 64)
	return domain.FormInput{Name: r.FormValue("name"), Text: r.FormValue("text"), Agreement: r.FormValue("agreement"), Tags: r.FormValue("tags"),
		Thanks: r.FormValue("thanks"), NextURL: r.FormValue("next_url"), Topics: several(r, "topics"), Fields: several(r, "fields"),
		Required: several(r, "required"), SenderID: sender, Tick: r.FormValue("tick") != "", Closed: r.FormValue("closed") != ""}
}

// inputOf is the form as it is stored.
func inputOf(f domain.Form, own domain.FormChoices) domain.FormInput {
	in := domain.FormInput{Name: f.Name, Text: f.Text, Agreement: f.Agreement, Tags: strings.Join(f.Tags, ", "), Thanks: f.Thanks, NextURL: f.NextURL,
		SenderID: f.SenderID, Tick: f.Tick, Closed: f.Closed()}
	add := func(key string, id int64) {
		asked, required := f.Asks(id)
		if asked {
			in.Fields = append(in.Fields, key)
		}
		if required {
			in.Required = append(in.Required, key)
		}
	}
	add(domain.FullName, 0)
	for _, one := range own.Fields {
		add(one.Key, one.ID)
	}
	for _, one := range f.OfferedTopics(own.Topics) {
		in.Topics = append(in.Topics, strconv.FormatInt(one.ID, 10))
	}
	return in
}

// show answers with the form.
func (h *Forms) show(r *web.Request, refusal error, f *formForm, own domain.FormChoices) error {
	ask := func(key, label string) {
		f.Asks = append(f.Asks, choiceRow{Key: key, Label: label, Chosen: slices.Contains(f.Fields, key) || slices.Contains(f.Required, key), Required: slices.Contains(f.Required, key)})
	}
	ask(domain.FullName, r.Viewer.T("forms.full_name"))
	for _, one := range own.Fields {
		ask(one.Key, one.Label)
	}
	for _, one := range own.Topics {
		id := strconv.FormatInt(one.ID, 10)
		f.Offers = append(f.Offers, choiceRow{Key: id, Label: one.Name, Details: one.Details, Chosen: slices.Contains(f.Topics, id) || slices.Contains(f.Topics, one.Name)})
	}
	var err error
	if f.Senders, err = h.Senders.Options(r); err != nil {
		return err
	}
	f.Senders[0].Value = "0"
	page := "forms/edit"
	if f.ID == 0 {
		page = "forms/new"
	}
	return r.Form(refusal, page, f)
}

// New begins with what most forms say, and with the first sender that proves itself.
func (h *Forms) New(r *web.Request) error {
	user := r.Viewer.User
	own, err := h.DB.Forms().Choices(r.UserContext(), user.ID)
	if err != nil {
		return err
	}
	in := domain.FormInput{Name: r.Viewer.T("forms.name_start"), Agreement: r.Viewer.T("forms.agreement_start", "Owner", user.SenderName()), Fields: []string{domain.FullName}}
	list, err := h.DB.Senders().List(r.UserContext(), user.ID)
	if err != nil {
		return err
	}
	for _, one := range slices.Backward(list) {
		if in.SenderID == 0 && one.Confirmed() && one.Domain.Green() {
			in.SenderID = one.ID
		}
	}
	return h.show(r, nil, &formForm{ListForm: web.ListForm{Noun: "form"}, FormInput: in}, own)
}

// Create makes a form.
func (h *Forms) Create(r *web.Request) error {
	user, typed := r.Viewer.User, readForm(r)
	own, err := h.DB.Forms().Choices(r.UserContext(), user.ID)
	if err != nil {
		return err
	}
	if !r.Has("agreement") { // of a program that only knows of a name
		typed.Agreement = r.Viewer.T("forms.agreement_start", "Owner", user.SenderName())
	}
	f := domain.Form{OwnerID: user.ID}
	err = f.Change(typed, own, time.Now())
	if err == nil {
		err = h.DB.Forms().Create(r.UserContext(), &f)
	}
	if err != nil {
		return h.show(r, err, &formForm{ListForm: web.ListForm{Noun: "form"}, FormInput: typed}, own)
	}
	return r.Saved(path(f.ID), web.Fragment{Block: "forms/row", View: row(db.FormRow{Form: f})}, "forms.created")
}

// Edit shows the form with what is saved.
func (h *Forms) Edit(r *web.Request) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	own, err := h.DB.Forms().Choices(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	in := inputOf(f.Form, own)
	return h.show(r, nil, &formForm{ListForm: web.ListForm{Form: web.Form{Revision: web.Revision(in)}, Noun: "form", ID: f.ID}, FormInput: in}, own)
}

// Update saves the form.
func (h *Forms) Update(r *web.Request) error {
	typed, owner, id := readForm(r), r.Viewer.User.ID, r.ID()
	own, err := h.DB.Forms().Choices(r.UserContext(), owner)
	if err != nil {
		return err
	}
	var stored domain.FormInput
	f, err := h.DB.Forms().Update(r.UserContext(), owner, id, func(f *domain.Form) error {
		stored = inputOf(*f, own)
		if !r.Has("agreement") {
			typed.Agreement = f.Agreement
		}
		return cmp.Or(r.CheckRevision(stored), f.Change(typed, own, time.Now()))
	})
	if err != nil {
		view := &formForm{ListForm: web.ListForm{Noun: "form", ID: id}, FormInput: typed}
		view.Against(r, err, stored, h.shown(r, stored, own)...)
		return h.show(r, err, view, own)
	}
	return r.Saved(path(id), web.Fragment{Block: "forms/row", View: row(db.FormRow{Form: f})}, "forms.saved")
}

// shown is what is stored now, in words.
func (h *Forms) shown(r *web.Request, in domain.FormInput, own domain.FormChoices) []templates.Option {
	labels := []string{}
	for _, key := range in.Fields {
		label := r.Viewer.T("forms.full_name")
		for _, one := range own.Fields {
			if one.Key == key {
				label = one.Label
			}
		}
		if slices.Contains(in.Required, key) {
			label = r.Viewer.T("forms.with_required", "Label", label)
		}
		labels = append(labels, label)
	}
	topics := []string{}
	for _, one := range own.Topics {
		if slices.Contains(in.Topics, strconv.FormatInt(one.ID, 10)) {
			topics = append(topics, one.Name)
		}
	}
	t := r.Viewer.T
	return []templates.Option{{Label: t("forms.name"), Value: in.Name}, {Label: t("forms.text"), Value: in.Text}, {Label: t("forms.asks"), Value: strings.Join(labels, ", ")},
		{Label: t("forms.topics"), Value: strings.Join(topics, ", ")}, {Label: t("forms.agreement"), Value: in.Agreement}, {Label: t("forms.tags"), Value: in.Tags},
		{Label: t("forms.thanks"), Value: in.Thanks}, {Label: t("forms.next_url"), Value: in.NextURL}}
}

// deleteView is the page forms/delete.
type deleteView struct {
	ID      int64
	Name    string
	Waiting string
}

// AskDelete asks for confirmation, for browsers without JavaScript.
func (h *Forms) AskDelete(r *web.Request) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	return r.Page(200, "forms/delete", deleteView{f.ID, f.Name, r.Viewer.TN("forms.delete_waiting", f.Waiting)})
}

// Delete deletes a form.
func (h *Forms) Delete(r *web.Request) error {
	if err := h.DB.Forms().Delete(r.UserContext(), r.Viewer.User.ID, r.ID()); err != nil {
		return err
	}
	return r.Saved("/forms", web.Fragment{}, "forms.deleted")
}
