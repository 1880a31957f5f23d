// Package budgettest holds what reads the texts and files of strangers to a budget.
package budgettest

import (
	"compress/flate"
	"io"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// What reading an input of 200 KB may take: CPU time of the whole process, its collector's included,
// and bytes allocated.
const (
	CPU   = 200 * time.Millisecond
	Bytes = 50 << 20
)

// busy is how much longer CPU time is on a machine that does much else, whose caches are somebody else's.
const busy = 4

// yardstick is what packing a megabyte took on the machine that CPU was set on, which was quiet. What is slower than
// it, or shares its cores, gets as much more time.
const yardstick = 24 * time.Millisecond

// Within fails when do takes more, three times in a row.
func Within(t testing.TB, what string, do func()) {
	t.Helper()
	var took time.Duration
	var bytes uint64
	for range 3 {
		took, bytes = cost(do)
		if bytes <= Bytes && (took <= busy*slower*CPU || float64(took) <= busy*slower*float64(CPU)*slowness()) {
			return
		}
	}
	t.Errorf("%s takes %v of CPU and %d MB", what, took.Round(time.Millisecond), bytes>>20)
}

// slowness is how many times longer this machine takes than the one of yardstick, at this moment.
func slowness() float64 {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = 'a' + byte(random.IntN(20))
	}
	took, _ := cost(func() {
		w, _ := flate.NewWriter(io.Discard, flate.DefaultCompression)
		_, _ = w.Write(text)
		_ = w.Close()
	})
	return max(1, float64(took)/float64(yardstick))
}

func cost(do func()) (took time.Duration, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := used()
	do()
	took = used() - begun
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

// used is the CPU time of this process until now.
func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
