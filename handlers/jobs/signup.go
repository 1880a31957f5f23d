package jobs

import (
	"context"
	"net/mail"
	"time"

	"github.com/riverqueue/river"

	"skychimp/domain"
	"skychimp/domain/email"
)

// askSignup writes to the mailbox of a sign-up. Nothing that was typed stands in the email, nor what the owner has
// written about the form or in the brand: strangers can have it sent to anybody.
func (w *MailWorker) askSignup(ctx context.Context, job *river.Job[domain.MailJob]) error {
	q, wait, err := w.DB.Signups().Ask(ctx, job.Args.SignupID, time.Now())
	switch {
	case domain.KindOf(err) == domain.NotFound:
		return nil // confirmed or gone meanwhile, or the form is closed
	case err != nil:
		return err
	case wait > 0:
		return river.JobSnooze(wait)
	}
	from, signer := mail.Address{Name: q.From.Name, Address: w.From.Address}, w.Signer
	if q.From.DomainID != 0 {
		from.Address = q.From.Email
		if signer, err = w.SignerOf(q.Domain); err != nil {
			return err
		}
	}
	say := func(part string) string {
		return w.Translate(q.Language, "account.mail_signup_"+part, "Owner", q.From.Name)
	}
	bytes, err := email.Notice{
		Subject: say("subject"), Paragraphs: []string{say("text")}, ButtonText: say("button"),
		ButtonURL:  w.BaseURL + "/f/" + q.Token + "/confirm/" + q.Code(w.Secret),
		FooterText: say("footer"), Language: q.Language, Brand: q.Brand.Wordless(), MediaURL: w.BaseURL + "/media/", From: from,
		ReplyTo: mail.Address{Name: q.From.Name, Address: q.From.ReplyTo}, To: mail.Address{Address: q.Email},
		MessageID: w.messageID(), Date: time.Now().UTC(), Signer: signer,
	}.Bytes()
	if domain.KindOf(err) == domain.Invalid {
		return river.JobCancel(err)
	}
	if err != nil {
		return err
	}
	return w.deliver(ctx, job, domain.User{Email: q.Email}, bytes)
}
