package handlers

import (
	"fmt"
	"net/netip"
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

func (s *Site) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p proxy) bool { return p.Contains(address.Unmap()) })
}

// peer is the address at the other end of the connection.
func peer(c *fiber.Ctx) netip.Addr {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return address.Unmap()
}

// trusts tells whether the forwarded headers of this request count.
func (s *Site) trusts(c *fiber.Ctx) bool { return s.isProxy(peer(c)) }

// ip is the visitor's address: of X-Forwarded-For the last one that no trusted proxy has.
func (s *Site) ip(c *fiber.Ctx) string {
	address := peer(c)
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && s.isProxy(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address.String()
}

// isLocal tells whether a program on this machine asks, with no proxy between.
func (s *Site) isLocal(c *fiber.Ctx) bool {
	return peer(c).IsLoopback() && c.Get(fiber.HeaderXForwardedFor) == "" && c.Get("Forwarded") == ""
}
