package blocks

import (
	"regexp"
	"strings"

	"skychimp/domain/markup"
)

// productLevel is the level of the heading of a card.
const productLevel = 3

// print is the block as Markdown, without line breaks around it; "" when nothing stands in it.
func (b Block) print() string {
	switch b.Kind {
	case Heading:
		return heading(b.Level, b.Text)
	case Picture:
		return link(image(b.Picture, b.Alt), b.URL)
	case Button:
		return button(b.Text, b.URL)
	case Quote:
		return quote(b.Text)
	case Divider:
		return "---"
	case Footer:
		return section(markup.Footer, b.Text)
	case Product:
		bold := ""
		if b.Price != "" {
			bold = "**" + oneLine(b.Price) + "**"
		}
		return section(markup.Product, image(b.Picture, b.Alt), heading(productLevel, b.Name), b.Text, bold, button(b.Label, b.URL))
	case Columns:
		left, right := join(image(b.Picture, b.Alt), b.Text), join(image(b.Right.Picture, b.Right.Alt), b.Right.Text)
		if left == "" && right == "" {
			return ""
		}
		return section(markup.Columns, left, markup.Comment(markup.Column), right)
	}
	return trim(b.Text)
}

func heading(level int, words string) string {
	if words = oneLine(words); words == "" {
		return ""
	}
	return strings.Repeat("#", min(max(level, 1), 6)) + " " + words
}

func image(address, alt string) string {
	if strings.TrimSpace(address) == "" {
		return ""
	}
	return "![" + escape(alt) + "](" + destination(address) + ")"
}

func link(what, address string) string {
	if what == "" || strings.TrimSpace(address) == "" {
		return what
	}
	return "[" + what + "](" + destination(address) + ")"
}

// button is kept without an address, too, so that who saves it hears of it.
func button(words, address string) string {
	if words = escape(words); words == "" && strings.TrimSpace(address) == "" {
		return ""
	}
	return "**[" + words + "](" + destination(address) + ")**"
}

func quote(words string) string {
	if words = trim(words); words == "" {
		return ""
	}
	lines := strings.Split(words, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("> "+line, " ")
	}
	return strings.Join(lines, "\n")
}

// section is the parts between the comments of a section, "" when all are empty.
func section(name string, parts ...string) string {
	inside := join(parts...)
	if inside == "" {
		return ""
	}
	return join(markup.Comment(name), inside, markup.Comment("/"+name))
}

// join has a blank line between the parts that aren't empty.
func join(parts ...string) string {
	var all []string
	for _, part := range parts {
		if part = trim(part); part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, "\n\n")
}

func oneLine(words string) string { return strings.Join(strings.Fields(words), " ") }

// markedUp are the characters that mean something inside words, and placeholders, in which none does.
var markedUp = regexp.MustCompile("\\{\\{[^{}\\r\\n]*\\}\\}|[\\\\\\[\\]*_`<>&~!]")

func escape(words string) string {
	return markedUp.ReplaceAllStringFunc(oneLine(words), func(found string) string {
		if strings.HasPrefix(found, "{{") {
			return found
		}
		return `\` + found
	})
}

// destination is an address as it stands behind a link's words.
func destination(address string) string {
	address = strings.TrimSpace(address)
	if strings.ContainsAny(address, " ()<>\\\t\r\n") {
		address = "<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\\", "%5C", "\n", "", "\r", "", "\t", "").Replace(address) + ">"
	}
	return address
}
