package messages

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/domain/blocks"
	"skychimp/domain/email"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// What a form shows as blocks: each carries its Markdown along, and a form may have 1 MB.
const (
	maxBlocks    = 150
	maxBlockBody = 60_000 // bytes
)

// Draft is the body of an email in a form: Markdown, and as blocks where it is shown so.
type Draft struct {
	Body       string
	Blocks     []blocks.Block
	AsMarkdown bool
}

// OpenDraft is what a form of the body begins with.
func OpenDraft(body string) Draft {
	d := Draft{Body: body, Blocks: blocks.Parse(body)}
	d.AsMarkdown = len(body) > maxBlockBody || len(d.Blocks) > maxBlocks
	if len(d.Blocks) == 0 {
		d.Blocks = []blocks.Block{blocks.New(blocks.Text)}
	}
	return d
}

// ReadDraft reads the body of a form: what stands in its blocks, or `body` where that is not what they were made of.
func ReadDraft(r *web.Request) Draft {
	d := Draft{Body: lines(r.FormValue("body")), AsMarkdown: true}
	if !r.Has("blocks") {
		return d
	}
	n, _ := strconv.Atoi(r.FormValue("blocks"))
	for i := range min(max(n, 0), maxBlocks+1) {
		d.Blocks = append(d.Blocks, readBlock(r, i))
	}
	if blocks.Body(d.Blocks) != d.Body {
		return Draft{Body: d.Body, AsMarkdown: true}
	}
	blocks.Settle(d.Blocks)
	d.Body, d.AsMarkdown = blocks.Body(d.Blocks), false
	return d
}

func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func readBlock(r *web.Request, i int) (b blocks.Block) {
	value := func(name string) string { return lines(r.FormValue(fmt.Sprintf("b%d.%s", i, name))) }
	b.Kind, b.Source = blocks.Kind(value("kind")), value("source")
	if !slices.Contains(blocks.Kinds(), b.Kind) {
		b.Kind = blocks.Markdown
	}
	b.Level, _ = strconv.Atoi(value("level"))
	b.Fields = blocks.Fields{Level: b.Level, Text: value("text"), URL: value("url"), Picture: value("picture"), Alt: value("alt"),
		Name: value("name"), Price: value("price"), Label: value("label"),
		Right: blocks.Side{Text: value("right.text"), Picture: value("right.picture"), Alt: value("right.alt")}}
	return b
}

// Composer is the block messages/composer: the email that is edited in place.
type Composer struct {
	Draft

	ID      string // of the element
	Path    string // answers its buttons
	Hold    templates.ValidationErrors
	Editors []blockEditor
	Kinds   []templates.Option // that can be added
	Fields  []fieldChip        // that texts can hold
}

// First are the blocks that can be added before all others.
func (c Composer) First() adder { return adder{0, c.Path, c.Kinds} }

// blockEditor is the block messages/block.
type blockEditor struct {
	blocks.Block

	N      int
	Form   string // the ID of its composer
	Label  string
	Last   bool
	Focus  bool
	Errors templates.ValidationErrors
	Levels []templates.Option
	Add    adder
	words  func(key string, args ...any) string
	shelf  []domain.Picture
}

// adder is the block messages/add: what can be added before block N.
type adder struct {
	N     int
	Path  string
	Kinds []templates.Option
}

// Do is the value of a button that adds a block.
func (a adder) Do(kind string) string { return fmt.Sprintf("add:%d:%s", a.N, kind) }

