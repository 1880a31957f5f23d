package trial_test

import (
	"math"
	"testing"

	"skychimp/domain/trial"
)

func TestDrawIsEven(t *testing.T) {
	const clients = 20_000
	for _, share := range []float64{0.05, 0.1, 0.2, 0.5} {
		for _, seed := range []trial.Seed{trial.Seed("one"), trial.Seed("another"), trial.NewSeed()} {
			drawn := 0
			for client := range int64(clients) {
				if seed.Below(client, trial.Bound(share)) {
					drawn++
				}
			}
			// Six standard deviations: once in 500 million.
			if off := math.Abs(float64(drawn) - share*clients); off > 6*math.Sqrt(share*(1-share)*clients) {
				t.Errorf("%.2f of %d by %x: %d", share, clients, seed, drawn)
			}
		}
	}
}

func TestDrawIsSteady(t *testing.T) {
	seed, other := trial.Seed("0123456789abcdef"), trial.Seed("another")
	small, large, differs := trial.Bound(0.05), trial.Bound(0.2), false
	for client := range int64(1000) {
		if seed.Below(client, small) && !seed.Below(client, large) {
			t.Error(client, "is in 5 % and not in 20 %")
		}
		if seed.Below(client, trial.Bound(0)) || !seed.Below(client, trial.Bound(1)) {
			t.Error(client, "is in nothing, or not in all")
		}
		differs = differs || seed.Below(client, large) != other.Below(client, large)
	}
	if !differs {
		t.Error("two seeds draw the same clients")
	}
	// printf '0123456789abcdef\0\0\0\0\0\0\0\1' | sha256sum
	if first := int64(1); seed.Below(first, trial.Bound(0.6156)) || !seed.Below(first, trial.Bound(0.6157)) {
		t.Error("the place of a client has moved")
	}
}
