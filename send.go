package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"skychimp/db"
	"skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
	"skychimp/templates"
)

type sendCommand struct {
	Mailing int64 `placeholder:"ID" help:"Only this mailing, by its number."`
	DryRun  bool  `help:"Print what would be sent, to how many, and send nothing."`
	Force   bool  `help:"Make one run of --mailing now although it is not due."`
	Until   date  `placeholder:"DATE" help:"With --dry-run: print all that goes out up to this day (UTC), such as 2027-03-01."`
}

// date is a day as the command line has it.
type date struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *date) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%q is no day such as 2027-03-01", text)
	}
	return nil
}

// errUnsent makes the exit code 1: what went wrong has been printed.
var errUnsent = errors.New("not every email was accepted")

// errHeld makes the exit code 1: it is no wrong use, and cron should tell somebody.
var errHeld = errors.New("on hold: no email of a mailing leaves (see skychimp hold --help)")

// Run plans what is due, sends it and waits for the end.
func (s sendCommand) Run(p *program) error {
	if err := s.misused(); err != nil {
		return err
	}
	return p.withSending(func(database *database) error {
		hold, err := database.Installation().Hold(p.ctx)
		if err != nil || hold.On && !s.DryRun {
			return cmp.Or(err, errHeld)
		}
		now, ahead, err := database.outbox().Clock(p.ctx)
		if err != nil {
			return err
		}
		if domain.ClockWrong(ahead) && !s.DryRun {
			return clockError(ahead)
		}
		if !s.Until.IsZero() {
			return s.ahead(p, database, now)
		}
		mailings, err := s.mailings(p, database, now)
		if err != nil {
			return err
		}
		if s.DryRun {
			return s.forecast(p, database, mailings, now, hold)
		}
		if err := s.plan(p, database, mailings, now); err != nil {
			return err
		}
		runs, err := database.Runs().Unclosed(p.ctx, s.Mailing)
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			fmt.Fprintln(p.out, "Nothing is due.")
			return nil
		}
		return p.send(database, runs)
	})
}

// misused tells of options that don't go together.
func (s sendCommand) misused() error {
	if s.Force && s.Mailing == 0 {
		return misuse{errors.New("--force needs --mailing: it makes one mailing run now, such as skychimp send --mailing 7 --force")}
	}
	if !s.Until.IsZero() && (!s.DryRun || s.Force) {
		return misuse{errors.New("--until goes with --dry-run and without --force: it prints what goes out up to a day, such as skychimp send --dry-run --until 2027-03-01")}
	}
	return nil
}

// clockError says how far off this machine's clock is.
func clockError(ahead time.Duration) error {
	way := "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	return fmt.Errorf("this machine's clock is %v %s the database's: set it right, until then nothing is planned", ahead.Abs().Round(time.Second), way)
}

// mailings are the numbers of those to look at.
func (s sendCommand) mailings(p *program, database *database, now time.Time) ([]int64, error) {
	if err := s.fetch(p, database, now); err != nil {
		return nil, err
	}
	if s.Mailing == 0 {
		return database.outbox().Plans().Due(p.ctx, now)
	}
	_, err := database.Mailings().Get(p.ctx, 0, s.Mailing)
	if domain.KindOf(err) == domain.NotFound {
		return nil, misuse{fmt.Errorf("there is no mailing %d", s.Mailing)}
	}
	return []int64{s.Mailing}, err
}

// fetch asks the feeds of what is due: no run is made of a digest before.
func (s sendCommand) fetch(p *program, database *database, now time.Time) error {
	if s.Mailing == 0 {
		return p.feeds(database).Refresh(p.ctx, now)
	}
	err := p.feeds(database).One(p.ctx, s.Mailing, now)
	if domain.KindOf(err) == domain.NotFound {
		return nil // it is told below
	}
	return err
}

