package holdout

import (
	"math"

	kept "skychimp/db/holdout"
	"skychimp/domain"
	"skychimp/domain/trial"
	"skychimp/handlers/web"
)

// Result is the block holdout/result: whether those who got it came back more often than those who were left out.
type Result struct {
	Share   int
	Counts  string // what counts as coming back
	Over    bool
	Ended   web.Moment
	Verdict string
	Details []string
	Groups  []group // none: nobody has been left out yet
}

// group is one of the two, with its bar.
type group struct {
	Label           string
	Came, Of        int64
	Rate, Low, High string
	Kind            string
	Bar, From, Span int64 // of barWidth
}

// barWidth is what the longest bar, or the end of its range, comes to.
const barWidth = 1000

// Of is the comparison of a mailing or series, nil for one that leaves nobody out.
func (h *Holdouts) Of(r *web.Request, m domain.Mailing) (*Result, error) {
	if m.Holdout.Share == 0 {
		return nil, nil
	}
	view := &Result{Share: m.Holdout.Share, Over: !m.Holdout.On(), Ended: r.Viewer.Moment(m.Holdout.EndedAt)}
	var err error
	if view.Counts, err = h.Counts(r, m); err != nil {
		return nil, err
	}
	groups, err := kept.GroupsOf(r.UserContext(), h.DB, m)
	if err != nil || groups.All() == 0 {
		return view, err
	}
	_, most := groups.Got.Interval()
	_, other := groups.Left.Interval()
	most = max(most, other)
	for _, one := range []struct {
		trial.Group
		label, kind string
	}{{groups.Got, "holdout.got", "accepted"}, {groups.Left, "holdout.left", "unsent"}} {
		low, high := one.Interval()
		view.Groups = append(view.Groups, group{r.Viewer.T(one.label), one.Came, one.Of, percent(r, one.Rate()), percent(r, low), percent(r, high),
			one.kind, scaled(one.Rate(), most), scaled(low, most), scaled(high, most) - scaled(low, most)})
	}
	out := groups.Outcome()
	number := func(n int64) int64 { return max(n, -n) }
	switch {
	case out.Difference.Low > 0:
		view.Verdict = r.Viewer.TN("holdout.more", int(out.Likely), "Low", out.Low, "High", out.High, "Of", groups.Got.Of)
	case out.Difference.High < 0:
		view.Verdict = r.Viewer.TN("holdout.fewer", int(-out.Likely), "Low", -out.High, "High", -out.Low, "Of", groups.Got.Of)
	default:
		view.Verdict = r.Viewer.TN("holdout.unseen", int(groups.All()))
		view.Details = append(view.Details, r.Viewer.T("holdout.between", "Fewer", number(out.Low), "More", number(out.High)))
		if out.Needed > groups.All() {
			view.Details = append(view.Details, r.Viewer.TN("holdout.needed", int(out.Needed), "Points", percent(r, math.Abs(out.Difference.Rate))))
		}
	}
	return view, nil
}

func scaled(rate, most float64) int64 { return int64(math.Round(barWidth * rate / most)) }

// percent is a rate in the viewer's language, with one digit behind the point.
func percent(r *web.Request, rate float64) string {
	return r.Viewer.Share(int64(math.Round(rate*1e6)), 1e6)
}
