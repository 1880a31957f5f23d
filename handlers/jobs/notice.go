package jobs

import (
	"context"
	"strconv"
	"time"

	"skychimp/domain"
)

// noticeWords say what goes out within a day. A date that was skipped or has come meanwhile is told to nobody.
func (w *MailWorker) noticeWords(ctx context.Context, job domain.MailJob, owner domain.User) ([]any, error) {
	m, err := w.DB.Mailings().Get(ctx, owner.ID, job.MailingID)
	if err != nil {
		return nil, err
	}
	date, err := m.Date(job.OccurrenceNo)
	if err != nil {
		return nil, err
	}
	if date.Skipped || m.Paused() || m.Disabled() || !m.MayExcept(date.No, time.Now()) || owner.NoNotices {
		return nil, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	recipients, _, err := w.DB.Mailings().RecipientCount(ctx, m)
	if err != nil {
		return nil, err
	}
	return []any{"Name", m.Name, "When", w.dayOf(owner.Language, date.At.In(m.Schedule().Zone)), "Zone", m.Timezone, "Recipients", recipients - int(m.Holdout.Expected(int64(recipients)))}, nil
}

// dayOf writes a wall clock with its weekday.
func (w *MailWorker) dayOf(language string, at time.Time) string {
	return w.Translate(language, "time.day_year", "Weekday", w.Translate(language, "time.weekday_"+strconv.Itoa(int(at.Weekday()))), "Day", at.Day(),
		"Month", w.Translate(language, "time.long_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}