func (s sendCommand) forecast(p *program, database *database, mailings []int64, now time.Time, hold domain.Hold) error {
	if hold.On {
		fmt.Fprintln(p.out, "On hold: nothing of this is sent before skychimp hold off.")
	}
	due := 0
	for _, id := range mailings {
		f, ok, err := database.outbox().Plans().Forecast(p.ctx, id, now, s.Force)
		if err != nil {
			return refused(err)
		}
		if ok {
			due++
			fmt.Fprintf(p.out, "mailing %d %q: run of %s, %d recipients%s\n",
				id, f.Mailing.Name, f.At.UTC().Format(time.RFC3339), f.Recipients-f.Capped.LeftOut, capText(f.Capped.Waiting, f.Capped.LeftOut))
		}
	}
	list, err := series.In(database.DB).Outlooks(p.ctx, 0, now, now.Add(time.Second))
	if err != nil {
		return err
	}
	for _, one := range list {
		for _, step := range rules.ByDay(one.Expected, time.UTC) {
			if m := one.Series.Mailing; s.Mailing == 0 || s.Mailing == m.ID {
				due++
				fmt.Fprintf(p.out, "series %d %q, step %d: %d recipients\n", m.ID, m.Name, step.Step.Position, step.Emails)
			}
		}
	}
	if due == 0 {
		fmt.Fprintln(p.out, "Nothing is due.")
	}
	return nil
}

// ahead prints what goes out up to a day when nobody changes anything, to those who would get it today.
func (s sendCommand) ahead(p *program, database *database, now time.Time) error {
	mailings, err := database.Mailings().Next(p.ctx, 0, maxAhead)
	if err != nil {
		return err
	}
	if s.Mailing != 0 {
		mailings = slices.DeleteFunc(mailings, func(m domain.Mailing) bool { return m.ID != s.Mailing })
	}
	until := s.Until.AddDate(0, 0, 1)
	slots := domain.Ahead(mailings, now, until)
	lines, err := aheadLines(p.ctx, database, slots)
	if err != nil {
		return err
	}
	list, err := series.In(database.DB).Outlooks(p.ctx, 0, now, until)
	if err != nil {
		return err
	}
	for _, one := range list {
		for _, step := range rules.ByDay(one.Expected, time.UTC) {
			if m := one.Series.Mailing; s.Mailing == 0 || s.Mailing == m.ID {
				lines = append(lines, aheadLine{step.At, fmt.Sprintf("series %d %q, step %d", m.ID, m.Name, step.Step.Position), step.Emails, ""})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b aheadLine) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.text, b.text)) })
	emails := int64(0)
	for _, one := range lines {
		emails += one.emails
		fmt.Fprintf(p.out, "%s %s: %d recipients%s\n", one.at.UTC().Format(time.RFC3339), one.text, one.emails, one.capped)
	}
	fmt.Fprintf(p.out, "%d runs, %d emails\n", len(lines), emails)
	return nil
}

// aheadLines are the runs of mailings, with what the weekly limits of their owners hold back.
func aheadLines(ctx context.Context, database *database, slots []domain.Slot) (lines []aheadLine, err error) {
	byOwner := map[int64][]domain.Slot{}
	for _, slot := range slots {
		byOwner[slot.Mailing.OwnerID] = append(byOwner[slot.Mailing.OwnerID], slot)
	}
	for owner, theirs := range byOwner {
		user, err := database.Users().Get(ctx, owner)
		if err != nil {
			return nil, err
		}
		recipients, overlaps, err := database.Mailings().Audiences().Recipients(ctx, owner, domain.MailingsOf(theirs))
		if err != nil {
			return nil, err
		}
		waiting, leftOut := overlaps.Capped(theirs, user.WeeklyCap)
		for i, slot := range theirs {
			m := slot.Mailing
			lines = append(lines, aheadLine{slot.At, fmt.Sprintf("mailing %d %q", m.ID, m.Name), recipients[m.ID] - leftOut[i], capText(waiting[i], leftOut[i])})
		}
	}
	return lines, nil
}

// capText says what the weekly limit of an owner does to a run, "" for nothing.
func capText(waiting, leftOut int64) (text string) {
	if waiting > 0 {
		text += fmt.Sprintf(", %d of them wait for room in their week", waiting)
	}
	if leftOut > 0 {
		text += fmt.Sprintf(", %d more are left out by the weekly limit", leftOut)
	}
	return text
}

// aheadLine is a run of a mailing, or what goes out of a step of a series on one day.
type aheadLine struct {
	at     time.Time
	text   string
	emails int64
	capped string
}

// maxAhead is how many mailings a look ahead takes, the soonest.
const maxAhead = 100_000

