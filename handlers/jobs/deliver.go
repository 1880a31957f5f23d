package jobs

import (
	"context"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
)

// undelivered is an email that no server took.
type undelivered struct{ answer domain.Answer }

func (u *undelivered) Error() string { return string(u.answer.Stage) + ": " + u.answer.String() }

// DeliverOne hands over a single email on a connection of its own, for system mail, to the
// first of the servers that lets it in. Its error says what was answered when none took it.
func DeliverOne(ctx context.Context, servers []smtp.Server, from, to string, email []byte) error {
	var conn *smtp.Conn
	var err error
	for _, server := range servers {
		if conn, err = smtp.Dial(ctx, server); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Envelope(from, to, len(email), "")
	answer, ok := conn.Ready(ctx)
	if ok {
		conn.Email(email)
		answer = conn.Result(ctx)
	}
	if answer.Status() != domain.Accepted {
		return &undelivered{answer}
	}
	return nil
}
