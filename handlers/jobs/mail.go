package jobs

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/jobs/engine"
)

// MailWorker writes system emails and hands them to Deliver.
type MailWorker struct {
	river.WorkerDefaults[domain.MailJob]
	engine.Settings
	DB      *db.DB
	Deliver func(ctx context.Context, from, to string, email []byte) error
}

// Work implements river.Worker. A refusal for good ends the job; its answer stays with it for whoever
// is asked where the email is.
func (w *MailWorker) Work(ctx context.Context, job *river.Job[domain.MailJob]) error {
	if job.Args.Email == domain.MailSignup {
		return w.askSignup(ctx, job)
	}
	reader, err := w.reader(ctx, &job.Args)
	if domain.KindOf(err) == domain.NotFound {
		return nil // there never was one, or it is deleted
	}
	if err != nil {
		return err
	}
	write := w.notice
	switch job.Args.Email {
	case domain.MailTest:
		write = w.test
	case domain.MailMonthly:
		write = w.monthly
	}
	bytes, err := write(ctx, job, reader)
	switch {
	case domain.KindOf(err) == domain.NotFound:
		return nil // the message was deleted meanwhile
	case domain.KindOf(err) == domain.Invalid:
		return river.JobCancel(err) // no try will ever write it
	case err != nil:
		return err
	}
	return w.deliver(ctx, job, reader, bytes)
}

// deliver hands an email over.
func (w *MailWorker) deliver(ctx context.Context, job *river.Job[domain.MailJob], reader domain.User, bytes []byte) error {
	err := w.Deliver(ctx, w.From.Address, reader.Email, bytes)
	if refusal, ok := errors.AsType[*undelivered](err); ok && refusal.answer.Status() == domain.Failed {
		w.Log.Warn("a system email was refused for good", "job", job.ID, "email", job.Args.Email, "answer", refusal.answer)
		return river.JobCancel(unnamed(err, reader))
	}
	return unnamed(err, reader)
}

// unnamed is the error without the address, which servers repeat: errors stay readable with the job.
func unnamed(err error, reader domain.User) error {
	if err == nil || !strings.Contains(err.Error(), reader.Email) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), reader.Email, "..."))
}

// reader is whom the email is for. A registration of an address that has an account is told to the
// account's owner.
func (w *MailWorker) reader(ctx context.Context, job *domain.MailJob) (domain.User, error) {
	if job.EmailChangeID != 0 {
		return w.mover(ctx, job)
	}
	if job.SenderID != 0 {
		return w.mailboxOf(ctx, job.SenderID)
	}
	if job.RegistrationID == 0 {
		return w.DB.Users().Get(ctx, job.UserID)
	}
	registration, err := w.DB.Registrations().Get(ctx, job.RegistrationID)
	if err != nil {
		return domain.User{}, err
	}
	user, err := w.DB.Users().ByEmail(ctx, registration.Email)
	switch {
	case err == nil:
		job.Email = domain.MailKnown
		return user, nil
	case domain.KindOf(err) != domain.NotFound:
		return domain.User{}, err
	}
	registration.Name = "" // a stranger may have typed it to put words into our email
	return registration.User("", time.Time{}), nil
}

// mover is who wants another address, at the old one or at the new. An address that has an account hears of
// it as if somebody had registered it.
func (w *MailWorker) mover(ctx context.Context, job *domain.MailJob) (domain.User, error) {
	change, err := w.DB.EmailChanges().Get(ctx, job.EmailChangeID)
	if err != nil {
		return domain.User{}, err
	}
	user, err := w.DB.Users().Get(ctx, change.UserID)
	if err != nil || job.Email == domain.MailOldEmail {
		return user, err
	}
	other, err := w.DB.Users().ByEmail(ctx, change.Email)
	switch {
	case err == nil && other.ID != user.ID:
		job.Email = domain.MailKnown
		return other, nil
	case err != nil && domain.KindOf(err) != domain.NotFound:
		return domain.User{}, err
	}
	user.Name, user.Email = "", change.Email // a stranger may have chosen the name
	return user, nil
}

