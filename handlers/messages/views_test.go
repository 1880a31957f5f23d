package messages

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"messages/add":           adder{},
		"messages/advice":        []string{},
		"messages/block":         blockEditor{},
		"messages/composer":      Composer{},
		"messages/composer-head": nil,
		"messages/created":       createdMessage{},
		"messages/delete":        deleteMessageView{},
		"messages/draft":         DraftView{},
		"messages/edit":          messageForm{},
		"messages/edit-row":      messageForm{},
		"messages/fields":        messageForm{},
		"messages/form":          messageForm{},
		"messages/field-chips":   []fieldChip{},
		"messages/help":          []fieldChip{},
		"messages/kind":          "",
		"messages/link-answers":  linksView{},
		"messages/html":          htmlForm{},
		"messages/links":         linksView{},
		"messages/list":          messagesView{},
		"messages/inbox":         inboxLine{},
		"messages/live":          livePreview{},
		"messages/long":          0,
		"messages/nothing":       messagesView{},
		"messages/picture":       pictureFields{},
		"messages/text":          textFields{},
		"messages/new":           messageForm{},
		"messages/rich-tools":    nil,
		"messages/results":       messagesView{},
		"messages/row":           messageRow{},
		"messages/show":          messageView{},
		"messages/versions":      versionsView{},
		"messages/examples":      messageForm{},
	})
}
