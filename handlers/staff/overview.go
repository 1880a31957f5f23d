package staff

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/db/sums"
	"skychimp/domain"
	"skychimp/domain/result"
	"skychimp/handlers/checks"
	"skychimp/handlers/results"
	"skychimp/handlers/web"
)

// Overviews are what managers and admins see first.
type Overviews struct {
	DB       *db.DB
	Settings []checks.Setting // in force
}

// overviewView is the page staff/overview, and what the page staff/installation shows of it.
type overviewView struct {
	Numbers  []results.Figure
	Chart    web.Chart
	Watched  []ownerRow // who need a look
	Owners   []ownerRow // everybody else, by emails
	Mailings []worstRow
	Users    int64
	Admin    bool
}

// ownerRow is the block staff/owner: what an owner's emails came to in the last days.
type ownerRow struct {
	ID          int64
	Name, Email string
	Signs       []result.Sign
	result.Watched
	Refusal, Bounces, Left, Complaints string // rates
	Clients, Mailings                  int64
	LastSignIn                         web.Moment
	MayBlock                           bool
	Switch                             switchView
}

// worstRow is a mailing that needs a look.
type worstRow struct {
	ID          int64
	Name, Owner string
	result.Counts
	Refusal, Complaints string
	Switch              switchView
}

// overviewDays are in the chart.
const overviewDays = 30

// Overview is what a manager sees first.
func (h *Overviews) Overview(r *web.Request) error {
	view, err := h.overview(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "staff/overview", view)
}

func (h *Overviews) overview(r *web.Request) (view overviewView, err error) {
	local := time.Now().In(r.Viewer.Zone)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	period := result.Period{From: today.AddDate(0, 0, 1-overviewDays), To: today.AddDate(0, 0, 1)} // it is tomorrow for some
	found, err := sums.New(h.DB).Overview(r.UserContext(), period)
	if err != nil {
		return view, err
	}
	worst, err := sums.New(h.DB).Worst(r.UserContext(), period)
	if err != nil {
		return view, err
	}
	view = overviewView{Numbers: results.Figures(r, found.Counts), Chart: results.EmailsChart(r, result.Period{From: period.From, To: today}, found.Days),
		Users: found.Users, Admin: r.Viewer.User.MayAdminister()}
	for _, one := range found.Owners {
		row := newOwnerRow(r, one)
		if len(row.Signs) > 0 {
			view.Watched = append(view.Watched, row)
		} else {
			view.Owners = append(view.Owners, row)
		}
	}
	for _, one := range worst {
		view.Mailings = append(view.Mailings, worstRow{ID: one.ID, Name: one.Name, Owner: one.OwnerName, Counts: one.Counts, Refusal: results.Percent(r, one.Refused()),
			Complaints: results.Percent(r, result.RateOf(one.Complained, one.Accepted)), Switch: switchView{Noun: "mailing", ID: one.ID, Name: one.Name, Alone: true,
				On: !one.DisabledAt.IsZero(), Reason: one.Reason, Since: r.Viewer.Moment(one.DisabledAt)}})
	}
	return view, nil
}

func newOwnerRow(r *web.Request, one sums.Owner) ownerRow {
	rate := func(n int64) string { return results.Percent(r, result.RateOf(n, one.Accepted)) }
	return ownerRow{ID: one.ID, Name: one.Name, Email: one.Email, Signs: one.Signs(), Watched: one.Watched, Refusal: results.Percent(r, one.Refused()),
		Bounces: rate(one.Bounced), Left: rate(one.Unsubscribed), Complaints: rate(one.Complained), Clients: one.Clients, Mailings: one.Mailings,
		LastSignIn: r.Viewer.Moment(one.LastSignIn), MayBlock: r.Viewer.User.MayBlock(domain.User{ID: one.ID, Role: one.Role}),
		Switch: switchView{Noun: "user", ID: one.ID, Name: one.Name, Alone: true, On: !one.BlockedAt.IsZero(), Reason: one.Reason, Since: r.Viewer.Moment(one.BlockedAt)}}
}

// installationView is the page staff/installation.
type installationView struct {
	overviewView
	LastTick, LeaderAt, OldestDue web.Moment
	Leader                        string
	Instances                     []instanceRow
	Queues                        []sums.Queue
	Tables                        []tableRow
	Size                          string
	Growth                        web.Chart
	Set, Defaults                 []checks.Setting
}

type instanceRow struct {
	ID          int64
	Seen, Still web.Moment
	Holds       int64
}

type tableRow struct {
	Name, Size string
	Rows       int64
}

// Installation is what an admin sees first.
func (h *Overviews) Installation(r *web.Request) error {
	overview, err := h.overview(r)
	if err != nil {
		return err
	}
	pulse, err := sums.New(h.DB).Pulse(r.UserContext())
	if err != nil {
		return err
	}
	view := installationView{overviewView: overview, LastTick: r.Viewer.Moment(pulse.LastTick), LeaderAt: r.Viewer.Moment(pulse.LeaderAt),
		OldestDue: r.Viewer.Moment(pulse.OldestDue), Leader: pulse.Leader, Queues: pulse.Queues, Size: size(r, pulse.Bytes)}
	for _, one := range pulse.Instances {
		view.Instances = append(view.Instances, instanceRow{one.ID, r.Viewer.Moment(one.SeenAt), r.Viewer.Moment(one.Still), one.Holds})
	}
	for _, one := range pulse.Tables {
		view.Tables = append(view.Tables, tableRow{one.Name, size(r, one.Bytes), one.Rows})
	}
	for _, one := range h.Settings {
		if one.Source == checks.FromEnvironment || one.Source == checks.Generated {
			view.Set = append(view.Set, one)
		} else {
			view.Defaults = append(view.Defaults, one)
		}
	}
	view.Growth = web.Chart{ID: "size", Title: r.Viewer.T("staff.disk"), Place: r.Viewer.T("results.step_day"), Line: true, Keys: []web.ChartKey{{Kind: "total", Label: r.Viewer.T("staff.megabytes")}}}
	for _, one := range pulse.Sizes {
		view.Growth.Columns = append(view.Growth.Columns, web.ChartColumn{Label: r.Viewer.DayMonth(one.Day), Numbers: []int64{one.Bytes >> 20}})
	}
	if len(view.Growth.Columns) < 2 {
		view.Growth.Columns = nil // nothing to compare
	}
	view.Growth.Draw()
	return r.Page(fiber.StatusOK, "staff/installation", view)
}

// size is a number of bytes in words.
func size(r *web.Request, bytes int64) string {
	if bytes < 10<<30 {
		return r.Viewer.T("staff.size_mb", "Size", strconv.FormatInt((bytes+1<<19)>>20, 10))
	}
	return r.Viewer.T("staff.size_gb", "Size", strconv.FormatInt((bytes+1<<29)>>30, 10))
}
