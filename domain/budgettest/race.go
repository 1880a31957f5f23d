//go:build race

package budgettest

// slower is how much longer the race detector makes it.
const slower = 20
