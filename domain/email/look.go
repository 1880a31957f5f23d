package email

import (
	"html/template"
	"path"
	"strconv"
	"strings"

	"skychimp/domain"
)

// look is a brand as the frame and content.css show it.
type look struct {
	Color, OnColor, Ink, NightInk       template.CSS // of buttons and links
	Ground, Font, Sender, Note, NoteInk template.CSS // around the sheet
	Name                                string
	Logo                                string // address
	LogoWidth, LogoHeight               int
	Address                             []string
	Links                               []domain.Link
}

// logoHeight and logoWidth bound a logo above an email, in pixels.
const logoHeight, logoWidth = 56, 260

// lookOf is the look of the emails of a sender; media is what stands before the name of a file.
func lookOf(b domain.Brand, sender, media string) look {
	l := look{Color: domain.DefaultColor, OnColor: "#fff", Ink: "#0b57b7", NightInk: "#93c1ff", Ground: domain.DefaultGround,
		Font: template.CSS(b.FontStack()), Sender: "#465063", Note: "#5a6475", NoteInk: "#0b57b7", Name: sender, Links: b.Elsewhere()}
	if b.Name != "" {
		l.Name = b.Name
	}
	if b.Color != "" {
		l.Color, l.OnColor, l.Ink, l.NightInk = template.CSS(b.Main()), template.CSS(b.OnMain()), template.CSS(b.Ink()), template.CSS(b.NightInk())
	}
	if b.Ground != "" {
		l.Ground, l.Sender, l.Note = template.CSS(b.Around()), template.CSS(b.OnAround()), template.CSS(b.OnAround())
	}
	if b.Color != "" || b.Ground != "" {
		l.NoteInk = template.CSS(b.InkAround())
	}
	if b.Address != "" {
		l.Address = strings.Split(b.Address, "\n")
	}
	if size := pictureSize.FindStringSubmatch(path.Base(b.Logo)); b.Logo != "" && media != "" && size != nil {
		width, _ := strconv.Atoi(size[1])
		height, _ := strconv.Atoi(size[2])
		l.Logo = media + b.Logo
		l.LogoWidth, l.LogoHeight = within(width, height, logoWidth, logoHeight)
	}
	return l
}

// within is a size made so small that it fits.
func within(width, height, maxWidth, maxHeight int) (w, h int) {
	if width > maxWidth {
		width, height = maxWidth, max(1, height*maxWidth/width)
	}
	if height > maxHeight {
		width, height = max(1, width*maxHeight/height), maxHeight
	}
	return width, height
}

// css is content.css in the look.
func (l look) css() string {
	return strings.NewReplacer("#1a5fc4", string(l.Color), "color: #fff", "color: "+string(l.OnColor), "#0b57b7", string(l.Ink),
		"font-family: Segoe UI, Roboto, Helvetica, Arial, sans-serif", "font-family: "+string(l.Font)).Replace(contentCSS)
}

// text are the lines of the text part's end that a brand adds.
func (l look) text() (lines []string) {
	lines = append(lines, l.Address...)
	for _, one := range l.Links {
		lines = append(lines, one.Name+": "+one.URL)
	}
	return lines
}

// words are all texts of the look, which no mark may stand in.
func (l look) words() string {
	return strings.Join(append(l.text(), l.Name, l.Logo), "\n")
}
