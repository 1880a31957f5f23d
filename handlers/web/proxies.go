package web

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// proxy is a network of proxies whose forwarded headers count.
type proxy = netip.Prefix

func parseProxies(list []string) (proxies []proxy, err error) {
	for _, text := range list {
		if address, err := netip.ParseAddr(text); err == nil {
			proxies = append(proxies, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no address and no network", text)
		}
		proxies = append(proxies, network)
	}
	return proxies, nil
}

func isProxy(proxies []proxy, address netip.Addr) bool {
	return slices.ContainsFunc(proxies, func(p proxy) bool { return p.Contains(address.Unmap()) })
}

// peer is the address at the other end of the connection.
func peer(c *fiber.Ctx) netip.Addr {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return address.Unmap()
}

// Remote is the machine that asks, behind the proxies that are trusted.
type Remote struct{ r *Request }

// Remote is who sent the request.
func (r *Request) Remote() Remote { return Remote{r} }

// trusts reports whether the forwarded headers of this request count.
func (m Remote) trusts() bool { return isProxy(m.r.Site.proxies, peer(m.r.Ctx)) }

// IP is the visitor's address: of X-Forwarded-For the last one that no trusted proxy has.
func (m Remote) IP() string {
	address := peer(m.r.Ctx)
	hops := strings.Split(m.r.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && isProxy(m.r.Site.proxies, address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address.String()
}

// Network is the network of the visitor's address, for which limits count: who has one address of it
// has the others, too.
func (m Remote) Network() string {
	address, _ := netip.ParseAddr(m.IP())
	return network(address).String()
}

// network is a /24, or of IPv6 a /64; the zero Prefix of no address.
func network(address netip.Addr) netip.Prefix {
	bits := 64
	if address = address.Unmap().WithZone(""); address.Is4() {
		bits = 24
	}
	prefix, _ := address.Prefix(bits)
	return prefix
}

// proxyHeader is what proxies add, one or the other.
var proxyHeader = regexp.MustCompile(`(?i)^(forwarded|via|x-forwarded.*|x-real-ip|true-client-ip|x-client-ip|x-cluster-client-ip|` +
	`x-original-.*|x-scheme|cf-.*|cdn-.*|x-envoy-.*|fastly-.*|x-amzn-.*|fly-.*|x-appengine-.*|x-azure-.*)$`)

// Local reports whether a browser on this machine asks for a site that is meant for this machine alone,
// with no proxy between.
func (m Remote) Local() bool {
	return peer(m.r.Ctx).IsLoopback() && isLoopback(m.r.Site.BaseURL.Hostname()) && isLoopback(hostname(string(m.r.Request().Host()))) && !m.proxied()
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// proxied reports whether a header says that somebody has passed the request on, as most proxies do.
func (m Remote) proxied() bool {
	for name := range m.r.Request().Header.All() {
		if proxyHeader.Match(name) {
			return true
		}
	}
	return false
}
