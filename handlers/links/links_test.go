package links

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/domain"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2a00:1450:4001:81b::200e": true,
		"127.0.0.1": false, "10.0.0.1": false, "172.16.3.4": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.1.1": false, "0.0.0.0": false,
		"0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "192.0.0.8": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "ff02::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::7f00:1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:0:1::1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(address).Unmap()); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	c := Checker{}
	for address, want := range map[string]bool{"8.8.8.8:443": true, "8.8.8.8:80": true, "8.8.8.8:25": false, "8.8.8.8:22": false, "[::ffff:127.0.0.1]:80": false, "127.0.0.1:80": false, "x": false} {
		if got := c.control("tcp", address, nil) == nil; got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// The answer of each link, in time, without a step into a network that isn't public.
func TestAsk(t *testing.T) {
	var asked atomic.Int32
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inside was asked") }))
	defer secret.Close()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		case "/guarded":
			w.WriteHeader(http.StatusForbidden)
		case "/inside":
			http.Redirect(w, r, secret.URL, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/slow":
			<-hang
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusMovedPermanently)
		}
	}))
	defer server.Close()
	defer close(hang)
	own := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://"))
	c := &Checker{Allow: func(at netip.AddrPort) bool { return at == own }}
	begun := time.Now()
	var list []string
	for _, path := range []string{"/ok", "/ok", "/gone", "/guarded", "/inside", "/round", "/slow", "/moved"} {
		list = append(list, server.URL+path)
	}
	answers := c.Ask(t.Context(), append(list, secret.URL, "http://no-such-host.invalid/", "http://127.0.0.1:1/"))
	if len(answers) != 10 || time.Since(begun) > allTake {
		t.Fatal(len(answers), time.Since(begun))
	}
	want := map[string]domain.LinkAnswer{"/ok": {Status: 200}, "/gone": {Status: 404}, "/guarded": {Status: 403}, "/inside": {Problem: domain.LinkPrivate},
		"/round": {Status: 302}, "/slow": {Problem: domain.LinkSlow}, "/moved": {Status: 200}}
	for _, got := range answers {
		path, here := strings.CutPrefix(got.Address, server.URL)
		switch {
		case here && (got.Status != want[path].Status || got.Problem != want[path].Problem):
			t.Errorf("%s: %+v", path, got)
		case !here && !got.Dead():
			t.Errorf("%+v", got)
		case (got.Address == secret.URL || got.Address == "http://127.0.0.1:1/") && got.Problem != domain.LinkPrivate:
			t.Errorf("%+v", got)
		}
	}
	before := asked.Load()
	if c.Ask(t.Context(), list); asked.Load() != before {
		t.Error("asked again")
	}
	if got := c.Ask(t.Context(), make([]string, 1000)); len(got) > maxLinks {
		t.Error(len(got))
	}
}
