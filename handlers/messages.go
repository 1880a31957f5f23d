package handlers

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// messageRow is the block messages/row.
type messageRow struct {
	ID        int64
	Subject   string
	UpdatedAt Moment
	UsedBy    string // how many mailings use it, in words
}

// messagesView is the page messages/list and its block messages/results.
type messagesView struct {
	Query    string
	Self     string // the address of these results
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []messageRow
	Pager    pagerView
}

// Empty tells an owner without messages from a search without results.
func (v messagesView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" }

// messages is the list; its search asks for the results alone.
func (s *Site) messages(c *fiber.Ctx) error {
	page := max(1, c.QueryInt("page", 1))
	rows, total, err := s.DB.Messages(c.UserContext(), s.reader(c).User.ID, c.Query("q"), page)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view := messagesView{Query: c.Query("q"), Self: c.OriginalURL(), Fragment: isHTMX(c),
		Found: s.tn(c, "messages.found", total), Pager: s.pager(c, min(page, pages), pages)}
	for _, one := range rows {
		view.Rows = append(view.Rows, s.messageRow(c, one))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "messages/results", view)
	}
	return s.page(c, fiber.StatusOK, "messages/list", view)
}

func (s *Site) messageRow(c *fiber.Ctx, m db.MessageRow) messageRow {
	return messageRow{ID: m.ID, Subject: m.Subject, UpdatedAt: s.moment(c, m.UpdatedAt), UsedBy: s.tn(c, "messages.used_by", m.Mailings)}
}

// messageView is the page messages/show.
type messageView struct {
	messageRow
	Mine    bool               // the reader may change it
	Owner   string             // whose it is, when it is not the reader's
	Readers []templates.Option // clients whose letter can be looked at
	TestTo  string             // where the test letter goes
}

// message shows a message: to htmx as the row of its owner's list. Who oversees reads everybody's.
func (s *Site) message(c *fiber.Ctx) error {
	m, err := s.readableMessage(c)
	if err != nil {
		return err
	}
	user := s.reader(c).User
	mine := m.OwnerID == user.ID && user.MayOwn()
	if mine && isHTMX(c) {
		return s.messageAsRow(c)
	}
	view := messageView{messageRow: messageRow{ID: m.ID, Subject: m.Subject, UpdatedAt: s.moment(c, m.UpdatedAt)},
		Mine: mine, TestTo: user.Email}
	if !view.Mine {
		owner, err := s.DB.User(c.UserContext(), m.OwnerID)
		if err != nil {
			return err
		}
		view.Owner = owner.Name
		return s.page(c, fiber.StatusOK, "messages/show", view)
	}
	clients, _, err := s.DB.Clients(c.UserContext(), user.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	view.Readers = []templates.Option{{Label: s.t(c, "messages.example_reader")}}
	for _, one := range clients {
		view.Readers = append(view.Readers, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: clientLabel(one)})
	}
	return s.page(c, fiber.StatusOK, "messages/show", view)
}

func clientLabel(one domain.Client) string {
	if one.FullName == "" {
		return one.Email
	}
	return one.FullName + " · " + one.Email
}

// readableMessage is the message of the path: the reader's own, or anybody's to who oversees.
func (s *Site) readableMessage(c *fiber.Ctx) (domain.Message, error) {
	user := s.reader(c).User
	owner := user.ID
	if user.MayOversee() {
		owner = 0
	}
	return s.DB.Message(c.UserContext(), owner, pathID(c))
}

// testMessage sends the message to its owner's own address.
func (s *Site) testMessage(c *fiber.Ctx) error {
	user, id := s.reader(c).User, pathID(c)
	client, err := strconv.ParseInt(c.FormValue("client", "0"), 10, 64)
	if err != nil {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	if err := s.DB.TestMessage(c.UserContext(), user.ID, id, client); err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, s.testSent(), "Email", user.Email)
		return c.SendString("")
	}
	return s.done(c, messagePath(id), s.testSent(), "Email", user.Email)
}

// testSent is the key of the text that says where a test letter goes.
func (s *Site) testSent() string {
	if s.Inbox {
		return "messages.test_in_inbox"
	}
	return "messages.test_sent"
}

func messagePath(id int64) string { return "/messages/" + strconv.FormatInt(id, 10) }
