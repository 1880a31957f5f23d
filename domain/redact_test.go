package domain

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://me:hush@h:5432/db":          "postgres://***@h:5432/db",
		"postgres://me:hu@sh@h/db?sslmode=no":   "postgres://***@h/db?sslmode=no",
		"postgres://me:hu/sh@h/db":              "postgres://***@h/db",
		"postgres://me:hu?sh#@h/db":             "postgres://***@h/db",
		"me:hush@h/db":                          "***@h/db",
		"postgres:/me:hush@h/db":                "***@h/db",
		"postgres//me:hush@h/db":                "***@h/db",
		"://me:hush@h/db":                       "://***@h/db",
		"me:hush://x@h":                         "***@h",
		"postgres://me:hush/db":                 "postgres://***",
		"me:hush":                               "***",
		"host=h user=me password=hush":          "*** *** ***",
		"postgres://h/db?user=me&password=hush": "postgres://h/db?user=me&password=***",
		"redis://:hush@h:6379/x":                "redis://***@h:6379/x",
		"smtp://me:hush@h smtp://me:hush@i":     "smtp://***@h smtp://***@i",
		"smtp://me:hu sh@h?tls=x":               "smtp://*** ***@h?tls=x",
		"s3://b?region=x&secret_key=hush":       "s3://b?region=x&secret_key=***",
		"http://h":                              "http://h",
		"h:6379":                                "h:6379",
		"smtp://[::1]:25?conns=0":               "smtp://[::1]:25?conns=0",
		"/tmp":                                  "/tmp",
		"nonsense":                              "nonsense",
		"":                                      "",
	} {
		if got := Redact(text); got != want || strings.Contains(got, "hush") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
