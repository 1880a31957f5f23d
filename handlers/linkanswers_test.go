package handlers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/handlers/links"
)

// The links of a message are asked beside its form; what does not answer is named.
func TestLinkAnswers(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer shop.Close()
	own := netip.MustParseAddrPort(strings.TrimPrefix(shop.URL, "http://"))
	w := envOn(t, dbtest.New(t), func(c *Config) {
		c.Links = &links.Checker{Allow: func(at netip.AddrPort) bool { return at == own }}
	})
	ann, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	body := "[a](" + shop.URL + "/ok) [b](" + shop.URL + "/gone) [c](http://127.0.0.1:9/x)"
	m := w.message(t, ann.ID, "Hello", body)
	path := fmt.Sprint("/messages/", m.ID)
	b.get(path).is(t, 200, `hx-get="`+path+`/links"`)
	b.get(path+"/edit").is(t, 200, `hx-post="/messages/links"`)
	b.get(path+"/links").is(t, 200, "<html", shop.URL+"/gone answers with error 404", "http://127.0.0.1:9/x is inside a private network")
	if fragment := b.htmx().post("/messages/links", "body", body).is(t, 200, "/gone answers with error 404"); strings.Contains(fragment.body, "<html") || strings.Contains(fragment.body, "/ok") {
		t.Error(fragment.body)
	}
	b.htmx().post("/messages/links", "body", "[a]("+shop.URL+"/ok)").is(t, 200, "The link works.")
	b.htmx().post("/messages/links", "body", "[a](https://example.com) "+w.url+"/help").is(t, 200)
	other.get(path+"/links").is(t, 404)
}
