package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/resolver"
)

// senderDomainsEvery is how often domains are looked for that wait for a look, which each does for senderDomainAge.
// A leader that restarts each day would else look at none, or at all of them again.
const (
	senderDomainsEvery = time.Hour
	senderDomainAge    = 24 * time.Hour
)

// SenderDomainsWorker looks whether the domains of senders are still set up.
type SenderDomainsWorker struct {
	river.WorkerDefaults[domain.SenderDomainsJob]
	DB  *db.DB
	DNS *resolver.Resolver
	Log *slog.Logger
}

// Timeout leaves room for domains whose servers don't answer; the next round goes on.
func (SenderDomainsWorker) Timeout(*river.Job[domain.SenderDomainsJob]) time.Duration {
	return 4 * time.Minute
}

// Work implements river.Worker.
func (w *SenderDomainsWorker) Work(ctx context.Context, _ *river.Job[domain.SenderDomainsJob]) error {
	ids, err := w.DB.Senders().Unchecked(ctx, time.Now().Add(-senderDomainAge))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.look(ctx, id); err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		}
	}
	return nil
}

func (w *SenderDomainsWorker) look(ctx context.Context, id int64) error {
	before, err := w.DB.Senders().Domain(ctx, id)
	if err != nil {
		return err
	}
	after, err := w.DB.Senders().Judge(ctx, id, w.DNS.Texts(ctx, before.Names()), time.Now())
	if err == nil && before.Green() && !after.Green() {
		w.Log.Warn("a domain that senders write from is no longer set up", "domain", after.Domain, "owner", after.OwnerID)
	}
	return err
}
