package result

// Sign is a reason why a manager should look at an owner.
type Sign string

// The signs, the worst first.
const (
	SignComplaints Sign = "complaints" // above 0.1 % of the accepted emails
	SignRefusals   Sign = "refusals"   // above 5 % of those that were tried
	SignGrowth     Sign = "growth"     // a list that grew tenfold in a day
	SignQuota      Sign = "quota"      // a new account has used up its day
)

// Watched is what a manager knows of an owner in the days that count.
type Watched struct {
	Counts
	ListBefore, ListGained int64 // on the day on which the list grew most
	AtQuota                bool
}

// leastGained is how many new clients are worth a look; leastTried how many emails say anything in percent.
const (
	leastGained = 500
	leastTried  = 100
)

// Signs are what speaks for a look, the worst first. One complaint of few emails says nothing yet, two do.
func (w Watched) Signs() (signs []Sign) {
	if w.Complained > 1 && 1000*w.Complained > w.Accepted {
		signs = append(signs, SignComplaints)
	}
	if tried := w.Accepted + w.Failed; tried >= leastTried && 20*w.Failed > tried {
		signs = append(signs, SignRefusals)
	}
	if w.ListGained >= leastGained && w.ListGained >= 9*w.ListBefore {
		signs = append(signs, SignGrowth)
	}
	if w.AtQuota {
		signs = append(signs, SignQuota)
	}
	return signs
}

// Weight orders owners: whoever has more and worse signs comes first.
func (w Watched) Weight() (weight int64) {
	for _, sign := range w.Signs() {
		switch sign {
		case SignComplaints:
			weight += 1_000_000 + 1000*RateOf(w.Complained, w.Accepted).PerMille
		case SignRefusals:
			weight += 100_000 + 10*w.Refused().PerMille
		case SignGrowth:
			weight += 10_000
		case SignQuota:
			weight += 1_000
		}
	}
	return weight
}
