// Package bench measures Stagebridge against a bare HTTP handler on the same
// machine in the same run, since only ratios survive a shared machine. What is
// measured runs in processes of its own; the load generator is the same for
// all.
package bench
