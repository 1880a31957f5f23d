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
// What isn't becomes the control character that ASCII has for this, SUBSTITUTE, and forms refuse it
// as they do any other. An address of such bytes leads nowhere.
func text(c *fiber.Ctx) error {
	request := c.Request()
	if path, err := url.PathUnescape(c.Path()); err != nil || !isText([]byte(path)) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	if !utf8.Valid(request.Header.RawHeaders()) {
		for name, value := range request.Header.All() {
			request.Header.SetBytesV(string(name), substitute(value))
		}
	}
	if args := request.URI().QueryArgs(); mend(args) {
		request.SetRequestURI(string(request.URI().PathOriginal()) + "?" + args.String())
	}
	if form, err := c.MultipartForm(); err == nil {
		for name, values := range form.Value {
			for i, value := range values {
				form.Value[name][i] = string(substitute([]byte(value)))
			}
		}
		for _, files := range form.File {
			for _, file := range files {
				file.Filename = string(substitute([]byte(file.Filename)))
			}
		}
		return c.Next()
	}
	mend(request.PostArgs())
	return c.Next()
}

func isText(b []byte) bool { return bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) }

// substitute is b as text.
func substitute(b []byte) []byte {
	if isText(b) {
		return b
	}
	return bytes.ReplaceAll(bytes.ToValidUTF8(b, []byte{0x1a}), []byte{0}, []byte{0x1a})
}

// mend makes text of names and values, and tells whether any wasn't.
func mend(args *fasthttp.Args) (changed bool) {
	var mended fasthttp.Args
	for name, value := range args.All() {
		changed = changed || !isText(name) || !isText(value)
		if changed {
			break
		}
	}
	if !changed {
		return false
	}
	for name, value := range args.All() {
		mended.AddBytesKV(substitute(name), substitute(value))
	}
	mended.CopyTo(args)
	return true
}
