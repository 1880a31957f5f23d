package domain

import "testing"

func TestCountsOpen(t *testing.T) {
	tests := []struct {
		counts Counts
		want   int64
	}{
		{Counts{}, 0},
		{Counts{Planned: 5}, 5},
		{Counts{Planned: 15, Accepted: 1, Failed: 2, Suppressed: 3, Expired: 4, Cancelled: 5}, 0},
		{Counts{Planned: 10, Accepted: 7, Suppressed: 1}, 2},
	}
	for _, tt := range tests {
		if got := tt.counts.Open(); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.counts, got, tt.want)
		}
	}
}

func TestRunClosed(t *testing.T) {
	for status, want := range map[RunStatus]bool{
		RunRunning: false, RunPaused: false, RunStopping: false, RunDone: true, RunMissed: true,
	} {
		if (Run{Status: status}).Closed() != want {
			t.Errorf("%s: closed is not %v", status, want)
		}
	}
}

func TestOutcomeOpen(t *testing.T) {
	open := 0
	for _, outcome := range Outcomes() {
		if outcome.Open() {
			open++
		}
	}
	if len(Outcomes()) != 7 || open != 2 || !OutcomeQueued.Open() || !OutcomeDeferred.Open() {
		t.Errorf("%d of %d outcomes are open", open, len(Outcomes()))
	}
}
