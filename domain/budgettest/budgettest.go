// Package budgettest holds what reads the texts and files of strangers to a budget.
package budgettest

import (
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
const busy = 2

// Within fails when do takes more, three times in a row.
func Within(t testing.TB, what string, do func()) {
	t.Helper()
	var took time.Duration
	var bytes uint64
	for range 3 {
		if took, bytes = cost(do); took <= busy*slower*CPU && bytes <= Bytes {
			return
		}
	}
	t.Errorf("%s takes %v of CPU and %d MB", what, took.Round(time.Millisecond), bytes>>20)
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
