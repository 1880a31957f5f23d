package tracking

import (
	"encoding/base64"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	store "skychimp/db/tracking"
	"skychimp/domain"
	"skychimp/domain/tracking"
	"skychimp/handlers/web"
)

// Tracking answers the links and pictures of emails.
type Tracking struct {
	DB     *db.DB
	Visits *Recorder

	signers []*sync.Pool // of *domain.ReturnTokens, one for each secret

	mu    sync.RWMutex
	links map[int64]runLinks
}

// New takes the links that one of the secrets signs; an empty one signs none.
func New(d *db.DB, visits *Recorder, secrets ...[]byte) *Tracking {
	h := &Tracking{DB: d, Visits: visits}
	for _, secret := range secrets {
		if len(secret) > 0 {
			h.signers = append(h.signers, &sync.Pool{New: func() any { return domain.NewVisitTokens(secret) }})
		}
	}
	return h
}

// runLinks are the links of a run as they were read.
type runLinks struct {
	urls []string
	at   time.Time
}

// The links of so many runs are remembered, for so long: new ones come only while a run's first emails are made.
const maxRuns, freshFor = 500, time.Minute

// picture is a transparent GIF of one pixel.
var picture, _ = base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

// Quick answers what needs nothing that the site's other pages need: no session, no database, no page. All else goes on.
func (h *Tracking) Quick(c *fiber.Ctx) error {
	key, ok := h.keyOf(c)
	if !ok {
		return c.Next()
	}
	n := c.Params("n")
	if n == "" {
		return h.showPicture(c, key)
	}
	if known, fresh := h.known(key.RunID); fresh {
		if url, at := known.link(n); at > 0 {
			return h.leadOn(c, key, url, at)
		}
	}
	return c.Next()
}

// Click leads on to a link of an email: only to addresses that were kept with its run.
func (h *Tracking) Click(r *web.Request) error {
	key, ok := h.keyOf(r.Ctx)
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	links, err := h.linksOf(r, key.RunID)
	if err != nil {
		return err
	}
	url, n := links.link(r.Params("n"))
	if n == 0 {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return h.leadOn(r.Ctx, key, url, n)
}

// Open is the picture of an email.
func (h *Tracking) Open(r *web.Request) error {
	key, ok := h.keyOf(r.Ctx)
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return h.showPicture(r.Ctx, key)
}

func (h *Tracking) keyOf(c *fiber.Ctx) (key store.Key, ok bool) {
	token := c.Params("token")
	for _, pool := range h.signers {
		signer := pool.Get().(*domain.ReturnTokens)
		run, seq, signed := signer.Parse(token)
		pool.Put(signer)
		if signed {
			return store.Key{RunID: run, Seq: int32(seq)}, true
		}
	}
	return key, false
}

func (h *Tracking) leadOn(c *fiber.Ctx, key store.Key, url string, n int) error {
	h.add(c, key, n)
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return c.Redirect(url, fiber.StatusFound)
}

func (h *Tracking) showPicture(c *fiber.Ctx, key store.Key) error {
	h.add(c, key, 0)
	c.Set("Cross-Origin-Resource-Policy", "cross-origin") // mailboxes on the web show it
	c.Set(fiber.HeaderContentType, "image/gif")
	return c.Send(picture)
}

func (h *Tracking) add(c *fiber.Ctx, key store.Key, link int) {
	h.Visits.Add(key, tracking.Visit{At: time.Now(), Link: link, Program: tracking.IsProgram(c.Method(), c.Get(fiber.HeaderUserAgent))})
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Set("X-Robots-Tag", "noindex, nofollow")
}

// link is the one with the number, and the number; 0: there is none.
func (l runLinks) link(number string) (url string, n int) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(l.urls) {
		return "", 0
	}
	return l.urls[n-1], n
}

func (h *Tracking) known(run int64) (links runLinks, fresh bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	links, ok := h.links[run]
	return links, ok && time.Since(links.at) < freshFor
}

// linksOf asks the database once a minute for a run; while it is away, what was read before counts.
func (h *Tracking) linksOf(r *web.Request, run int64) (runLinks, error) {
	known, fresh := h.known(run)
	if fresh {
		return known, nil
	}
	urls, err := store.New(h.DB).Links(r.UserContext(), run)
	if err != nil && known.urls != nil {
		return known, nil
	} else if err != nil {
		return known, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.links) >= maxRuns || h.links == nil {
		h.links = map[int64]runLinks{}
	}
	h.links[run] = runLinks{urls, time.Now()}
	return h.links[run], nil
}
