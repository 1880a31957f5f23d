package senders

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"senders/confirm":   confirmView{},
		"senders/confirmed": confirmView{},
		"senders/created":   createdSender{},
		"senders/dead-link": nil,
		"senders/delete":    deleteSenderView{},
		"senders/edit":      senderForm{},
		"senders/edit-row":  senderForm{},
		"senders/fields":    senderForm{},
		"senders/form":      senderForm{},
		"senders/list":      sendersView{},
		"senders/new":       senderForm{},
		"senders/records":   senderView{},
		"senders/row":       senderRow{},
		"senders/show":      senderView{},
		"senders/state":     senderRow{},
	})
}
