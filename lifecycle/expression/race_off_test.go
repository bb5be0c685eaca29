//go:build !race

package expression

// slower is how much more time and memory a test may take: no more.
const slower = 1
