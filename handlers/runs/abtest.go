package runs

import (
	"math"
	"strconv"

	"skychimp/db"
	"skychimp/db/abtests"
	"skychimp/domain"
	"skychimp/domain/abtest"
	"skychimp/domain/trial"
	"skychimp/handlers/web"
)

// testView is the block runs/abtest: what came of the variants that a run was sent in, and which one the others get.
type testView struct {
	RunID         int64
	Rows          []variantRow
	Goal          string // what decides
	Clicks, Opens bool   // were tracked
	Verdict       []string
	Rest          int64  // how many wait, or got the best
	RestID        int64  // their run
	State         string // what becomes of them
	At            web.Moment
	Itself        string // what goes out by itself, and when that is not known yet
	ItselfAt      web.Moment
	Ask           bool // the viewer may decide
}

// variantRow is one variant.
type variantRow struct {
	Variant int
	Letter  string
	Subject string
	RunID   int64
	Here    bool // the page is of its run
	Chosen  bool
	abtest.Result
	Rate, Between string
	Send          string // the button
}

// Letter is how pages name a variant, from 1.
func Letter(variant int) string { return string(rune('A' + variant - 1)) }

func (h *Runs) testOf(r *web.Request, run domain.Run) (view testView, err error) {
	if run.ABTestID == 0 {
		return view, nil
	}
	test, err := abtests.New(h.DB).Get(r.UserContext(), run.ABTestID)
	if err != nil {
		return view, err
	}
	all, err := h.DB.Runs().OfTest(r.UserContext(), run.ABTestID)
	if err != nil || len(all) < 2 {
		return view, err
	}
	rest, variants := all[len(all)-1], all[:len(all)-1]
	view = testView{RunID: run.ID, Goal: r.Viewer.T("runs.ab_goal_" + string(test.Goal)), Clicks: run.TrackClicks, Opens: run.TrackOpens,
		Rest: rest.Planned - rest.Suppressed, RestID: rest.ID}
	view.Ask = rest.Undecided && rest.Status == domain.RunPaused && run.OwnerID == r.Viewer.User.ID && r.Viewer.User.MayOwn()
	var results []abtest.Result
	for _, one := range variants {
		result := one.Result()
		low, high := test.Goal.Group(result).Interval()
		view.Rows = append(view.Rows, variantRow{Variant: one.Variant, Letter: Letter(one.Variant), Subject: one.Subject, RunID: one.ID, Here: one.ID == run.ID,
			Chosen: test.Chosen == one.Variant, Result: result, Rate: percent(r, test.Goal.Group(result).Rate()), Between: between(r, low, high),
			Send: r.Viewer.TN("runs.ab_send", int(view.Rest), "Letter", Letter(one.Variant))})
		results = append(results, result)
	}
	verdict := test.Goal.Judge(results)
	view.Verdict = verdictWords(r, test.Goal, results, verdict)
	view.decided(r, test, rest, verdict)
	return view, nil
}

// percent is a rate in words, between two of them.
func percent(r *web.Request, share float64) string { return rate(r, 10*int(math.Round(1000*share))) }

func between(r *web.Request, low, high float64) string {
	return r.Viewer.T("runs.ab_between", "Low", points(r, low), "High", points(r, high))
}

// verdictWords say what the results say.
func verdictWords(r *web.Request, goal abtest.Goal, results []abtest.Result, v abtest.Verdict) (words []string) {
	var best, second, all trial.Group
	for i, one := range results {
		group := goal.Group(one)
		all.Came, all.Of = all.Came+group.Came, all.Of+group.Of
		switch i + 1 {
		case v.Best:
			best = group
		case v.Second:
			second = group
		}
	}
	if all.Of == 0 {
		return []string{r.Viewer.T("runs.ab_nobody_yet")}
	}
	if v.Seen {
		return []string{r.Viewer.T("runs.ab_seen_"+string(goal), "Best", Letter(v.Best), "Second", Letter(v.Second), "Rate", percent(r, best.Rate()), "Other", percent(r, second.Rate()),
			"Ahead", points(r, v.Ahead.Rate), "Low", points(r, v.Ahead.Low), "High", points(r, v.Ahead.High))}
	}
	words = []string{r.Viewer.TN("runs.ab_unseen", int(all.Of))}
	if v.Some {
		words[0] = r.Viewer.T("runs.ab_unseen_best", "Best", Letter(v.Best))
	}
	if v.Needed > all.Of {
		words = append(words, r.Viewer.TN("runs.ab_needed", int(v.Needed), "Best", Letter(v.Best), "Second", Letter(v.Second)))
	}
	return words
}

// points are percentage points, with one decimal.
func points(r *web.Request, share float64) string {
	tenths := int(math.Round(1000 * math.Abs(share)))
	return r.Viewer.T("runs.ab_points", "Whole", strconv.Itoa(tenths/10), "Part", strconv.Itoa(tenths%10))
}

// decided says what becomes of those who wait.
func (v *testView) decided(r *web.Request, test abtest.Test, rest db.RunRow, verdict abtest.Verdict) {
	letter := func(variant int) string { return Letter(max(1, variant)) }
	switch {
	case test.Chosen > 0 && test.ByOwner:
		v.State, v.At = r.Viewer.TN("runs.ab_chosen", int(v.Rest), "Letter", letter(test.Chosen)), r.Viewer.Moment(test.ChosenAt)
	case test.Chosen > 0:
		v.State, v.At = r.Viewer.TN("runs.ab_chosen_itself", int(v.Rest), "Letter", letter(test.Chosen)), r.Viewer.Moment(test.ChosenAt)
	case rest.Status != domain.RunPaused:
		v.State = r.Viewer.TN("runs.ab_over", int(v.Rest))
	default:
		v.State, v.At = r.Viewer.TN("runs.ab_waits", int(v.Rest)), r.Viewer.Moment(rest.WindowEnd)
		if test.Hours > 0 {
			v.Itself = r.Viewer.T("runs.ab_itself", "Letter", letter(verdict.Send))
			v.ItselfAt = r.Viewer.Moment(test.DueAt())
		}
	}
}

// Choose sends a variant of a test to those who wait.
func (h *Runs) Choose(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	if run.ABTestID == 0 {
		return domain.Errorf(domain.Invalid, "variant", "runs.ab_unknown")
	}
	variant, _ := strconv.Atoi(r.FormValue("variant"))
	if err := abtests.New(h.DB).Choose(r.UserContext(), run.OwnerID, run.ABTestID, variant); err != nil {
		return err
	}
	return r.Done("/runs/"+strconv.FormatInt(run.ID, 10)+"#ab-title", "runs.ab_done")
}
