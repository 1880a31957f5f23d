package jobs

import (
	"context"
	"fmt"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
)

// DeliverOne hands over a single letter on a connection of its own, for system mail. Its error
// says what the server answered when it did not take the letter.
func DeliverOne(ctx context.Context, server smtp.Server, from, to string, letter []byte) error {
	conn, err := smtp.Dial(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Envelope(from, to, len(letter))
	answer, ok := conn.Ready(ctx)
	if ok {
		conn.Letter(letter)
		answer = conn.Result(ctx)
	}
	if answer.Verdict() != domain.Accepted {
		return fmt.Errorf("%s: %s", answer.Stage, answer)
	}
	return nil
}