func (s sendCommand) plan(p *program, database *database, mailings []int64, now time.Time) error {
	var whole []domain.Run
	for _, id := range mailings {
		run, ok, err := database.outbox().Plans().Make(p.ctx, id, now, s.Force)
		if err != nil {
			return refused(err)
		}
		if ok && run.PlanCursor == nil {
			whole = append(whole, run)
		}
	}
	steps, err := s.planSteps(p, database, now)
	if err != nil {
		return err
	}
	rest, err := database.outbox().Plans().Continue(p.ctx)
	for _, run := range slices.Concat(whole, steps, rest) {
		fmt.Fprintf(p.out, "mailing %d: run %d planned, %d recipients\n", run.MailingID, run.ID, run.Planned-run.Suppressed)
	}
	return err
}

// planSteps plans the steps of series that are due, of all or of the one that is wanted.
func (s sendCommand) planSteps(p *program, database *database, now time.Time) ([]domain.Run, error) {
	for moved := true; moved; {
		var err error
		if moved, err = series.In(database.DB).Move(p.ctx); err != nil {
			return nil, err
		}
	}
	steps, err := database.outbox().Series().Plan(p.ctx, now, s.Mailing)
	return steps, refused(err)
}

// refused tells a rule that was broken from something that failed.
func refused(err error) error {
	if kind := domain.KindOf(err); kind != 0 && kind != domain.Unavailable {
		return misuse{inEnglish(err)}
	}
	return err
}

// send starts the engine and waits until the runs have ended, or only wait for late retries.
func (p *program) send(database *database, runs []int64) error {
	texts, err := templates.LoadTexts()
	if err != nil {
		return err
	}
	w, err := p.startEngine(database, texts)
	if err != nil {
		return err
	}
	progress, err := p.watch(database, runs)
	if err := errors.Join(err, w.stop()); err != nil {
		return err
	}
	c := progress.Counts
	fmt.Fprintf(p.out, "%d accepted, %d failed, %d suppressed, %d expired, %d cancelled, %d open\n",
		c.Accepted, c.Failed, c.Suppressed, c.Expired, c.Cancelled, c.Open())
	if progress.Deferred > 0 {
		fmt.Fprintf(p.out, "%d deferred emails are tried again from %s on, by serve, worker or the next send.\n",
			progress.Deferred, progress.NextTryAt.UTC().Format(time.RFC3339))
	}
	if c.Failed > 0 || c.Open() > 0 {
		return errUnsent
	}
	return nil
}

// patience is how far away a retry may be to be waited for: the first comes after a minute.
const patience = 2 * time.Minute

// watch shows the progress until there is nothing to wait for.
func (p *program) watch(database *database, runs []int64) (db.Progress, error) {
	bar := newBar(p.out)
	defer bar.end()
	for {
		progress, err := database.Runs().Progress(p.ctx, runs)
		if p.ctx.Err() != nil {
			return progress, errors.New("stopped; serve, worker or the next send goes on")
		}
		if err != nil {
			return progress, err
		}
		bar.show(progress)
		if hold, err := database.Installation().Hold(p.ctx); err != nil || hold.On {
			return progress, cmp.Or(err, errHeld)
		}
		late := progress.Deferred > 0 && progress.Open() == progress.Deferred && time.Until(progress.NextTryAt) > patience
		if progress.Unclosed == 0 || late || progress.Paused == progress.Unclosed {
			return progress, nil
		}
		select {
		case <-p.ctx.Done():
		case <-time.After(bar.every):
		}
	}
}

// bar draws the progress: a bar that moves on a terminal, a line now and then elsewhere.
type bar struct {
	out   io.Writer
	width int // 0: no terminal
	every time.Duration
	last  string
}

func newBar(out io.Writer) *bar {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &bar{out: out, every: time.Second}
	}
	return &bar{out: out, width: 30, every: 100 * time.Millisecond}
}

func (b *bar) show(p db.Progress) {
	ended := p.Planned - p.Open()
	text := fmt.Sprintf("%d of %d: %d accepted, %d failed, %d deferred", ended, p.Planned, p.Accepted, p.Failed, p.Deferred)
	if p.Reason != "" {
		text += " (" + p.Reason + ")"
	}
	if text == b.last {
		return
	}
	b.last = text
	if b.width == 0 {
		fmt.Fprintln(b.out, text)
		return
	}
	done := int(int64(b.width) * ended / max(p.Planned, 1))
	fmt.Fprintf(b.out, "\r[%s%s] %s\x1b[K", strings.Repeat("#", done), strings.Repeat(".", b.width-done), text)
}

func (b *bar) end() {
	if b.width > 0 {
		fmt.Fprintln(b.out)
	}
}
