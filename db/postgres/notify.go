package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Notification tells every instance something when a transaction commits. Its payload is the value as
// JSON.
type Notification interface{ Channel() Channel }

// Channel of notifications; each carries one type.
type Channel string

// The channels.
const (
	ChannelRuns       Channel = "runs"
	ChannelSuppressed Channel = "suppressed"
	ChannelCache      Channel = "cache"
	ChannelSeries     Channel = "series"
)

// RunsChanged tells the engines that runs may be there to send, and, with a mailing or an owner, that
// the runs of that one may have to stop.
type RunsChanged struct {
	MailingID int64 `json:"mailing_id,omitempty"`
	OwnerID   int64 `json:"owner_id,omitempty"`
}

// NotifyRuns, in a statement, sends a RunsChanged that names nobody.
const NotifyRuns = `pg_notify('runs', '{}')`

// Channel implements Notification.
func (RunsChanged) Channel() Channel { return ChannelRuns }

// ClientSuppressed tells the engines that a client gets no more emails, or none of a topic.
type ClientSuppressed struct {
	ClientID int64 `json:"client_id"`
	TopicID  int64 `json:"topic_id,omitempty"`
}

// Channel implements Notification.
func (ClientSuppressed) Channel() Channel { return ChannelSuppressed }

// SeriesDue tells that somebody has come into a series, or that what was waited for in one has changed: a step may be due.
// The triggers of clients send it too.
type SeriesDue struct{}

// Channel implements Notification.
func (SeriesDue) Channel() Channel { return ChannelSeries }

// AllTopics stands for each topic of the caches.
const AllTopics = "all"

// CacheChanged tells the caches the version that a topic, or AllTopics, goes on with.
type CacheChanged struct {
	Topic   string `json:"topic"`
	Version string `json:"version"`
}

// NewCacheVersion makes the caches load a topic anew.
func NewCacheVersion(topic string) CacheChanged { return CacheChanged{topic, rand.Text()} }

// Channel implements Notification.
func (CacheChanged) Channel() Channel { return ChannelCache }

// Notify sends the notifications when the transaction commits.
func (tx Tx) Notify(ctx context.Context, notifications ...Notification) error {
	return notify(ctx, tx.Pgx, notifications...)
}

// NotifyOn sends the notifications at once.
func NotifyOn(ctx context.Context, conn *pgx.Conn, notifications ...Notification) error {
	return notify(ctx, conn, notifications...)
}

func notify(ctx context.Context, conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, notifications ...Notification) error {
	var channels, payloads []string
	for _, n := range notifications {
		payload, err := json.Marshal(n)
		if err != nil {
			return err
		}
		channels, payloads = append(channels, string(n.Channel())), append(payloads, string(payload))
	}
	_, err := conn.Exec(ctx, `SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS told (channel, payload)`, channels, payloads)
	return err
}

// Listen has the connection get what comes on the channels.
func Listen(ctx context.Context, conn *pgx.Conn, channels ...Channel) error {
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+string(channel)); err != nil {
			return err
		}
	}
	return nil
}

// WaitForNotification waits for the next notification on a connection that listens; one that is nothing
// we know is nil. When it has been quiet for long, it makes sure that the connection has not died without
// a word.
func WaitForNotification(ctx context.Context, conn *pgx.Conn, long time.Duration) (Notification, error) {
	for {
		quiet, cancel := context.WithTimeout(ctx, long)
		n, err := conn.WaitForNotification(quiet)
		timeout := quiet.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return parse(n), nil
		}
		if !timeout {
			return nil, err
		}
		ping, cancel := context.WithTimeout(ctx, time.Second)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}

// parse gives nil for what another version of the program may have sent.
func parse(n *pgconn.Notification) Notification {
	switch Channel(n.Channel) {
	case ChannelRuns:
		return read[RunsChanged](n.Payload)
	case ChannelSuppressed:
		return read[ClientSuppressed](n.Payload)
	case ChannelCache:
		return read[CacheChanged](n.Payload)
	case ChannelSeries:
		return SeriesDue{}
	}
	return nil
}

func read[N Notification](payload string) Notification {
	var n N
	if err := json.Unmarshal([]byte(payload), &n); err != nil {
		return nil
	}
	return n
}
