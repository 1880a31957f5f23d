package web

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// etag says nothing again that the browser has. The middleware of fiber's does the same by a sum that no processor helps
// with, which was a fifth of what a public page costs. What people see who are signed in is never stored, so it needs no
// ETag, for which a whole export would have to be held in memory.
func (s *Site) etag(c *fiber.Ctx) error {
	if err := c.Next(); err != nil || c.Cookies(s.sessionCookie()) != "" || c.Response().StatusCode() != fiber.StatusOK {
		return err
	}
	body := c.Response().Body()
	if len(body) == 0 {
		return nil
	}
	tag := `"` + strconv.Itoa(len(body)) + "-" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 36) + `"`
	c.Set(fiber.HeaderETag, "W/"+tag)
	for known := range strings.SplitSeq(c.Get(fiber.HeaderIfNoneMatch), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == tag {
			c.Context().ResetBody()
			c.Status(fiber.StatusNotModified)
		}
	}
	return nil
}