// mailboxOf is who has the mailbox of a sender, whom nobody knows. A mailbox that is confirmed meanwhile is
// asked no more.
func (w *MailWorker) mailboxOf(ctx context.Context, id int64) (domain.User, error) {
	sender, owner, err := w.DB.Senders().Asked(ctx, id)
	if err == nil && sender.Confirmed() {
		err = domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return domain.User{Email: sender.Email, Language: owner.Language}, err
}

// words are what the texts of an email name: who wants to write from the mailbox of a sender, or what goes out when.
func (w *MailWorker) words(ctx context.Context, job domain.MailJob, reader domain.User) ([]any, error) {
	switch {
	case job.SenderID != 0:
		_, owner, err := w.DB.Senders().Asked(ctx, job.SenderID)
		return []any{"Owner", owner.Email}, err
	case job.Email == domain.MailRotation:
		m, err := w.DB.Mailings().Get(ctx, reader.ID, job.MailingID)
		return []any{"Name", m.Name, "Messages", len(m.MessageIDs)}, err
	case job.Email == domain.MailNotice:
		return w.noticeWords(ctx, job, reader)
	}
	return nil, nil
}

// notice writes an email of the program itself.
func (w *MailWorker) notice(ctx context.Context, job *river.Job[domain.MailJob], reader domain.User) ([]byte, error) {
	link, err := w.link(ctx, job, reader)
	if err != nil {
		return nil, err
	}
	words, err := w.words(ctx, job.Args, reader)
	if err != nil {
		return nil, err
	}
	say := func(part string) string {
		return w.Translate(reader.Language, "account.mail_"+string(job.Args.Email)+"_"+part, words...)
	}
	paragraphs := []string{say("text")}
	if reader.Name != "" {
		paragraphs = []string{w.Translate(reader.Language, "account.mail_hello", "Name", reader.Name), say("text")}
	}
	return email.Notice{
		Subject: say("subject"), Paragraphs: paragraphs, ButtonText: say("button"), ButtonURL: w.BaseURL + link,
		FooterText: say("footer"), Language: reader.Language, From: w.From,
		To:        mail.Address{Name: reader.Name, Address: reader.Email},
		MessageID: w.messageID(), Date: time.Now().UTC(), Signer: w.Signer,
	}.Bytes()
}

// link is the path behind the email's button.
func (w *MailWorker) link(ctx context.Context, job *river.Job[domain.MailJob], reader domain.User) (string, error) {
	switch job.Args.Email {
	case domain.MailVerify:
		return w.token(ctx, "/verify/", job, job.Args.RegistrationID, domain.TokenVerify)
	case domain.MailReset:
		return w.token(ctx, "/password/reset/", job, reader.ID, domain.TokenReset)
	case domain.MailOldEmail:
		return w.token(ctx, "/account/email/", job, job.Args.EmailChangeID, domain.TokenOldEmail)
	case domain.MailNewEmail:
		return w.token(ctx, "/account/email/", job, job.Args.EmailChangeID, domain.TokenNewEmail)
	case domain.MailSender:
		return w.token(ctx, "/senders/confirm/", job, job.Args.SenderID, domain.TokenSender)
	case domain.MailKnown:
		return "/login", nil
	case domain.MailRotation:
		return fmt.Sprintf("/mailings/%d", job.Args.MailingID), nil
	case domain.MailNotice:
		return fmt.Sprintf("/mailings/%d/dates/%d", job.Args.MailingID, job.Args.OccurrenceNo), nil
	}
	return "", fmt.Errorf("unknown email %q", job.Args.Email)
}

// token is path with a secret of 32 bytes, of which only the hash is kept. It is the same at every try
// of a job. The job's time and person are in it, because numbers of jobs come again in a database that
// was restored.
func (w *MailWorker) token(ctx context.Context, path string, job *river.Job[domain.MailJob], id int64, purpose domain.TokenPurpose) (string, error) {
	mac := hmac.New(sha256.New, w.Secret)
	fmt.Fprintf(mac, "system email %d %d %s %d", job.ID, job.CreatedAt.UnixMicro(), purpose, id)
	secret := mac.Sum(nil)
	hash := sha256.Sum256(secret)
	err := w.DB.Tokens().Create(ctx, hash[:], id, purpose, time.Now())
	return path + base64.RawURLEncoding.EncodeToString(secret), err
}

// test writes a message as its clients would get it, but to its owner; its link to unsubscribe
// leads nowhere.
func (w *MailWorker) test(ctx context.Context, job *river.Job[domain.MailJob], owner domain.User) ([]byte, error) {
	message, err := w.DB.Messages().Get(ctx, owner.ID, job.Args.MessageID)
	if err != nil {
		return nil, err
	}
	to := email.Recipient{
		Email: owner.Email, Name: owner.Name, Date: time.Now().UTC(),
		MessageID: w.messageID(), UnsubscribeURL: w.BaseURL + "/unsubscribe/test",
	}
	if job.Args.ClientID != 0 {
		client, err := w.DB.Clients().Get(ctx, owner.ID, job.Args.ClientID)
		if err != nil {
			return nil, err
		}
		to.Name, to.Comment, to.Fields = client.FullName, client.Comment, client.Fields
		to.FirstName, to.LastName = client.Names()
	}
	language := domain.EmailLanguage(message.Language, message.Subject, message.Body, owner.Language)
	fields, err := w.DB.Fields().List(ctx, owner.ID)
	if err != nil {
		return nil, err
	}
	brand, err := w.DB.Brands().Get(ctx, owner.ID)
	if err != nil {
		return nil, err
	}
	brand.Reason = "" // the footer says that this is a test
	compiled, err := email.Compile(email.Source{
		Brand: brand, MediaURL: w.BaseURL + "/media/", ViewText: w.Translate(language, "recipients.view"),
		ViewURL: w.BaseURL + "/messages/" + strconv.FormatInt(message.ID, 10) + "/preview",
		Fields:  fields, Subject: message.Subject, Preheader: message.Preheader, Body: message.Body, Language: language,
		From:            mail.Address{Name: owner.SenderName(), Address: w.From.Address},
		ReplyTo:         mail.Address{Name: owner.SenderName(), Address: owner.Email},
		UnsubscribeText: w.Translate(language, "recipients.unsubscribe"),
		FooterText:      w.Translate(owner.Language, "messages.test_footer"),
		Signer:          w.Signer,
	})
	if err != nil {
		return nil, err
	}
	return compiled.Append(nil, to)
}

func (w *MailWorker) messageID() string {
	return "<" + strings.ToLower(rand.Text()) + "@" + email.Host(w.From.Address) + ">"
}
