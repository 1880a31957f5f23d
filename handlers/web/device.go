package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"skychimp/domain"
)

// A known device is a browser in which the user has signed in before. Its cookie signs nobody in: wrong
// passwords in it are counted apart, so that strangers can't lock its user out.

const deviceLife = 180 * 24 * time.Hour

// deviceCookie has the prefix of sessionCookie for the same reason.
func (s *Site) deviceCookie() string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-device"
	}
	return "device"
}

// Remember makes this browser known to the user.
func (b Browser) Remember(user domain.User) {
	body := binary.BigEndian.AppendUint64(nil, uint64(user.ID))
	body = binary.BigEndian.AppendUint64(body, uint64(time.Now().Add(deviceLife).Unix()))
	body = append(body, rand.Text()...)
	b.SetCookie(b.r.Site.deviceCookie(), base64.RawURLEncoding.EncodeToString(append(body, deviceMAC(b.r.Site.Secret, body)...)), deviceLife)
}

// Device names this browser when it is known to the user; ok is false else.
func (b Browser) Device(user domain.User) (name string, ok bool) {
	name, id := b.device()
	return name, id != 0 && id == user.ID
}

// device is the name of this browser and the user to whom it is known, 0: to none.
func (b Browser) device() (name string, user int64) {
	signed, err := base64.RawURLEncoding.DecodeString(b.r.Cookies(b.r.Site.deviceCookie()))
	if err != nil || len(signed) <= 16+sha256.Size {
		return "", 0
	}
	body, mac := signed[:len(signed)-sha256.Size], signed[len(signed)-sha256.Size:]
	right := hmac.Equal(mac, deviceMAC(b.r.Site.Secret, body)) ||
		b.r.Site.SecretOld != nil && hmac.Equal(mac, deviceMAC(b.r.Site.SecretOld, body))
	if !right || binary.BigEndian.Uint64(body[8:]) <= uint64(time.Now().Unix()) {
		return string(body), 0
	}
	return string(body), int64(binary.BigEndian.Uint64(body))
}

func deviceMAC(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("device\x00"))
	mac.Write(body)
	return mac.Sum(nil)
}
