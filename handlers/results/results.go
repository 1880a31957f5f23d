// Package results shows what emails came to over a period.
package results

import (
	"bufio"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/db/sums"
	"skychimp/domain"
	"skychimp/domain/result"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Results shows what emails came to.
type Results struct{ DB *db.DB }

// resultsView is the page results/show.
type resultsView struct {
	web.Form
	From, To string
	Of       string // whose results these are, for paper
	Period   string // in words
	Mailing  string // 0: all
	Owner    int64  // 0: the viewer, or everybody for a manager
	Mailings []templates.Option
	Periods  []link
	Query    string // of this page, for its files

	Total    result.Counts
	Numbers  []Figure
	Chart    web.Chart
	Growth   *growthView // nil: of one mailing, or of everybody
	Best     string
	Worst    string
	Tables   []table
	Weekdays web.Chart
	Hours    web.Chart
}

type link struct {
	Label, Href string
	Current     bool
}

// Figure is one of the large numbers.
type Figure struct {
	Label string
	N     int64
	Rate  string // "" where there is none
}

// request is what a request asks for. Whoever oversees all may choose an owner.
func (h *Results) request(r *web.Request) (f sums.Filter, err error) {
	f.Owner = r.OwnerID()
	if f.Owner == 0 {
		f.Owner = int64(r.QueryInt("owner"))
	}
	f.Mailing = int64(max(0, r.QueryInt("mailing")))
	f.Period, err = result.NewPeriod(r.Query("from"), r.Query("to"), time.Now().In(r.Viewer.Zone))
	return f, err
}

// Show shows the results of a period.
func (h *Results) Show(r *web.Request) error {
	f, refusal := h.request(r)
	view := &resultsView{From: r.Query("from"), To: r.Query("to"), Mailing: strconv.FormatInt(f.Mailing, 10), Of: r.Viewer.User.Name}
	if r.OwnerID() == 0 {
		view.Owner = f.Owner
		if f.Owner != 0 {
			owner, err := h.DB.Users().Get(r.UserContext(), f.Owner)
			if err != nil {
				return err
			}
			view.Of = owner.Name
		} else {
			view.Of = r.Viewer.T("results.everybody")
		}
	}
	if refusal == nil {
		view.From, view.To, view.Period = f.From.Format(time.DateOnly), f.To.Format(time.DateOnly), periodWords(r, f.Period)
	}
	view.Query = f.Period.Query() + extra(f, r)
	if err := h.choices(r, f, view); err != nil {
		return err
	}
	if refusal == nil {
		if err := h.fill(r, f, view); err != nil {
			return err
		}
	}
	return r.Form(refusal, "results/show", view)
}

// extra is what an address has beside the period.
func extra(f sums.Filter, r *web.Request) (query string) {
	if f.Mailing != 0 {
		query = "&mailing=" + strconv.FormatInt(f.Mailing, 10)
	}
	if r.OwnerID() == 0 && f.Owner != 0 {
		query += "&owner=" + strconv.FormatInt(f.Owner, 10)
	}
	return query
}

// choices are the periods and mailings that can be asked for.
func (h *Results) choices(r *web.Request, f sums.Filter, view *resultsView) error {
	for _, one := range result.Offered(time.Now().In(r.Viewer.Zone)) {
		view.Periods = append(view.Periods, link{r.Viewer.T("results.period_" + one.Name), "/results?" + one.Query() + extra(f, r), one.Period == f.Period})
	}
	view.Mailings = []templates.Option{{Value: "0", Label: r.Viewer.T("results.all_mailings")}}
	if f.Owner == 0 {
		return nil
	}
	names, err := sums.New(h.DB).MailingNames(r.UserContext(), f.Owner)
	for _, one := range names {
		view.Mailings = append(view.Mailings, templates.Option{Value: strconv.FormatInt(one.ID, 10), Label: one.Name})
	}
	return err
}

func (h *Results) fill(r *web.Request, f sums.Filter, view *resultsView) error {
	all, err := sums.New(h.DB).Results(r.UserContext(), f)
	if err != nil {
		return err
	}
	view.Total = all.Total()
	view.Numbers = Figures(r, view.Total)
	view.Chart = EmailsChart(r, f.Period, all.Days)
	view.Weekdays, view.Hours = weekdaysChart(r, all), hoursChart(r, all)
	view.Tables = tables(r, f.Period, all)
	view.Best, view.Worst = compared(r, all)
	if f.Mailing == 0 && f.Owner != 0 {
		growth, err := sums.New(h.DB).Growth(r.UserContext(), f.Owner, f.Period)
		if err != nil {
			return err
		}
		view.Growth = newGrowth(r, f.Period, growth)
	}
	return nil
}

// Figures are the large numbers of a period.
func Figures(r *web.Request, c result.Counts) []Figure {
	list := []Figure{{r.Viewer.T("results.accepted"), c.Accepted, Percent(r, result.RateOf(c.Accepted, c.Accepted+c.Failed))},
		{r.Viewer.T("results.failed"), c.Failed, Percent(r, c.Refused())}, {r.Viewer.T("results.bounced"), c.Bounced, Percent(r, result.RateOf(c.Bounced, c.Accepted))},
		{r.Viewer.T("results.unsubscribed"), c.Unsubscribed, Percent(r, result.RateOf(c.Unsubscribed, c.Accepted))},
		{r.Viewer.T("results.complained"), c.Complained, Percent(r, result.RateOf(c.Complained, c.Accepted))}}
	if c.Tracked() {
		list = append(list, Figure{r.Viewer.T("results.clicked"), c.Clicked, Percent(r, result.RateOf(c.Clicked, c.Accepted))},
			Figure{r.Viewer.T("results.opened"), c.Opened, Percent(r, result.RateOf(c.Opened, c.Accepted))})
	}
	return list
}

// Percent is a rate in words, "" when it is none.
func Percent(r *web.Request, rate result.Rate) string {
	if !rate.Known {
		return ""
	}
	return r.Viewer.T("results.percent", "Whole", strconv.FormatInt(rate.PerMille/10, 10), "Part", strconv.FormatInt(rate.PerMille%10, 10))
}

// periodWords is a period in words.
func periodWords(r *web.Request, p result.Period) string {
	return r.Viewer.T("results.period", "From", dayWords(r, p.From), "To", dayWords(r, p.To))
}

func dayWords(r *web.Request, at time.Time) string {
	return r.Viewer.T("results.day", "Day", at.Day(), "Month", r.Viewer.T("time.month_"+at.Format("01")), "Year", at.Format("2006"))
}

// compared are the mailings that went best and worst, "" when there is nothing to compare.
func compared(r *web.Request, all sums.Results) (best, worst string) {
	clicks := all.Total().Clicked > 0
	var first, last *sums.Mailing
	for i := range all.Mailings {
		one := &all.Mailings[i]
		if one.Accepted < result.Least {
			continue
		}
		if first == nil || result.Better(one.Counts, first.Counts, clicks) {
			first = one
		}
		if last == nil || result.Better(last.Counts, one.Counts, clicks) {
			last = one
		}
	}
	if first == nil || first == last || !result.Better(first.Counts, last.Counts, clicks) {
		return "", ""
	}
	say := func(key string, one *sums.Mailing) string {
		if clicks {
			return r.Viewer.T("results."+key+"_clicked", "Name", one.Name, "Rate", Percent(r, result.RateOf(one.Clicked, one.Accepted)))
		}
		return r.Viewer.T("results."+key+"_lost", "Name", one.Name, "Rate", Percent(r, result.RateOf(one.Lost(), one.Accepted)))
	}
	return say("best", first), say("worst", last)
}

// File is one of the tables as CSV, with a byte order mark for spreadsheets.
func (h *Results) File(r *web.Request) error {
	f, err := h.request(r)
	if err != nil {
		return err
	}
	all, err := sums.New(h.DB).Results(r.UserContext(), f)
	if err != nil {
		return err
	}
	name := r.Query("table", "days")
	if name == "mailings" && all.Mailings == nil {
		if all.Mailings, _, err = sums.New(h.DB).Mailings(r.UserContext(), f); err != nil {
			return err
		}
	}
	rows, known := csvRows(r, name, f, all)
	if name == "clients" && f.Owner != 0 {
		growth, err := sums.New(h.DB).Growth(r.UserContext(), f.Owner, f.Period)
		if err != nil {
			return err
		}
		rows, known = growthRows(f.Period, growth), true
	}
	if !known {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	r.Attachment("skychimp-results-" + name + ".csv")
	r.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	return r.Stream(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff")
		for _, row := range rows {
			_, _ = out.WriteString(domain.CSVRow(row...))
		}
		_ = out.Flush()
	})
}
