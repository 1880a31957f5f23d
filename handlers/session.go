package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

const sessionKey = "session"

// sessionCookie: the prefix makes browsers refuse one that a neighbouring name or plain http
// has set.
func (s *Site) sessionCookie() string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-session"
	}
	return "session"
}

// identify finds out who asks. A visitor has no session, and the database is asked for none.
func (s *Site) identify(c *fiber.Ctx) error {
	path := c.Path()
	if strings.HasPrefix(path, "/static/") || path == "/healthz" || path == "/readyz" {
		return c.Next()
	}
	hash, ok := secretHash(c.Cookies(s.sessionCookie()))
	if !ok {
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Next()
	}
	user, err := s.DB.SessionUser(c.UserContext(), hash, time.Now())
	switch {
	case err == nil:
		s.setReader(c, user)
		c.Locals(sessionKey, hash)
		c.Set(fiber.HeaderCacheControl, "no-store")
	case domain.KindOf(err) == domain.NotFound:
		s.setCookie(c, s.sessionCookie(), "", -time.Hour)
	default:
		return err
	}
	return c.Next()
}

// signIn starts a session in this browser and ends the one it had.
func (s *Site) signIn(c *fiber.Ctx, user domain.User) error {
	now := time.Now()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	sum := sha256.Sum256(secret)
	if old, ok := secretHash(c.Cookies(s.sessionCookie())); ok {
		if err := s.DB.EndSession(c.UserContext(), old); err != nil {
			return err
		}
	}
	err := s.DB.StartSession(c.UserContext(), domain.Session{
		Hash: sum[:], UserID: user.ID, UserAgent: cut(c.Get(fiber.HeaderUserAgent), 300), IP: s.ip(c),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(domain.SessionLife),
	})
	if err != nil {
		return err
	}
	s.setReader(c, user)
	s.setCookie(c, languageCookie, user.Language, 365*24*time.Hour) // for pages that can't ask the database
	s.setCookie(c, s.sessionCookie(), base64.RawURLEncoding.EncodeToString(secret), domain.SessionLife)
	return nil
}

// signOut ends the session of this browser.
func (s *Site) signOut(c *fiber.Ctx) error {
	s.setCookie(c, s.sessionCookie(), "", -time.Hour)
	if hash, ok := c.Locals(sessionKey).([]byte); ok {
		return s.DB.EndSession(c.UserContext(), hash)
	}
	return nil
}

// secretHash is the SHA-256 of a secret of 32 bytes in base64url; only that is stored.
func secretHash(text string) (hash []byte, ok bool) {
	secret, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(secret) != 32 {
		return nil, false
	}
	sum := sha256.Sum256(secret)
	return sum[:], true
}

// cut shortens a text to at most max bytes of valid UTF-8.
func cut(text string, max int) string { return strings.ToValidUTF8(text[:min(len(text), max)], "") }
