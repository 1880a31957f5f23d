// Package blocks is the view of a message's Markdown that people edit: headings, texts, pictures, buttons. The
// Markdown stays what is kept. What isn't changed is kept to the byte, and what is no block that this package knows
// is a block of Markdown, so nothing is ever lost.
package blocks

import "strings"

// Kind of a block.
type Kind string

// The kinds, in the order in which they are offered.
const (
	Heading  Kind = "heading"
	Text     Kind = "text" // paragraphs and lists
	Picture  Kind = "picture"
	Button   Kind = "button"
	Columns  Kind = "columns"
	Product  Kind = "product"
	List     Kind = "list" // a text that is nothing but one list
	Quote    Kind = "quote"
	Divider  Kind = "divider"
	Footer   Kind = "footer"
	Markdown Kind = "markdown" // anything else
)

// Kinds are all kinds that can be added.
func Kinds() []Kind {
	return []Kind{Heading, Text, Picture, Button, Columns, Product, List, Quote, Divider, Footer, Markdown}
}

// Fields are what can be changed in a block; each kind has some of them.
type Fields struct {
	Level   int    // of a heading, 1 to 6
	Text    string // Markdown; of a heading and a button plain words
	URL     string // of a button; where a picture leads
	Picture string // its address
	Alt     string // the words for who doesn't see the picture
	Name    string // of a product
	Price   string
	Label   string // of a product's button
	Right   Side   // of columns: the left one is Text, Picture and Alt
}

// Side is the right column.
type Side struct{ Text, Picture, Alt string }

// Block is one block.
type Block struct {
	Kind   Kind
	Source string // as it stands in the body, with all up to the next block; "" for a new one
	Fields
}

// New is an empty block.
func New(kind Kind) Block {
	b := Block{Kind: kind}
	switch kind {
	case Heading:
		b.Level = 2
	case List:
		b.Text = "- "
	}
	return b
}

// Body is what the blocks are in the body: the Sources, one after the other.
func Body(list []Block) string {
	var body strings.Builder
	for _, b := range list {
		body.WriteString(b.Source)
	}
	return body.String()
}

// Settle writes what was changed in the fields into the Sources. The others stay as they are.
func Settle(list []Block) {
	for i := range list {
		b := &list[i]
		if b.unchanged() {
			continue
		}
		b.Source = b.print()
		if b.Source != "" {
			part(list[:i])
			if i+1 < len(list) {
				b.Source += "\n\n"
			}
		}
	}
}

// Move gives the block at i another place, as far as there is one.
func Move(list []Block, i, to int) []Block {
	if i < 0 || i >= len(list) || to < 0 || to >= len(list) {
		return list
	}
	b := list[i]
	return Insert(Remove(list, i), to, b)
}

// Remove is the list without the block at i.
func Remove(list []Block, i int) []Block {
	if i < 0 || i >= len(list) {
		return list
	}
	rest := append([]Block{}, list[:i]...)
	return append(rest, list[i+1:]...)
}

// Insert puts a block before the one at i, with blank lines around it.
func Insert(list []Block, i int, b Block) []Block {
	i = min(max(i, 0), len(list))
	more := append([]Block{}, list[:i]...)
	part(more)
	more = append(more, b)
	if i < len(list) {
		part(more)
	}
	return append(more, list[i:]...)
}

// part ends the last block that isn't empty with a blank line.
func part(list []Block) {
	for i := len(list) - 1; i >= 0; i-- {
		source := &list[i].Source
		if *source == "" {
			continue
		}
		for !strings.HasSuffix(*source, "\n\n") {
			*source += "\n"
		}
		return
	}
}

// unchanged reports whether the fields say what the source says.
func (b Block) unchanged() bool {
	if b.Source == "" {
		return b.Fields == New(b.Kind).Fields && b.Kind != Divider
	}
	if b.print() == strings.Trim(b.Source, "\n") {
		return true
	}
	was := Parse(b.Source)
	return len(was) == 1 && was[0].Kind == b.Kind && was[0].Fields == b.Fields
}
