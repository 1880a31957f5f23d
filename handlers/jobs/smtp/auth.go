package smtp

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is what some servers still ask for
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"

	"skychimp/domain"
)

// mechanism answers the challenges of one way to sign in. With an initial response, the
// first answer goes out together with AUTH.
type mechanism struct {
	name    string
	initial bool
	respond func(s Server, step int, challenge []byte) []byte
}

// mechanisms in the order they are preferred: the channel is already encrypted or local.
var mechanisms = []mechanism{
	{"PLAIN", true, func(s Server, _ int, _ []byte) []byte { // RFC 4616
		return []byte("\x00" + s.User + "\x00" + s.Password)
	}},
	{"LOGIN", false, func(s Server, step int, _ []byte) []byte {
		if step == 0 {
			return []byte(s.User)
		}
		return []byte(s.Password)
	}},
	{"CRAM-MD5", false, func(s Server, _ int, challenge []byte) []byte { // RFC 2195
		mac := hmac.New(md5.New, []byte(s.Password))
		mac.Write(challenge)
		return []byte(s.User + " " + hex.EncodeToString(mac.Sum(nil)))
	}},
}

var errNoMechanism = errors.New("the server offers none of AUTH PLAIN, LOGIN and CRAM-MD5")

// signIn tries the mechanisms that the server offers, until one is known to it after all.
func (c *Conn) signIn() error {
	err := errNoMechanism
	// The code a server gives for a mechanism that it doesn't know.
	answer := domain.NewAnswer(domain.StageAuth, codeNoMechanism, "5.5.4 "+errNoMechanism.Error())
	for _, m := range mechanisms {
		if !slices.Contains(c.auth, m.name) {
			continue
		}
		code, words, cut := c.signInBy(m)
		switch {
		case cut == nil && code/100 == 2:
			return nil
		case cut != nil || code != codeNoMechanism:
			return c.fail(domain.StageAuth, code, words, cut)
		}
		err, answer = nil, domain.NewAnswer(domain.StageAuth, code, string(words))
	}
	return &Failure{c.over(answer), err}
}

const codeNoMechanism = 504 // RFC 4954 section 4

func (c *Conn) signInBy(m mechanism) (code int, words []byte, err error) {
	const maxSteps = 3
	c.out = append(c.out, "AUTH "+m.name...)
	step := 0
	if m.initial {
		c.out = base64.StdEncoding.AppendEncode(append(c.out, ' '), m.respond(c.server, 0, nil))
		step++
	}
	for ; ; step++ {
		c.out = append(c.out, '\r', '\n')
		code, words, err = c.ask(c.server.CommandTimeout)
		if err == nil && step == maxSteps && code/100 != 2 {
			err = errNotSMTP
		}
		if err != nil || code != 334 {
			return code, words, err
		}
		challenge, err := base64.StdEncoding.DecodeString(string(words))
		if err != nil { // some servers ask for LOGIN's user and password in plain words
			challenge = words
		}
		c.out = base64.StdEncoding.AppendEncode(c.out, m.respond(c.server, step, challenge))
	}
}
