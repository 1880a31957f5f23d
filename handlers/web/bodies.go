package web

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skychimp/domain"
)

// What a request may hold, and how long it may take to come. A slow upload has a second more for
// each uploadPace bytes.
const (
	formLimit   = 1 << 20
	uploadLimit = 64 << 20 // of a signed-in user's form with a file
	bodyTime    = 30 * time.Second
	uploadPace  = 256 << 10
)

// bodyOf says, before a body is read, how much of it may come and how fast. What is sent in
// chunks has no length to go by, and is no upload.
func (s *Site) bodyOf(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	length := header.ContentLength()
	switch path := string(header.RequestURI()); {
	case length > formLimit && length <= uploadLimit && s.takesFiles(path) && s.signedIn(header) == nil:
		return fasthttp.RequestConfig{MaxRequestBodySize: uploadLimit,
			ReadTimeout: bodyTime + time.Duration(length/uploadPace)*time.Second}
	case strings.Contains(path, "/export."):
		return fasthttp.RequestConfig{WriteTimeout: 15 * time.Minute}
	}
	return fasthttp.RequestConfig{}
}

// takesFiles reports whether files are uploaded to the address, or to one below it.
func (s *Site) takesFiles(uri string) bool {
	path, _, _ := strings.Cut(uri, "?")
	for _, root := range s.uploads {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

// signedIn refuses who has no session, while there is only the header of a request.
func (s *Site) signedIn(header *fasthttp.RequestHeader) error {
	hash, ok := SecretHash(string(header.Cookie(s.sessionCookie())))
	if !ok {
		return domain.Errorf(domain.Unauthenticated, "", "errors.unauthenticated")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := s.DB.Sessions().User(ctx, hash, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return domain.Errorf(domain.Unauthenticated, "", "errors.unauthenticated")
	}
	return err
}

// unread answers a request that could not be read. An upload that came without a session, or while the
// database is away, is not too large: it was only taken for a stranger's.
func (s *Site) unread(c *fiber.Ctx, err error) error {
	header := &c.Request().Header
	if errors.Is(err, fiber.ErrRequestEntityTooLarge) {
		switch {
		case encoded(c):
			err = fiber.ErrUnsupportedMediaType
		case header.ContentLength() <= uploadLimit && s.takesFiles(string(header.RequestURI())):
			if refused := s.signedIn(header); domain.KindOf(refused) != 0 {
				err = refused
			}
		}
	}
	return s.answer(c, err)
}
