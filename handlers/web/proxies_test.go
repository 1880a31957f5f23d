package web

import (
	"net"
	"net/url"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skychimp/templates"
)

// Anybody but a trusted proxy can write anything into the header.
func TestForwardedAddresses(t *testing.T) {
	tests := []struct {
		peer, forwarded, ip string
		trusted, local      bool
	}{
		{"192.0.2.1", "", "192.0.2.1", false, false},
		{"192.0.2.1", "198.51.100.7", "192.0.2.1", false, false},
		{"10.0.0.1", "198.51.100.7", "198.51.100.7", true, false},
		{"10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7", true, false},
		{"10.0.0.1", "1.1.1.1, 198.51.100.7, 10.2.3.4", "198.51.100.7", true, false},
		{"10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1", true, false},
		{"10.0.0.1", "", "10.0.0.1", true, false},
		{"::1", "", "::1", false, true},
		{"127.0.0.1", "", "127.0.0.1", false, true},
		{"127.0.0.1", "198.51.100.7", "127.0.0.1", false, false}, // a proxy here that nobody told us of
	}
	proxies, err := parseProxies([]string{"10.0.0.1", "10.2.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	config := Config{BaseURL: &url.URL{Scheme: "http", Host: "localhost:8000"}}
	s, app := &Site{Config: config, proxies: proxies, Templates: &templates.Set{}}, fiber.New()
	for _, test := range tests {
		request := &fasthttp.RequestCtx{}
		request.Request.SetHost("localhost:8000")
		request.SetRemoteAddr(&net.TCPAddr{IP: net.ParseIP(test.peer), Port: 1})
		c := app.AcquireCtx(request)
		if test.forwarded != "" {
			c.Request().Header.Set(fiber.HeaderXForwardedFor, test.forwarded)
		}
		remote := s.Request(c).Remote()
		if remote.IP() != test.ip || remote.trusts() != test.trusted || remote.Local() != test.local {
			t.Errorf("%+v: ip %s, trusted %v, local %v", test, remote.IP(), remote.trusts(), remote.Local())
		}
		app.ReleaseCtx(c)
	}
	if _, err := parseProxies([]string{"proxy.example"}); err == nil {
		t.Error("a name is taken for a network")
	}
}
