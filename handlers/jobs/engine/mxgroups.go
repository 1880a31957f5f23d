package engine

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// mxGroups tell which receiving domains are one: those whose mail goes to hosts of the same domain. DNS is asked behind the
// senders' back, and only about domains in which there is trouble; until it has answered, a domain stands for itself.
type mxGroups struct {
	lookup func(ctx context.Context, domain string) ([]*net.MX, error) // nil: every domain stands for itself
	asked  chan string

	mu    sync.Mutex
	known map[string]mxGroup
}

type mxGroup struct {
	name  string
	until time.Time
}

const (
	maxGroups  = 20_000
	groupFor   = time.Hour
	unknownFor = 5 * time.Minute // before DNS is asked again about what it had no answer to
	lookupTime = 10 * time.Second
	lookups    = 4 // at a time
)

func newMXGroups(lookup func(context.Context, string) ([]*net.MX, error)) *mxGroups {
	return &mxGroups{lookup: lookup, asked: make(chan string, 256), known: map[string]mxGroup{}}
}

// of is the group of an address.
func (g *mxGroups) of(address string) string {
	name := receivingDomain(address)
	if g.lookup == nil {
		return name
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	group, found := g.known[name]
	if found && time.Now().Before(group.until) {
		return group.name
	}
	if !found {
		group.name = name
	}
	select {
	case g.asked <- name:
		if len(g.known) >= maxGroups {
			clear(g.known)
		}
		group.until = time.Now().Add(lookupTime) // nobody asks twice meanwhile
		g.known[name] = group
	default: // many are asked about already
	}
	return group.name
}

func (g *mxGroups) run(ctx context.Context) {
	var all sync.WaitGroup
	for range lookups {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case name := <-g.asked:
					g.learn(name, g.find(ctx, name))
				}
			}
		})
	}
	all.Wait()
}

// find is the domain of the hosts that take a domain's mail, empty: nobody knows.
func (g *mxGroups) find(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	hosts, err := g.lookup(ctx, name)
	if err != nil || len(hosts) == 0 {
		return ""
	}
	best := slices.MinFunc(hosts, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	group, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(strings.TrimSuffix(best.Host, ".")))
	if err != nil {
		return ""
	}
	return group
}

func (g *mxGroups) learn(name, group string) {
	known := mxGroup{group, time.Now().Add(groupFor)}
	if group == "" {
		known = mxGroup{name, time.Now().Add(unknownFor)}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known[name] = known
}
