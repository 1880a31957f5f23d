// Package links asks whether the addresses in an email answer.
package links

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"skychimp/domain"
)

// What one question may take.
const (
	maxLinks    = 25
	atOnce      = 6
	oneTakes    = 5 * time.Second
	allTake     = 12 * time.Second
	maxHops     = 5
	maxHeader   = 64 << 10
	rememberFor = 10 * time.Minute
	remembered  = 2000
)

// Checker asks for links and remembers the answers for a while. Whatever a name resolves to, also behind a redirect, it
// connects to no address of this machine or of a private network, and to no port but those of the web.
type Checker struct {
	Allow func(netip.AddrPort) bool // for tests: what may be asked all the same

	once   sync.Once
	client *http.Client

	mu    sync.Mutex
	known map[string]answer
}

type answer struct {
	domain.LinkAnswer
	at time.Time
}

// errPrivate is why no connection was made.
var errPrivate = errors.New("not an address of the public internet")

// Ask is what the links answer, each once, in their order; of too many the first ones.
func (c *Checker) Ask(ctx context.Context, links []string) []domain.LinkAnswer {
	c.once.Do(c.prepare)
	links = slices.Clone(links)
	slices.Sort(links)
	links = slices.Compact(links)
	links = links[:min(len(links), maxLinks)]
	ctx, cancel := context.WithTimeout(ctx, allTake)
	defer cancel()
	answers := make([]domain.LinkAnswer, len(links))
	free := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, link := range links {
		asking.Go(func() {
			free <- struct{}{}
			answers[i] = c.ask(ctx, link)
			<-free
		})
	}
	asking.Wait()
	return answers
}

func (c *Checker) prepare() {
	c.known = map[string]answer{}
	dialer := &net.Dialer{Timeout: oneTakes, Control: c.control}
	c.client = &http.Client{
		Timeout: oneTakes,
		Transport: &http.Transport{ // no proxy: it would connect for us
			DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeader,
			TLSHandshakeTimeout: oneTakes, ResponseHeaderTimeout: oneTakes, DisableCompression: true,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > maxHops {
				return http.ErrUseLastResponse
			}
			next.Header.Del("Referer")
			return nil
		},
	}
}

// control sees the address that a name was resolved to, before anything is sent there.
func (c *Checker) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	if c.Allow != nil && c.Allow(at) || public(at.Addr().Unmap()) && (at.Port() == 80 || at.Port() == 443) {
		return nil
	}
	return errPrivate
}

// notPublic are networks that net/netip counts as global but that lead into somebody's own (RFC 6890, 6052, 3056, 4380).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && ip.Zone() == "" &&
		!slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func (c *Checker) ask(ctx context.Context, link string) domain.LinkAnswer {
	c.mu.Lock()
	known, ok := c.known[link]
	c.mu.Unlock()
	if ok && time.Since(known.at) < rememberFor {
		return known.LinkAnswer
	}
	got := c.fetch(ctx, link)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= remembered {
		clear(c.known)
	}
	c.known[link] = answer{got, time.Now()}
	return got
}

func (c *Checker) fetch(ctx context.Context, link string) domain.LinkAnswer {
	got := domain.LinkAnswer{Address: link}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		got.Problem = domain.LinkUnreachable
		return got
	}
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; SkyChimp link check)")
	request.Header.Set("Accept", "text/html,*/*")
	response, err := c.client.Do(request)
	if err != nil {
		got.Problem = problemOf(err)
		return got
	}
	response.Body.Close() // nothing of it is read
	got.Status = response.StatusCode
	return got
}

// Get fetches a page of the public internet, at most so many bytes.
func (c *Checker) Get(ctx context.Context, address string, most int64) ([]byte, error) {
	c.once.Do(c.prepare)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; SkyChimp feed reader)")
	request.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5")
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("%s sends more than %d bytes", request.URL.Host, most)
	}
	return body, err
}

func problemOf(err error) domain.LinkProblem {
	var noName *net.DNSError
	var noTrust *tls.CertificateVerificationError
	var wait net.Error
	switch {
	case errors.Is(err, errPrivate):
		return domain.LinkPrivate
	case errors.As(err, &noName) && noName.IsNotFound:
		return domain.LinkNoSuchSite
	case errors.As(err, &noTrust):
		return domain.LinkCertificate
	case errors.As(err, &wait) && wait.Timeout():
		return domain.LinkSlow
	}
	return domain.LinkUnreachable
}