// Composer shows a draft. What err says about the body or a picture stands at the block that it is about; focus is the
// block that was just added or moved, or -1.
func (h *Messages) Composer(r *web.Request, d Draft, id, path string, focus int, err error) (Composer, error) {
	c := Composer{Draft: d, ID: id, Path: path, Hold: templates.ValidationErrors{}}
	for _, kind := range blocks.Kinds() {
		c.Kinds = append(c.Kinds, templates.Option{Value: string(kind), Label: r.Viewer.T("messages.block_" + string(kind))})
	}
	body, image := refusal(r, err, "body"), refusal(r, err, "image")
	c.Hold["body"] = body
	own, err := h.DB.Fields().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return c, err
	}
	c.Fields = fieldChips(r.Viewer, own)
	if d.AsMarkdown {
		return c, nil
	}
	shelf, err := h.DB.Pictures().Latest(r.UserContext(), r.Viewer.User.ID, shelfPictures)
	if err != nil {
		return c, err
	}
	for i, b := range d.Blocks {
		editor := blockEditor{Block: b, N: i, Form: id, Label: r.Viewer.T("messages.block_" + string(b.Kind)),
			Last: i == len(d.Blocks)-1, Focus: i == focus, Errors: templates.ValidationErrors{}, Add: adder{i + 1, path, c.Kinds},
			words: r.Viewer.T, shelf: shelf}
		for level := 1; level <= max(3, b.Level); level++ {
			editor.Levels = append(editor.Levels, templates.Option{Value: strconv.Itoa(level), Label: r.Viewer.T("messages.level", "Level", level)})
		}
		c.Editors = append(c.Editors, editor)
	}
	if body != "" && len(c.Editors) > 0 {
		one := &c.Editors[wrong(d.Blocks, own)]
		one.Errors[one.Field(one.main())] = body
	}
	if image != "" && focus >= 0 {
		one := &c.Editors[focus]
		one.Errors[one.Field("picture")] = image
	}
	return c, nil
}

// refusal is what err says about a field, "" for nothing.
func refusal(r *web.Request, err error, field string) string {
	broken, _ := errors.AsType[domain.ValidationErrors](err)
	if one, ok := errors.AsType[*domain.Error](err); ok {
		broken = append(broken, one)
	}
	for _, one := range broken {
		if one.Field == field {
			return r.Viewer.Text(one)
		}
	}
	return ""
}

// wrong is the first block that could not be sent if it were all of the email, else the first.
func wrong(list []blocks.Block, fields []domain.Field) int {
	return max(0, slices.IndexFunc(list, func(b blocks.Block) bool {
		_, err := email.Check("-", b.Source, fields...)
		return b.Source != "" && err != nil
	}))
}

// main is the field that shows what is wrong with the block.
func (b blockEditor) main() string {
	switch b.Kind {
	case blocks.Picture:
		return "picture"
	case blocks.Button:
		return "url"
	}
	return "text"
}

// Field is the name of a field of the form.
func (b blockEditor) Field(name string) string { return fmt.Sprintf("b%d.%s", b.N, name) }

// FieldID is its id, as an attribute.
func (b blockEditor) FieldID(name string) string {
	return fmt.Sprintf("id=%s-b%d-%s", b.Form, b.N, name)
}

// Do is the value of a button that does something to the block.
func (b blockEditor) Do(what string) string { return fmt.Sprintf("%s:%d", what, b.N) }

// Number is its place in the email, from 1.
func (b blockEditor) Number() int { return b.N + 1 }

// Autofocus is the attribute of the field that whoever added the block goes on with.
func (b blockEditor) Autofocus() string {
	if b.Focus {
		return "autofocus"
	}
	return "autocomplete=off"
}

// pictureFields are the block messages/picture.
type pictureFields struct {
	Address, Alt templates.Field
	Shown        string // its path, where it is one of this service
	File         string // the name of the field for a file
	Upload       string // the value of the button that takes it
	Use          string // that of the buttons of the shelf begins so
	Path         string
	Shelf        []domain.Picture
}

