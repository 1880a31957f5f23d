package web

import (
	"bytes"
	"net/url"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skychimp/domain"
)

// text sees to it that all that a request says is text which Postgres can keep: UTF-8 without NUL.
// What isn't becomes in forms the control character that ASCII has for this, SUBSTITUTE, which they
// refuse as any other, and is left out of a query. An address of such bytes leads nowhere.
func text(c *fiber.Ctx) error {
	request := c.Request()
	if path, err := url.PathUnescape(c.Path()); err != nil || !isText([]byte(path)) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	if !utf8.Valid(request.Header.RawHeaders()) {
		for name, value := range request.Header.All() {
			request.Header.SetBytesV(string(name), substitute(value, nil))
		}
	}
	if args := request.URI().QueryArgs(); mend(args, nil) {
		request.SetRequestURI(string(request.URI().PathOriginal()) + "?" + args.String())
	}
	if form, err := c.MultipartForm(); err == nil {
		for name, values := range form.Value {
			for i, value := range values {
				form.Value[name][i] = string(substitute([]byte(value), sub))
			}
		}
		for _, files := range form.File {
			for _, file := range files {
				file.Filename = string(substitute([]byte(file.Filename), nil))
			}
		}
		return c.Next()
	}
	mend(request.PostArgs(), sub)
	return c.Next()
}

func isText(b []byte) bool { return bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) }

// sub is the control character SUBSTITUTE.
var sub = []byte{0x1a}

// substitute is b as text.
func substitute(b, with []byte) []byte {
	if isText(b) {
		return b
	}
	return bytes.ReplaceAll(bytes.ToValidUTF8(b, with), []byte{0}, with)
}

// mend makes text of names and values, and reports whether any wasn't.
func mend(args *fasthttp.Args, with []byte) (changed bool) {
	for name, value := range args.All() {
		changed = changed || !isText(name) || !isText(value)
	}
	if !changed {
		return false
	}
	var mended fasthttp.Args
	for name, value := range args.All() {
		mended.AddBytesKV(substitute(name, with), substitute(value, with))
	}
	mended.CopyTo(args)
	return true
}
