package domain

// Outcome is the state of a delivery: open, or exactly one final outcome.
type Outcome string

// The outcomes of the contract. Queued and Deferred are open.
const (
	OutcomeQueued     Outcome = "queued"
	OutcomeDeferred   Outcome = "deferred"
	OutcomeAccepted   Outcome = "accepted"
	OutcomeFailed     Outcome = "failed"
	OutcomeSuppressed Outcome = "suppressed"
	OutcomeExpired    Outcome = "expired"
	OutcomeCancelled  Outcome = "cancelled"
)

// Outcomes are all outcomes, in the order of a table.
func Outcomes() []Outcome {
	return []Outcome{OutcomeAccepted, OutcomeFailed, OutcomeSuppressed, OutcomeExpired,
		OutcomeCancelled, OutcomeDeferred, OutcomeQueued}
}

// Open reports whether the delivery has not ended.
func (o Outcome) Open() bool { return o == OutcomeQueued || o == OutcomeDeferred }

// Delivery is one client in one run. Seq numbers the run's deliveries from 1.
type Delivery struct {
	RunID    int64
	Seq      int
	ClientID int64
	Email    string
	Outcome  Outcome
	Tries    int
}

// BatchSize is how many deliveries one fetch takes: seq 1 to 100, 101 to 200 and so on.
const BatchSize = 100

// BatchOf is the first seq of the block that seq belongs to.
func BatchOf(seq int) int { return (seq-1)/BatchSize*BatchSize + 1 }