// PictureFields are those of the picture, or ("right.") of the one in the right column.
func (b blockEditor) PictureFields(side string) pictureFields {
	picture, alt, which := b.Picture, b.Alt, ""
	if side != "" {
		picture, alt, which = b.Right.Picture, b.Right.Alt, "-right"
	}
	one := func(name, value, label, hint string) templates.Field {
		return templates.Field{ID: b.Form + "-" + b.Field(side+name), Name: b.Field(side + name), Value: value, Label: label, Hint: hint,
			Type: "text", Autocomplete: "off", Problem: b.Errors.Of(b.Field(side + name))}
	}
	p := pictureFields{Address: one("picture", picture, b.words("messages.picture"), ""), Alt: one("alt", alt, b.words("messages.alt"), b.words("messages.alt_hint")),
		Shown: ownPicture.FindString(picture), File: b.Field(side + "file"), Upload: b.Do("upload" + which), Use: b.Do("use"+which) + ":",
		Path: b.Add.Path, Shelf: b.shelf}
	p.Address.Inputmode = "url"
	return p
}

var ownPicture = regexp.MustCompile(`/(media/[0-9a-f]{32}|pictures/[a-z]+)-[0-9x]+\.(jpg|png)$`)

// textFields are the block messages/text.
type textFields struct {
	Field templates.Field
	Rich  bool // may be edited as it looks
}

// TextFields are those of a text of the block.
func (b blockEditor) TextFields(name, label string) textFields {
	text := b.Text
	if name != "text" {
		text = b.Right.Text
	}
	rows := strings.Count(text, "\n") + 2 + len([]rune(text))/80
	f := templates.Field{ID: b.Form + "-" + b.Field(name), Name: b.Field(name), Value: text, Label: label, Rows: strconv.Itoa(min(max(rows, 3), 16)),
		Problem: b.Errors.Of(b.Field(name)), Autofocus: b.Focus && name == "text" && b.Kind != blocks.Product}
	if b.Kind == blocks.List {
		f.Hint = b.words("messages.list_hint")
	}
	return textFields{f, b.Kind != blocks.Markdown && blocks.Simple(text)}
}

// Compose does what a button of the composer says and shows the form again, saving nothing.
func (h *Messages) Compose(r *web.Request) error {
	id, _ := strconv.ParseInt(r.Query("id"), 10, 64)
	d, focus, refused := h.Composed(r)
	if refused != nil && r.Viewer.Problem(refused) == "" {
		return refused
	}
	form := h.newForm(id, readForm(r, d), d)
	c, err := h.Composer(r, d, form.composerID(), form.composerPath(), focus, refused)
	if err != nil {
		return err
	}
	form.Composer = c
	status := fiber.StatusOK
	if refused != nil {
		status = fiber.StatusUnprocessableEntity
	}
	if r.HTMX() {
		r.Set("HX-Trigger-After-Settle", "composed")
		return r.Block(status, "messages/composer", form.Composer)
	}
	return h.showForm(r, refused, form)
}

// Do is the draft after a button: "up:3", "down:3", "remove:3", "add:4:text", "markdown", "blocks". focus is the block
// that whoever pressed it goes on with, or -1.
func (d Draft) Do(button string) (after Draft, focus int) {
	what, rest, _ := strings.Cut(button, ":")
	number, kind, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		n = -1
	}
	focus = -1
	switch what {
	case "markdown":
		return Draft{Body: d.Body, AsMarkdown: true}, -1
	case "blocks":
		return OpenDraft(d.Body), 0
	case "up":
		focus = max(0, n-1)
		d.Blocks = blocks.Move(d.Blocks, n, n-1)
	case "down":
		focus = min(n+1, len(d.Blocks)-1)
		d.Blocks = blocks.Move(d.Blocks, n, n+1)
	case "remove":
		focus = max(0, n-1)
		d.Blocks = blocks.Remove(d.Blocks, n)
	case "add":
		if n >= 0 && n <= len(d.Blocks) && len(d.Blocks) < maxBlocks && slices.Contains(blocks.Kinds(), blocks.Kind(kind)) {
			focus = n
			d.Blocks = blocks.Insert(d.Blocks, n, blocks.New(blocks.Kind(kind)))
		}
	}
	if len(d.Blocks) == 0 && !d.AsMarkdown {
		d.Blocks = []blocks.Block{blocks.New(blocks.Text)}
	}
	if !d.AsMarkdown {
		d.Body = blocks.Body(d.Blocks)
	}
	return d, focus
}
