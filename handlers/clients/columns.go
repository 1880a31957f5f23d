package clients

import (
	"slices"
	"strconv"
	"time"

	"skychimp/domain"
	"skychimp/handlers/fields"
	"skychimp/handlers/web"
)

// columns are what an owner's list of clients shows beside the address.
type columns struct {
	own    []string // of domain.ClientColumns
	fields []domain.Field
}

// clientCell is what a row has in a column: a text, tags or a time.
type clientCell struct {
	Column, Label, Text string // Column is "" for one of a field
	Tags                []string
	At                  web.Moment
}

func (h *Clients) columns(r *web.Request) (c columns, list []domain.Field, err error) {
	owner := r.Viewer.User.ID
	if c.own, err = h.DB.Clients().Columns(r.UserContext(), owner); err != nil {
		return c, nil, err
	}
	list, err = h.DB.Fields().List(r.UserContext(), owner)
	c.fields = listedOf(list)
	return c, list, err
}

// listedOf are the fields that the list of clients shows.
func listedOf(list []domain.Field) []domain.Field {
	return slices.DeleteFunc(slices.Clone(list), func(f domain.Field) bool { return !f.Listed })
}

// width is how many columns the table has.
func (c columns) width() int { return 2 + len(c.own) + len(c.fields) }

func (c columns) labels(v web.Viewer) (labels []string) {
	for _, one := range c.own {
		labels = append(labels, v.T("clients.column_"+one))
	}
	for _, f := range c.fields {
		labels = append(labels, f.Label)
	}
	return labels
}

func (c columns) cells(v web.Viewer, client domain.Client, last time.Time) (cells []clientCell) {
	for i, label := range c.labels(v) {
		cell := clientCell{Label: label}
		switch {
		case i >= len(c.own):
			cell.Text = fields.Value(v, c.fields[i-len(c.own)], client.Fields)
		case c.own[i] == domain.ColumnComment:
			cell.Text = client.Comment
		case c.own[i] == domain.ColumnTags:
			cell.Tags = client.Tags
		case c.own[i] == domain.ColumnAdded:
			cell.At = v.Moment(client.CreatedAt)
		default:
			cell.At = v.Moment(last)
		}
		if i < len(c.own) {
			cell.Column = c.own[i]
		}
		cells = append(cells, cell)
	}
	return cells
}

// rows are clients in the list.
func (h *Clients) rows(r *web.Request, shown columns, clients ...domain.Client) ([]clientRow, error) {
	var last map[int64]time.Time
	if slices.Contains(shown.own, domain.ColumnLastEmail) {
		var err error
		if last, err = h.DB.Clients().LastEmails(r.UserContext(), clients); err != nil {
			return nil, err
		}
	}
	rows := []clientRow{}
	for _, one := range clients {
		row := h.clientRow(r, one)
		row.Cells = shown.cells(r.Viewer, one, last[one.ID])
		rows = append(rows, row)
	}
	return rows, nil
}

// columnChoice is a column to choose, one of a field by its number.
type columnChoice struct {
	Value, Label string
	Chosen       bool
}

func (c columns) choices(v web.Viewer, list []domain.Field) (options []columnChoice) {
	for _, one := range domain.ClientColumns([]string{domain.ColumnComment, domain.ColumnTags, domain.ColumnAdded, domain.ColumnLastEmail}) {
		options = append(options, columnChoice{one, v.T("clients.column_" + one), slices.Contains(c.own, one)})
	}
	for _, f := range list {
		options = append(options, columnChoice{strconv.FormatInt(f.ID, 10), f.Label, f.Listed})
	}
	return options
}

// ChooseColumns keeps which columns the list has.
func (h *Clients) ChooseColumns(r *web.Request) error {
	var own []string
	var ids []int64
	for _, value := range r.Request().PostArgs().PeekMulti("columns") {
		if id, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			ids = append(ids, id)
		} else {
			own = append(own, string(value))
		}
	}
	if err := h.DB.Clients().ChooseColumns(r.UserContext(), r.Viewer.User.ID, own, ids); err != nil {
		return err
	}
	return r.Done("/clients", "clients.columns_saved")
}
