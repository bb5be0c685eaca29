//go:build race

package jobs_test

// raced: the race detector makes everything about ten times slower. What it
// looks for does not depend on how much is drawn at random, so less is.
const raced = true
