// Package clients answers what concerns the people who receive mail.
package clients

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	dbseries "skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/handlers/fields"
	"skychimp/handlers/segments"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Clients answers what concerns an owner's clients.
type Clients struct {
	DB       *db.DB
	Segments *segments.Segments
}

// clientRow is the block clients/row.
type clientRow struct {
	ID                       int64
	Email, FullName, Comment string
	Tags                     []string
	Reason                   domain.Suppression // "" when the client gets emails
	Since                    web.Moment
	Alike                    bool         // the address can be taken for another
	Cells                    []clientCell // in the list
}

// fieldValue is what a client has in a field.
type fieldValue struct{ Label, Value string }

// clientsView is the page clients/list and its block clients/results.
type clientsView struct {
	Query, Tag string
	Segment    string // its id, "": none
	Sort       string
	Tags       []templates.Option
	Segments   []templates.Option
	Sorts      []templates.Option
	Export     string // the address of the file with what is shown
	Bulk       []templates.Option
	Self       string   // the address of these results
	Found      string   // how many, in words
	Fragment   bool     // without the page around it
	Pending    bool     // the last emails of some runs are not counted yet
	Columns    []string // beside the address
	Choices    []columnChoice
	Rows       []clientRow
	Pager      web.Pager
}

// Empty tells an owner without clients from a search without results.
func (v clientsView) Empty() bool {
	return len(v.Rows) == 0 && v.Query == "" && v.Tag == "" && v.Segment == ""
}

// clientView is the page clients/show.
type clientView struct {
	clientRow
	CreatedAt web.Moment

	FirstName, LastName string
	Wishes              wishes
	Values              []fieldValue

	Bounce   *clientBounce // why it is suppressed, nil: nothing came back
	Series   []seriesPlace
	Timeline []timelineEvent
}

// seriesPlace is where the client is in a series.
type seriesPlace struct {
	Path, Name string
	Step, Of   int        // the next one; 0: there is none
	NextAt     web.Moment // zero: it is being worked out
	Over       string     // in words, why there is no next one
}

// clientBounce is the last email that came back for the address.
type clientBounce struct {
	Kind  domain.ReturnKind
	At    web.Moment
	RunID int64 // 0: it was not an email of this owner
}

// List is the list; its search asks for the results alone.
func (h *Clients) List(r *web.Request) error {
	owner := r.Viewer.User.ID
	filter := readFilter(r)
	shown, list, err := h.columns(r)
	if err != nil {
		return err
	}
	pending := false
	if filter.Sort == db.SortLast || slices.Contains(shown.own, domain.ColumnLastEmail) {
		if pending, err = h.DB.Clients().AskLastEmails(r.UserContext(), owner); err != nil {
			return err
		}
	}
	clients, total, err := h.DB.Clients().List(r.UserContext(), owner, filter)
	if err != nil {
		return err
	}
	place, listed := paging(filter, clients, total)
	view := clientsView{Query: filter.Query, Tag: filter.Tag, Segment: r.Query("segment"), Sort: string(filter.Sort), Export: exportPath(r), Self: r.OriginalURL(), Rows: []clientRow{},
		Pager: r.ListPager(filter.Page, listed, len(clients), place), Found: foundWords(r.Viewer, filter, total)}
	view.Pending = pending
	view.Columns, view.Choices = shown.labels(r.Viewer), shown.choices(r.Viewer, list)
	if view.Rows, err = h.rows(r, shown, clients...); err != nil {
		return err
	}
	if view.Fragment = r.HTMX(); view.Fragment {
		return r.Block(fiber.StatusOK, "clients/results", view)
	}
	if view.Tags, err = h.tagOptions(r, owner, filter.Tag); err != nil {
		return err
	}
	if view.Segments, err = h.Segments.Options(r, r.Viewer.T("clients.all_segments")); err != nil {
		return err
	}
	view.Sorts = sortOptions(r.Viewer)
	if view.Bulk, err = h.bulkMenu(r); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "clients/list", view)
}

// paging tells by what the pages of the list go on, nil: by their numbers, and how many clients they have in all.
func paging(filter db.ClientFilter, clients []domain.Client, total int) (place func(n int) db.Cursor, listed int) {
	if filter.Query != "" { // a search finds all that it shows at once
		return nil, min(total, db.SearchMax)
	}
	switch filter.Sort {
	case db.SortLast:
		return nil, total
	case db.SortName:
		return func(n int) db.Cursor { return db.Cursor{clients[n].ID} }, total
	}
	return func(n int) db.Cursor { return db.Cursor{clients[n].CreatedAt.UnixMicro(), clients[n].ID} }, total
}

// foundWords is how many clients there are; a search counts no further than it has to.
func foundWords(v web.Viewer, filter db.ClientFilter, total int) string {
	if filter.Query != "" && total > db.SearchMax {
		return v.T("clients.found_more", "Max", db.SearchMax)
	}
	return v.TN("clients.found", total)
}

// readFilter is what the address asks for. A segment that is no number is nobody's.
func readFilter(r *web.Request) db.ClientFilter {
	f := db.ClientFilter{Query: r.Query("q"), Tag: r.Query("tag"), Sort: db.ClientSort(r.Query("sort")), Page: r.ListPage()}
	if text := r.Query("segment"); text != "" {
		if f.Segment, _ = strconv.ParseInt(text, 10, 64); f.Segment <= 0 {
			f.Segment = -1
		}
	}
	if !slices.Contains([]db.ClientSort{db.SortName, db.SortLast}, f.Sort) {
		f.Sort = db.SortAdded
	}
	return f
}

