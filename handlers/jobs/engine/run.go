package engine

import (
	"strings"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain/email"
)

// sendingRun is a run with emails in hand.
type sendingRun struct {
	outbox.SendingRun
	template *email.Template
	suffix   string                    // domain.RunSuffix
	tracked  bool                      // its emails carry a token of visits
	halted   atomic.Bool               // no data may end any more
	end      atomic.Pointer[time.Time] // of this machine's clock, after which none may either; nil: no end is known
	batches  int                       // fetched and not done; guarded by the queue

	refusals refusals
}

// over tells that no data may end any more, because the run was halted or has reached its end.
func (r *sendingRun) over() bool {
	end := r.end.Load()
	return r.halted.Load() || end != nil && !time.Now().Before(*end)
}

// receivingDomain of an address.
func receivingDomain(address string) string { return strings.ToLower(email.Host(address)) }
