// Package messages answers what concerns the texts of mailings.
package messages

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/clients"
	"skychimp/handlers/links"
	"skychimp/handlers/pictures"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Messages answers what concerns an owner's messages.
type Messages struct {
	DB      *db.DB
	Media   *db.Media
	checker *links.Checker
	asking  *web.Slots
	gallery pictures.Gallery
}

// New asks the links of emails by checker, or as one in use is made where that is nil.
func New(database *db.DB, media *db.Media, checker *links.Checker) *Messages {
	if checker == nil {
		checker = &links.Checker{}
	}
	// Waiting for other machines takes no slot of what costs this one: saving must not wait for it.
	return &Messages{DB: database, Media: media, checker: checker, asking: web.NewSlots(8, 1, 15*time.Second)}
}

// messageRow is the block messages/row.
type messageRow struct {
	ID        int64
	Subject   string
	UpdatedAt web.Moment
	UsedBy    string // how many mailings use it, in words
	Long      int    // kB, where mailboxes may not show it to its end; else 0
}

// Menu names the row's menu.
func (m messageRow) Menu() templates.Menu {
	return templates.Menu{ID: "message-" + strconv.FormatInt(m.ID, 10) + "-menu", Name: m.Subject}
}

// messagesView is the page messages/list and its block messages/results.
type messagesView struct {
	Query    string
	Sort     string
	Heads    []web.Head
	Self     string // the address of these results
	Found    string // how many, in words
	Fragment bool   // without the page around it
	Rows     []messageRow
	Pager    web.Pager
}

// Empty tells an owner without messages from a search without results.
func (v messagesView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" }

// List is the list; its search asks for the results alone.
func (h *Messages) List(r *web.Request) error {
	page := r.ListPage()
	sort := r.Query("sort")
	var place func(n int) db.Cursor
	if db.MessageSorts()[sort] == "" {
		sort = ""
	}
	rows, total, err := h.DB.Messages().Sorted(r.UserContext(), r.Viewer.User.ID, r.Query("q"), sort, page)
	if err != nil {
		return err
	}
	if sort == "" {
		place = func(n int) db.Cursor { return db.Cursor{rows[n].ID} }
	}
	view := messagesView{Query: r.Query("q"), Sort: sort, Self: r.OriginalURL(), Fragment: r.HTMX(),
		Heads: r.Heads(sort, []string{"used", "changed"}, "subject", "messages.subject", "used", "messages.used", "changed", "messages.changed"),
		Found: r.Viewer.Found("messages.found", total), Pager: r.ListPager(page, total, len(rows), place)}
	for _, one := range rows {
		view.Rows = append(view.Rows, h.messageRow(r, one))
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "messages/results", view)
	}
	return r.Page(fiber.StatusOK, "messages/list", view)
}

func (h *Messages) messageRow(r *web.Request, m db.MessageRow) messageRow {
	return messageRow{ID: m.ID, Subject: m.Subject, UpdatedAt: r.Viewer.Moment(m.UpdatedAt), UsedBy: r.Viewer.TN("messages.used_by", m.Mailings), Long: m.Long()}
}

// messageView is the page messages/show.
type messageView struct {
	messageRow
	Mine           bool               // the viewer may change it
	Owner          string             // whose it is, when it is not the viewer's
	PreviewClients []templates.Option // clients to preview the email as
	TestTo         string             // where the test goes
	Empty          []string           // how many clients have nothing for a placeholder, in words
}

// Show shows a message: to htmx as the row of its owner's list. Who oversees reads everybody's.
func (h *Messages) Show(r *web.Request) error {
	m, err := h.readableMessage(r)
	if err != nil {
		return err
	}
	user := r.Viewer.User
	mine := m.OwnerID == user.ID && user.MayOwn()
	if mine && r.HTMX() {
		row, err := h.ownRow(r)
		if err != nil {
			return err
		}
		return r.Block(fiber.StatusOK, "messages/row", row)
	}
	view := messageView{messageRow: messageRow{ID: m.ID, Subject: m.Subject, UpdatedAt: r.Viewer.Moment(m.UpdatedAt), Long: m.Long()},
		Mine: mine, TestTo: user.Email}
	if !view.Mine {
		owner, err := h.DB.Users().Get(r.UserContext(), m.OwnerID)
		if err != nil {
			return err
		}
		view.Owner = owner.Name
		return r.Page(fiber.StatusOK, "messages/show", view)
	}
	if view.PreviewClients, err = h.previewClients(r); err != nil {
		return err
	}
	if view.Empty, err = h.emptyValues(r, m); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "messages/show", view)
}

// previewClients are the viewer and the newest clients, to preview an email as.
func (h *Messages) previewClients(r *web.Request) ([]templates.Option, error) {
	list, _, err := h.DB.Clients().List(r.UserContext(), r.Viewer.User.ID, db.ClientFilter{})
	if err != nil {
		return nil, err
	}
	options := []templates.Option{{Label: r.Viewer.T("messages.preview_me")}}
	for _, one := range list {
		options = append(options, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: clients.Label(one)})
	}
	return options, nil
}

// readableMessage is the message of the path: the viewer's own, or anybody's to who oversees.
func (h *Messages) readableMessage(r *web.Request) (domain.Message, error) {
	user := r.Viewer.User
	owner := user.ID
	if user.MayOversee() {
		owner = 0
	}
	return h.DB.Messages().Get(r.UserContext(), owner, r.ID())
}

// Test sends the message to its owner's own address.
func (h *Messages) Test(r *web.Request) error {
	user, id := r.Viewer.User, r.ID()
	client, err := strconv.ParseInt(r.FormValue("client", "0"), 10, 64)
	if err != nil {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	if err := h.DB.Messages().SendTest(r.UserContext(), user.ID, id, client, time.Now()); err != nil {
		return err
	}
	return r.Saved(messagePath(id), web.Fragment{}, TestSent(r), "Email", user.Email)
}

// TestSent is the key of the text that says where the test went.
func TestSent(r *web.Request) string {
	if r.Site.Inbox {
		return "messages.test_in_inbox"
	}
	return "messages.test_sent"
}

func messagePath(id int64) string { return "/messages/" + strconv.FormatInt(id, 10) }

// emptyValues say how many of the owner's clients have nothing for a placeholder of the message.
func (h *Messages) emptyValues(r *web.Request, m domain.Message) (words []string, err error) {
	fields, err := h.DB.Fields().List(r.UserContext(), m.OwnerID)
	if err != nil {
		return nil, err
	}
	uses := email.Uses(fields, m.Subject, m.Body)
	values, err := h.DB.Mailings().EmptyValues(r.UserContext(), domain.Mailing{OwnerID: m.OwnerID, Audience: domain.AudienceAll}, uses)
	for _, name := range uses {
		if n := values.Empty[name]; n > 0 {
			words = append(words, r.Viewer.TN("mailings.empty_values", int(n), "Name", "{{"+name+"}}"))
		}
	}
	return words, err
}
