package domain

import (
	"regexp"
	"strings"
)

// harmlessAddress is a host with a port and a path, or a path: nothing in it can be a password.
var harmlessAddress = regexp.MustCompile(`^([\pL\pN._-]+|\[[0-9a-fA-F:.]+\])?(:\d+)?(/[\w./~-]*)?$`)

// Redact hides what may be a password in addresses such as postgres://user:password@host/db, also in
// mistyped ones: several may stand with spaces between.
func Redact(text string) string {
	words := strings.Fields(text)
	for i, one := range words {
		words[i] = redactOne(one)
	}
	return strings.Join(words, " ")
}

func redactOne(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if ok && !strings.ContainsAny(scheme, ":@/=") {
		scheme += "://"
	} else {
		scheme, rest = "", text
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		scheme, rest = scheme+"***@", rest[at+1:]
	}
	address, query, asks := strings.Cut(rest, "?")
	if !harmlessAddress.MatchString(address) {
		return scheme + "***"
	}
	if asks {
		address += "?" + redactQuery(query)
	}
	return scheme + address
}

// redactQuery keeps the values of settings, such as tls=required, and hides those of secrets.
func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		for _, secret := range []string{"pass", "pw", "secret", "key", "token", "cred"} {
			if strings.Contains(strings.ToLower(name), secret) && value != "" {
				pairs[i] = name + "=***"
			}
		}
	}
	return strings.Join(pairs, "&")
}
