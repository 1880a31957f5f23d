package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// Clock is the database's clock, by which all processes plan, wait and end: a machine's own may be
// wrong. It is also the queue's (rivertype.TimeGenerator).
type Clock struct {
	outbox outbox.Outbox
	log    *slog.Logger
	ahead  atomic.Int64 // of this machine's clock, in nanoseconds
	wrong  atomic.Bool
}

// Ask sets the clock anew and says when a machine's own becomes wrong or right again.
func (c *Clock) Ask(ctx context.Context) (now time.Time, err error) {
	now, ahead, err := c.outbox.Clock(ctx)
	if err != nil {
		return now, err
	}
	c.learn(ahead)
	return now, nil
}

func (c *Clock) learn(ahead time.Duration) {
	c.ahead.Store(int64(ahead))
	switch wrong := domain.ClockWrong(ahead); {
	case !c.wrong.CompareAndSwap(!wrong, wrong):
	case wrong:
		c.log.Error("this machine's clock is not the database's: until it is set right, this process plans no run", "ahead", ahead.Round(time.Second))
	default:
		c.log.Info("this machine's clock is right again: this process plans runs")
	}
}

// Now is the database's time as of the last Ask.
func (c *Clock) Now() time.Time { return time.Now().Add(-c.Ahead()) }

// NowOrNil tells the queue to leave now() to the database.
func (*Clock) NowOrNil() *time.Time { return nil }

// Ahead is how far this machine's clock is ahead of the database's; behind is negative.
func (c *Clock) Ahead() time.Duration { return time.Duration(c.ahead.Load()) }

// Wrong tells that this machine's clock is so far off that this process plans nothing.
func (c *Clock) Wrong() bool { return c.wrong.Load() }

// here is what this machine's clock shows when the database's shows that time, nil for nil.
func (c *Clock) here(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	local := at.Add(c.Ahead())
	return &local
}
