package jobs

import (
	"context"
	"fmt"
	"net/mail"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db/sums"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/domain/result"
)

// monthly writes what the emails of an owner came to in a month: the numbers of the page that its button opens.
func (w *MailWorker) monthly(ctx context.Context, job *river.Job[domain.MailJob], owner domain.User) ([]byte, error) {
	month, err := time.Parse(time.DateOnly, job.Args.Month)
	if err != nil {
		return nil, fmt.Errorf("month: %w", err)
	}
	period := result.Period{From: month, To: month.AddDate(0, 1, -1)}
	all, err := sums.New(w.DB).Results(ctx, sums.Filter{Owner: owner.ID, Period: period})
	if err != nil {
		return nil, err
	}
	growth, err := sums.New(w.DB).Growth(ctx, owner.ID, period)
	if err != nil {
		return nil, err
	}
	say := func(part string, args ...any) string {
		return w.Translate(owner.Language, "results.monthly_"+part, args...)
	}
	name := w.Translate(owner.Language, "results.month", "Month", w.Translate(owner.Language, "time.name_"+month.Format("01")), "Year", month.Format("2006"))
	percent := func(n, of int64) string {
		rate := result.RateOf(n, of)
		return w.Translate(owner.Language, "results.percent", "Whole", strconv.FormatInt(rate.PerMille/10, 10), "Part", strconv.FormatInt(rate.PerMille%10, 10))
	}
	total, net := all.Total(), int64(0)
	for _, day := range growth.Days {
		net += day
	}
	paragraphs := []string{say("emails", "Accepted", total.Accepted, "Failed", total.Failed, "Rate", percent(total.Accepted, total.Accepted+total.Failed)),
		say("back", "Bounced", total.Bounced, "Unsubscribed", total.Unsubscribed, "Complained", total.Complained)}
	if len(all.Mailings) > 0 {
		paragraphs = append(paragraphs, say("most", "Name", all.Mailings[0].Name, "Accepted", all.Mailings[0].Accepted))
	}
	sign := ""
	if net > 0 {
		sign = "+"
	}
	paragraphs = append(paragraphs, say("list", "Now", growth.Now, "Sign", sign, "Net", net))
	return email.Notice{
		Subject: say("subject", "Month", name), Paragraphs: paragraphs, ButtonText: say("button"), ButtonURL: w.BaseURL + "/results?" + period.Query(),
		FooterText: say("footer", "Page", w.BaseURL+"/account"), Language: owner.Language, From: w.From, To: mail.Address{Name: owner.Name, Address: owner.Email},
		MessageID: w.messageID(), Date: time.Now().UTC(), Signer: w.Signer,
	}.Bytes()
}
