package home

import (
	"bytes"
	"html/template"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// helpView is the page home/help: one guide.
type helpView struct {
	Guide    string
	Guides   []templates.Option // the viewer's
	Contents []templates.Option // Value is the id of a heading
	Content  template.HTML
}

// Help shows the first guide of the viewer's role, or the one that the parameter names.
func (h *Home) Help(r *web.Request) error {
	view := helpView{Guide: r.Query("guide")}
	path := "/help"
	if view.Guide != "" {
		path += "?guide=" + view.Guide
	}
	for _, name := range guidesOf(r.Viewer.User) {
		view.Guides = append(view.Guides, templates.Option{Value: name, Label: r.Viewer.T("home.guide_" + name)})
	}
	if view.Guide == "" {
		view.Guide = view.Guides[0].Value
	}
	if !slices.Contains(templates.GuideNames(), view.Guide) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return r.SharedPage(path, "home/help", nil, func() (any, error) {
		source, err := templates.Guide(r.Viewer.Lang, view.Guide)
		if err == nil {
			err = view.read(source, "/help/"+r.Viewer.Lang+"/")
		}
		return view, err
	}, nil)
}

// guidesOf are the guides to what the user may do; a visitor looks around.
func guidesOf(u *domain.User) []string {
	work := map[string]web.Guard{"user": web.Owner, "manager": web.Overseer, "content": web.Publisher, "operator": web.Admin}
	return slices.DeleteFunc(templates.GuideNames(), func(name string) bool { return u != nil && !work[name].Admits(u) })
}

// read takes the guide over as HTML, with its pictures under the path.
func (v *helpView) read(source []byte, pictures string) error {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	document := markdown.Parser().Parse(text.NewReader(source))
	err := ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Image:
			if entering {
				n.Destination = append([]byte(pictures), n.Destination...)
			}
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok && entering && n.Level == 2 {
				v.Contents = append(v.Contents, templates.Option{Value: string(id.([]byte)), Label: string(n.Lines().Value(source))})
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = markdown.Renderer().Render(&out, source, document)
	v.Content = template.HTML(out.String())
	return err
}

// HelpPicture is a picture of a guide.
func (h *Home) HelpPicture(r *web.Request) error {
	picture, ok := templates.GuidePicture(r.Params("language"), r.Params("name"))
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	r.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	r.Type("png")
	return r.Send(picture)
}
