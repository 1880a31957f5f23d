package email

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// What the frame leaves for its content, and what that leaves inside, in pixels: see content.css.
const (
	frameWidth   = 600
	sheetWidth   = 536
	columnWidth  = sheetWidth/2 - 12
	productWidth = sheetWidth - 2*17
)

// room is how wide something can be where it stands.
func room(node *html.Node) int {
	for outer := range node.Ancestors() {
		for _, one := range outer.Attr {
			switch {
			case one.Key != "class":
			case one.Val == "column":
				return columnWidth
			case one.Val == "product":
				return productWidth
			case one.Val == "hero":
				return frameWidth
			}
		}
	}
	return sheetWidth
}

// pictureSize ends the name of a picture that was stored with its size, such as 5f1c-1200x800.jpg.
var pictureSize = regexp.MustCompile(`-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.[a-z]+$`)

// fitPicture gives a picture whose size is known the attributes by which Outlook on Windows, which knows no max-width,
// shows it no wider than the content, and by which others keep its place while it loads.
func fitPicture(node *html.Node) {
	if node.DataAtom != atom.Img {
		return
	}
	width, height := attribute(node, "width"), attribute(node, "height")
	if width == 0 {
		width, height = storedSize(node)
	}
	if width == 0 {
		return
	}
	node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Key == "width" || a.Key == "height" })
	if room := room(node); width > room {
		width, height = room, (height*room+width/2)/width
	}
	node.Attr = append(node.Attr, html.Attribute{Key: "width", Val: strconv.Itoa(width)})
	if height > 0 {
		node.Attr = append(node.Attr, html.Attribute{Key: "height", Val: strconv.Itoa(height)})
	}
}

// attribute is the value of one that holds pixels; 0: there is none.
func attribute(node *html.Node, key string) int {
	for _, one := range node.Attr {
		if one.Key == key {
			pixels, _ := strconv.Atoi(one.Val)
			return min(max(0, pixels), 99_999)
		}
	}
	return 0
}

// storedSize is the size that the picture's name tells.
func storedSize(node *html.Node) (width, height int) {
	for _, one := range node.Attr {
		if one.Key != "src" {
			continue
		}
		if address, err := url.Parse(one.Val); err == nil {
			if size := pictureSize.FindStringSubmatch(path.Base(address.Path)); size != nil {
				width, _ = strconv.Atoi(size[1])
				height, _ = strconv.Atoi(size[2])
			}
		}
	}
	return width, height
}
