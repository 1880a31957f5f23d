package domain

import "time"

// Throughput is the results of a run over time. Every says of how many recipients one was
// looked at for it; with 1 all numbers are exact, else those of it are multiplied.
type Throughput struct {
	From  time.Time
	Step  time.Duration // of one part
	Every int64
	Parts []ThroughputPart // from From on, without gaps
}

// ThroughputPart counts the attempts in one stretch of time.
type ThroughputPart struct {
	Accepted, Deferred, Failed int64
}

// Add counts attempts in the n-th part; an attempt whose result is unknown will be repeated.
func (p *Throughput) Add(n int, status AttemptStatus, attempts int64) {
	for len(p.Parts) <= n {
		p.Parts = append(p.Parts, ThroughputPart{})
	}
	switch status {
	case Accepted:
		p.Parts[n].Accepted += attempts
	case Failed:
		p.Parts[n].Failed += attempts
	default:
		p.Parts[n].Deferred += attempts
	}
}

// At is when the n-th part begins.
func (p Throughput) At(n int) time.Time { return p.From.Add(time.Duration(n) * p.Step) }
