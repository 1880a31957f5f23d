package smtptest

import (
	"crypto/hmac"
	"crypto/md5" // CRAM-MD5 is named after it
	"encoding/base64"
	"encoding/hex"
	"strings"

	"skychimp/domain"
)

func (s *session) mechanisms() string {
	if s.script.Mechanisms != "" {
		return s.script.Mechanisms
	}
	return "PLAIN LOGIN CRAM-MD5"
}

func (s *session) auth(args []string) bool {
	if len(args) == 0 || !strings.Contains(s.mechanisms(), args[0]) || len(s.script.Users) == 0 {
		return s.say("504 5.5.4 no such mechanism")
	}
	good := false
	switch args[0] {
	case "PLAIN":
		text := ""
		if len(args) > 1 {
			text = decode(args[1])
		} else {
			text = s.challenge("")
		}
		if parts := strings.Split(text, "\x00"); len(parts) == 3 {
			good = s.known(parts[1], parts[2])
		}
	case "LOGIN":
		user := s.challenge("Username:")
		good = s.known(user, s.challenge("Password:"))
	case "CRAM-MD5":
		const challenge = "<1.2@smtptest>"
		user, digest, _ := strings.Cut(s.challenge(challenge), " ")
		mac := hmac.New(md5.New, []byte(s.script.Users[user]))
		mac.Write([]byte(challenge))
		good = s.script.Users[user] != "" && digest == hex.EncodeToString(mac.Sum(nil))
	}
	answer := "535 5.7.8 wrong user or password"
	if good {
		answer = "235 2.7.0 welcome"
	}
	code := s.reply(domain.StageAuth, answer)
	s.authed = code == 235
	return code != 0
}

func (s *session) known(user, password string) bool {
	want, ok := s.script.Users[user]
	return ok && want == password
}

func (s *session) challenge(text string) string {
	s.say("334 " + base64.StdEncoding.EncodeToString([]byte(text)))
	line, ok := s.line()
	if !ok {
		return ""
	}
	return decode(string(line))
}

func decode(text string) string {
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(plain)
}
