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
	DB                *db.DB
	Secret, SecretOld []byte // sign the links, and did before
	Visits            *Recorder

	mu    sync.Mutex
	links map[int64]runLinks
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

// Click leads on to a link of an email: only to addresses that were kept with its run.
func (h *Tracking) Click(r *web.Request) error {
	key, err := h.keyOf(r)
	if err != nil {
		return err
	}
	urls, err := h.linksOf(r, key.RunID)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.Params("n"))
	if err != nil || n < 1 || n > len(urls) {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	h.add(r, key, n)
	r.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return r.Ctx.Redirect(urls[n-1], fiber.StatusFound)
}

// Open is the picture of an email.
func (h *Tracking) Open(r *web.Request) error {
	key, err := h.keyOf(r)
	if err != nil {
		return err
	}
	h.add(r, key, 0)
	r.Set("Cross-Origin-Resource-Policy", "cross-origin") // mailboxes on the web show it
	r.Type("gif")
	return r.Send(picture)
}

func (h *Tracking) keyOf(r *web.Request) (store.Key, error) {
	run, seq, ok := domain.ParseVisitToken(r.Params("token"), h.Secret, h.SecretOld)
	if !ok {
		return store.Key{}, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return store.Key{RunID: run, Seq: int32(seq)}, nil
}

func (h *Tracking) add(r *web.Request, key store.Key, link int) {
	h.Visits.Add(key, tracking.Visit{At: time.Now(), Link: link, Program: tracking.IsProgram(r.Method(), r.Get(fiber.HeaderUserAgent))})
	r.Set(fiber.HeaderCacheControl, "private, no-store")
	r.Set("X-Robots-Tag", "noindex, nofollow")
}

// linksOf asks the database once a minute for a run; while it is away, what was read before counts.
func (h *Tracking) linksOf(r *web.Request, run int64) ([]string, error) {
	h.mu.Lock()
	known, ok := h.links[run]
	h.mu.Unlock()
	if ok && time.Since(known.at) < freshFor {
		return known.urls, nil
	}
	urls, err := store.New(h.DB).Links(r.UserContext(), run)
	if err != nil && ok {
		return known.urls, nil
	} else if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.links) >= maxRuns || h.links == nil {
		h.links = map[int64]runLinks{}
	}
	h.links[run] = runLinks{urls, time.Now()}
	return urls, nil
}