func sortOptions(v web.Viewer) (options []templates.Option) {
	for _, one := range []db.ClientSort{db.SortAdded, db.SortName, db.SortLast} {
		options = append(options, templates.Option{Value: string(one), Label: v.T("clients.sort_" + cmp.Or(string(one), "added"))})
	}
	return options
}

// exportPath is the file with what is shown.
func exportPath(r *web.Request) string {
	query := url.Values{}
	for _, name := range []string{"q", "tag", "segment"} {
		if value := r.Query(name); value != "" {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return "/clients/export.csv"
	}
	return "/clients/export.csv?" + query.Encode()
}

// tagOptions are the choices of the filter, each with its number of clients. A chosen tag that few or no clients have is
// one of them.
func (h *Clients) tagOptions(r *web.Request, owner int64, chosen string) ([]templates.Option, error) {
	tags, err := h.DB.Clients().Tags(r.UserContext(), owner)
	options := []templates.Option{{Label: r.Viewer.T("clients.all_tags")}}
	for _, one := range tags {
		options = append(options, templates.Option{Value: one.Tag, Label: r.Viewer.T("clients.tag_count", "Tag", one.Tag, "Count", one.Clients)})
	}
	if !slices.ContainsFunc(options, func(one templates.Option) bool { return one.Value == chosen }) {
		options = append(options, templates.Option{Value: chosen, Label: chosen})
	}
	return options, err
}

// clientRow is a client without the cells of the list.
func (h *Clients) clientRow(r *web.Request, client domain.Client) clientRow {
	return clientRow{ID: client.ID, Email: client.Email, FullName: client.FullName, Comment: client.Comment,
		Tags: client.Tags, Reason: client.SuppressedReason, Since: r.Viewer.Moment(client.SuppressedAt),
		Alike: domain.LooksLikeAnother(client.Email)}
}

// listRow is a client as a row of the list.
func (h *Clients) listRow(r *web.Request, client domain.Client) (row clientRow, err error) {
	shown, _, err := h.columns(r)
	if err != nil {
		return row, err
	}
	rows, err := h.rows(r, shown, client)
	if err != nil {
		return row, err
	}
	return rows[0], nil
}

// Show shows one client: to htmx as the row of the list.
func (h *Clients) Show(r *web.Request) error {
	client, err := h.ownClient(r)
	if err != nil {
		return err
	}
	if r.HTMX() {
		row, err := h.listRow(r, client)
		if err != nil {
			return err
		}
		return r.Block(fiber.StatusOK, "clients/row", row)
	}
	list, err := h.DB.Fields().List(r.UserContext(), client.OwnerID)
	if err != nil {
		return err
	}
	view := clientView{clientRow: h.clientRow(r, client), CreatedAt: r.Viewer.Moment(client.CreatedAt)}
	for _, f := range list {
		view.Values = append(view.Values, fieldValue{f.Label, fields.Value(r.Viewer, f, client.Fields)})
	}
	view.FirstName, view.LastName = client.Names()
	if view.Wishes, err = h.wishes(r, client); err != nil {
		return err
	}
	if view.Bounce, err = h.bounceOf(r, client); err != nil {
		return err
	}
	if view.Series, err = h.places(r, client); err != nil {
		return err
	}
	if view.Timeline, err = h.timeline(r, client); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "clients/show", view)
}

// places are where the client is in the owner's series, and was.
func (h *Clients) places(r *web.Request, client domain.Client) (list []seriesPlace, err error) {
	all, err := dbseries.In(h.DB).OfClient(r.UserContext(), client.OwnerID, client.ID)
	for _, one := range all {
		place := seriesPlace{Path: "/series/" + strconv.FormatInt(one.SeriesID, 10), Name: one.SeriesName}
		switch {
		case one.LeftReason != "":
			place.Over = r.Viewer.T(rules.LeftKey(one.LeftReason))
		case !one.DueAt.IsZero():
			place.Step, place.Of = one.Step, one.Steps
			if one.DueAt.Unix() > 0 {
				place.NextAt = r.Viewer.Moment(one.DueAt)
			}
		}
		list = append(list, place)
	}
	return list, err
}

// bounceOf explains the suppression of an address that has bounced.
func (h *Clients) bounceOf(r *web.Request, client domain.Client) (*clientBounce, error) {
	if client.SuppressedReason != domain.Bounced {
		return nil, nil
	}
	latest, err := h.DB.Bounces().Latest(r.UserContext(), client.OwnerID, client.Email)
	if err != nil || latest == nil {
		return nil, err
	}
	return &clientBounce{latest.Kind, r.Viewer.Moment(latest.At), latest.RunID}, nil
}

// ownClient is the client of the path, if it is the viewer's.
func (h *Clients) ownClient(r *web.Request) (domain.Client, error) {
	return h.DB.Clients().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// AskDelete asks whether it is meant, for browsers without JavaScript.
func (h *Clients) AskDelete(r *web.Request) error {
	client, err := h.ownClient(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "clients/delete", h.clientRow(r, client))
}

func (h *Clients) Delete(r *web.Request) error {
	if err := h.DB.Clients().Delete(r.UserContext(), r.Viewer.User.ID, r.ID()); err != nil {
		return err
	}
	return r.Saved("/clients", web.Fragment{Event: "clients-changed"}, "clients.deleted")
}

// Retry lifts the bounce of a client's address.
func (h *Clients) Retry(r *web.Request) error {
	_, err := h.DB.Clients().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), (*domain.Client).Retry)
	if err != nil {
		return err
	}
	return r.Done("/clients/"+r.Params("id"), "clients.retried")
}

// Label is the client in a list of choices.
func Label(one domain.Client) string {
	if one.FullName == "" {
		return one.Email
	}
	return one.FullName + " · " + one.Email
}
