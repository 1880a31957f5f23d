//go:build !race

package budgettest

// slower is how much longer this build takes than the one that ships.
const slower = 1
