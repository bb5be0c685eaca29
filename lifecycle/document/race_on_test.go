//go:build race

package document

// slower is how much more time and memory the race detector may take.
const slower = 20
