package clients

import (
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// wishes are what a client has said about emails: on the page behind their links, and when it agreed to them.
type wishes struct {
	Paused    web.Moment // until then; zero: not paused
	Frequency string     // in words, "": as often as there is something
	Left      []string   // topics
	Agreed    string     // how, in words, "": nobody has said
	On        web.Moment // when; zero: the day stands in AgreedOn
	AgreedOn  string     // a day as 2006-01-02
}

func (h *Clients) wishes(r *web.Request, client domain.Client) (w wishes, err error) {
	who, err := h.DB.Preferences().Get(r.UserContext(), client.ID)
	if err != nil {
		return w, err
	}
	if who.PausedUntil.After(time.Now()) {
		w.Paused = r.Viewer.Moment(who.PausedUntil)
	}
	if who.Frequency != "" {
		w.Frequency = r.Viewer.T("clients.frequency_" + string(who.Frequency))
	}
	for _, topic := range who.Topics {
		if who.Leaves(topic.ID) {
			w.Left = append(w.Left, topic.Name)
		}
	}
	proofs, err := h.DB.Consents().Of(r.UserContext(), client.OwnerID, client.ID)
	if err != nil {
		return w, err
	}
	if len(proofs) > 0 { // the latest
		if w.Agreed = proofs[0].Source; proofs[0].Kind == domain.ConsentForm {
			w.Agreed, w.On = r.Viewer.T("clients.consent_form", "Form", proofs[0].FormName), r.Viewer.Moment(proofs[0].At)
		} else {
			w.AgreedOn = proofs[0].At.UTC().Format(time.DateOnly)
		}
		return w, nil
	}
	said, err := h.DB.Consents().Imported(r.UserContext(), client.OwnerID, client.ID)
	w.Agreed, w.AgreedOn = said.Source, said.On
	return w, err
}
