package forms

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// pasted is the time of a trap in a form that stands in another site.
var pasted time.Time

// consentView is the page forms/consent and the file forms/proof.
type consentView struct {
	web.Form
	ClientID           int64
	Email, FullName    string
	Owner              string
	Proofs             []proofView
	AddedAt, MadeAt    web.Moment
	Lang, Source, On   string
	Suppressed         domain.Suppression
	SuppressedAt       web.Moment
	Imported, ImportOn string // what the import says, "" for nothing
	ImportFile         string
}

// proofView is one consent.
type proofView struct {
	Kind                          domain.ConsentKind
	At, SignedUpAt, KeptAt, Since web.Moment
	Day                           string // of a typed one
	FormName, FormText, Agreement string
	Version                       int
	Topics                        []string
	Source, Page, IP, ConfirmedIP string
}

// Consent shows what proves that a client has agreed.
func (h *Forms) Consent(r *web.Request) error { return h.consent(r, domain.ConsentInput{}, nil) }

func (h *Forms) consent(r *web.Request, typed domain.ConsentInput, refusal error) error {
	view, err := h.proofs(r)
	if err != nil {
		return err
	}
	view.Source, view.On = typed.Source, typed.On
	return r.Form(refusal, "forms/consent", &view)
}

func (h *Forms) proofs(r *web.Request) (view consentView, err error) {
	ctx, owner := r.UserContext(), r.Viewer.User
	client, err := h.DB.Clients().Get(ctx, owner.ID, r.ID())
	if err != nil {
		return view, err
	}
	list, err := h.DB.Consents().Of(ctx, owner.ID, client.ID)
	if err != nil {
		return view, err
	}
	imported, err := h.DB.Consents().Imported(ctx, owner.ID, client.ID)
	if err != nil {
		return view, err
	}
	view = consentView{Imported: imported.Source, ImportOn: imported.On, ImportFile: imported.FileName, ClientID: client.ID, Email: client.Email, FullName: client.FullName, Owner: owner.SenderName(), AddedAt: r.Viewer.Moment(client.CreatedAt),
		MadeAt: r.Viewer.Moment(time.Now()), Lang: r.Viewer.Lang, Suppressed: client.SuppressedReason, SuppressedAt: r.Viewer.Moment(client.SuppressedAt)}
	for _, one := range list {
		view.Proofs = append(view.Proofs, proof(r.Viewer, one))
	}
	return view, nil
}

func proof(v web.Viewer, one db.Proof) proofView {
	shown := proofView{Kind: one.Kind, At: v.Moment(one.At), SignedUpAt: v.Moment(one.SignedUpAt), KeptAt: v.Moment(one.CreatedAt), Since: v.Moment(one.AgreedSince),
		FormName: one.FormName, FormText: one.FormText, Agreement: one.Agreement, Version: one.Version, Topics: one.Topics,
		Source: one.Source, Page: one.Page, IP: one.IP, ConfirmedIP: one.ConfirmedIP}
	if one.Kind == domain.ConsentTyped {
		shown.Day = one.At.UTC().Format(time.DateOnly)
	}
	return shown
}

// Proof is the same as a file.
func (h *Forms) Proof(r *web.Request) error {
	view, err := h.proofs(r)
	if err != nil {
		return err
	}
	r.Attachment("consent-" + strconv.FormatInt(view.ClientID, 10) + ".html")
	return r.Block(fiber.StatusOK, "forms/proof", view)
}

// AddConsent keeps how and when a client has agreed, as the owner says.
func (h *Forms) AddConsent(r *web.Request) error {
	typed := domain.ConsentInput{Source: r.FormValue("consent_source"), On: r.FormValue("consent_on")}
	c, err := domain.TypedConsent(typed, r.Viewer.User.ID, time.Now())
	if err == nil {
		c.ClientID = r.ID()
		err = h.DB.Consents().Add(r.UserContext(), c)
	}
	if err != nil {
		return h.consent(r, typed, err)
	}
	return r.Done("/clients/"+strconv.FormatInt(r.ID(), 10)+"/consent", "forms.consent_kept")
}
