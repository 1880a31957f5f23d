package clients

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// timelineEvent is something that happened to the client.
type timelineEvent struct {
	At      web.Moment
	What    string // in words
	Good    bool
	Bad     bool
	RunID   int64 // 0: it has none
	Mailing string
	Class   domain.Class
	Link    string // that was clicked
	Words   string // the mail server's own
}

// timeline is what happened to a client, the newest first, from the day it was added.
func (h *Clients) timeline(r *web.Request, client domain.Client) ([]timelineEvent, error) {
	events, err := h.DB.Attempts().Timeline(r.UserContext(), client)
	if err != nil {
		return nil, err
	}
	list := make([]timelineEvent, 0, len(events)+2)
	suppressed := func() {
		list = append(list, timelineEvent{At: r.Viewer.Moment(client.SuppressedAt), What: r.Viewer.T("clients.reason_" + string(client.SuppressedReason)), Bad: true})
	}
	told := client.SuppressedAt.IsZero()
	for _, one := range events {
		if !told && client.SuppressedAt.After(one.At) {
			suppressed()
			told = true
		}
		key := map[string]string{"attempt": "runs.attempt_", "delivery": "runs.outcome_", "return": "runs.bounce_", "visit": "runs."}[one.What] + one.Word
		event := timelineEvent{At: r.Viewer.Moment(one.At), What: r.Viewer.T(key), RunID: one.RunID, Mailing: one.MailingName,
			Good: one.Word == string(domain.Accepted), Bad: one.Word == string(domain.Failed) || one.What == "return", Class: one.Class}
		if one.What == "visit" {
			event.Good, event.Link = true, one.Answer
		} else {
			event.Words = domain.Answer{Code: one.Code, Text: one.Answer}.String()
		}
		list = append(list, event)
	}
	if !told {
		suppressed()
	}
	return append(list, timelineEvent{At: r.Viewer.Moment(client.CreatedAt), What: r.Viewer.T("clients.added")}), nil
}

// Find leads to what happened to the owner of an address, or to the clients who are alike.
func (h *Clients) Find(r *web.Request) error {
	address := strings.TrimSpace(r.Query("email"))
	found, _, err := h.DB.Clients().List(r.UserContext(), r.Viewer.User.ID, db.ClientFilter{Query: address})
	if err != nil {
		return err
	}
	for _, one := range found {
		if address != "" && strings.EqualFold(one.Email, domain.NormalEmail(address)) {
			return r.Redirect("/clients/" + strconv.FormatInt(one.ID, 10) + "#latest-title")
		}
	}
	return r.Redirect("/clients?q=" + url.QueryEscape(address))
}

// everywhereView is the page clients/everywhere: what happened to an address, with each owner who has it.
type everywhereView struct {
	Email string
	At    []ownersClient
}

// ownersClient is the client that one owner has of the address.
type ownersClient struct {
	clientRow
	Owner, OwnerEmail string
	Timeline          []timelineEvent
}

// Everywhere tells managers what happened to an address, whoever wrote to it.
func (h *Clients) Everywhere(r *web.Request) error {
	view := everywhereView{Email: strings.TrimSpace(r.Query("email"))}
	found, err := h.DB.Clients().Everywhere(r.UserContext(), domain.NormalEmail(view.Email))
	if err != nil {
		return err
	}
	for _, one := range found {
		events, err := h.timeline(r, one.Client)
		if err != nil {
			return err
		}
		view.At = append(view.At, ownersClient{h.clientRow(r, one.Client), one.OwnerName, one.OwnerEmail, events})
	}
	return r.Page(fiber.StatusOK, "clients/everywhere", view)
}
