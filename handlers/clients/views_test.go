package clients

import (
	"testing"

	"skychimp/handlers/imports"
	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"clients/created":     createdClient{},
		"clients/delete":      clientRow{},
		"clients/edit":        clientForm{},
		"clients/edit-row":    clientForm{},
		"clients/fields":      clientForm{},
		"clients/form":        clientForm{},
		"clients/list":        clientsView{},
		"clients/nothing":     clientsView{},
		"clients/new":         clientForm{},
		"clients/results":     clientsView{},
		"clients/row":         clientRow{},
		"clients/bulk-add":    imports.BulkAddView{},
		"clients/bulk-form":   imports.BulkAddView{},
		"clients/show":        clientView{},
		"clients/state":       clientRow{},
		"clients/tags":        []string{},
		"clients/bulk":        bulkView{},
		"clients/bulk-act":    bulkActView{},
		"clients/bulk-state":  bulkActView{},
		"clients/bulk-filter": clientsView{},
		"clients/everywhere":  everywhereView{},
		"clients/find":        "",
		"clients/timeline":    []timelineEvent{},
	})
}
