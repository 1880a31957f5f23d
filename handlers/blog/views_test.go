package blog

import (
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"blog/draft":   articleView{},
		"blog/delete":  adminPostView{},
		"blog/edit":    postForm{},
		"blog/image":   postForm{},
		"blog/manage":  adminPostsView{},
		"blog/preview": adminPostView{},
		"blog/results": adminPostsView{},
		"blog/row":     postRow{},
		"blog/show":    adminPostView{},
		"blog/state":   domain.Draft,
		"blog/tools":   struct{}{},
		"blog/article": articleView{},
		"blog/card":    Card{},
		"blog/list":    postsView{},
		"blog/meta":    Card{},
		"blog/picture": Card{},
		"blog/text":    articleView{},
		"blog/views":   int64(0),
	})
}
