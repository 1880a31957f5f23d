package handlers

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// clientRow is the block clients/row.
type clientRow struct {
	ID                       int64
	Email, FullName, Comment string
	Tags                     []string
	Reason                   domain.Suppression // "" when it gets letters
	Since                    Moment
}

// clientsView is the page clients/list and its block clients/results.
type clientsView struct {
	Query, Tag string
	Tags       []templates.Option
	Self       string // the address of these results
	Found      string // how many, in words
	Fragment   bool   // without the page around it
	Rows       []clientRow
	Pager      pagerView
}

// Empty tells an owner without clients from a search without results.
func (v clientsView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" && v.Tag == "" }

// clientView is the page clients/show.
type clientView struct {
	clientRow
	CreatedAt Moment
	Letters   []clientLetter
}

// clientLetter is one attempt to reach the client.
type clientLetter struct {
	MailingID, RunID int64
	Mailing, Answer  string
	Status           domain.Verdict
	At               Moment
}

// clients is the list; its search asks for the results alone.
func (s *Site) clients(c *fiber.Ctx) error {
	owner := s.reader(c).User.ID
	filter := db.ClientFilter{Query: c.Query("q"), Tag: c.Query("tag"), Page: c.QueryInt("page", 1)}
	clients, total, err := s.DB.Clients(c.UserContext(), owner, filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(min(total, db.SearchMax))
	if filter.Query == "" {
		pages = db.LastPage(total)
	}
	view := clientsView{Query: filter.Query, Tag: filter.Tag, Self: c.OriginalURL(), Rows: []clientRow{},
		Pager: s.pager(c, min(max(filter.Page, 1), pages), pages)}
	if view.Found = s.tn(c, "clients.found", total); filter.Query != "" && total > db.SearchMax {
		view.Found = s.t(c, "clients.found_more", "Max", db.SearchMax)
	}
	for _, client := range clients {
		view.Rows = append(view.Rows, s.clientRow(c, client))
	}
	if view.Fragment = isHTMX(c); view.Fragment {
		return s.block(c, fiber.StatusOK, "clients/results", view)
	}
	if view.Tags, err = s.tagOptions(c, owner); err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "clients/list", view)
}

// tagOptions are the choices of the filter, each with its number of clients.
func (s *Site) tagOptions(c *fiber.Ctx, owner int64) ([]templates.Option, error) {
	tags, err := s.DB.Tags(c.UserContext(), owner)
	options := []templates.Option{{Label: s.t(c, "clients.all_tags")}}
	for _, one := range tags {
		options = append(options, templates.Option{Value: one.Tag, Label: s.t(c, "clients.tag_count", "Tag", one.Tag, "Count", one.Clients)})
	}
	return options, err
}

func (s *Site) clientRow(c *fiber.Ctx, client domain.Client) clientRow {
	return clientRow{ID: client.ID, Email: client.Email, FullName: client.FullName, Comment: client.Comment,
		Tags: client.Tags, Reason: client.SuppressedReason, Since: s.moment(c, client.SuppressedAt)}
}

// client shows one client: to htmx as the row of the list.
func (s *Site) client(c *fiber.Ctx) error {
	client, err := s.ownClient(c)
	if err != nil {
		return err
	}
	view := clientView{clientRow: s.clientRow(c, client), CreatedAt: s.moment(c, client.CreatedAt)}
	if isHTMX(c) {
		return s.block(c, fiber.StatusOK, "clients/row", view.clientRow)
	}
	attempts, _, err := s.DB.Attempts(c.UserContext(), db.AttemptFilter{OwnerID: client.OwnerID, ClientID: client.ID})
	if err != nil {
		return err
	}
	for _, one := range attempts[:min(len(attempts), 10)] {
		view.Letters = append(view.Letters, clientLetter{MailingID: one.MailingID, RunID: one.RunID, Mailing: one.MailingName,
			Status: one.Status, Answer: one.Answer, At: s.moment(c, one.At)})
	}
	return s.page(c, fiber.StatusOK, "clients/show", view)
}

// ownClient is the client of the path, if it is the reader's.
func (s *Site) ownClient(c *fiber.Ctx) (domain.Client, error) {
	return s.DB.Client(c.UserContext(), s.reader(c).User.ID, pathID(c))
}

// pathID is the number in the path; 0, which no object has, when it is none.
func pathID(c *fiber.Ctx) int64 {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// deleteClientForm asks whether it is meant, for browsers without JavaScript.
func (s *Site) deleteClientForm(c *fiber.Ctx) error {
	client, err := s.ownClient(c)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "clients/delete", s.clientRow(c, client))
}

func (s *Site) deleteClient(c *fiber.Ctx) error {
	if err := s.DB.DeleteClient(c.UserContext(), s.reader(c).User.ID, pathID(c)); err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, "clients.deleted")
		c.Set("HX-Trigger-After-Swap", "clients-changed")
		return c.SendString("") // its place in the page stays empty
	}
	return s.done(c, "/clients", "clients.deleted")
}

// retryClient lets letters go to an address again that has bounced.
func (s *Site) retryClient(c *fiber.Ctx) error {
	_, err := s.DB.UpdateClient(c.UserContext(), s.reader(c).User.ID, pathID(c), (*domain.Client).Retry)
	if err != nil {
		return err
	}
	return s.done(c, "/clients/"+c.Params("id"), "clients.retried")
}
