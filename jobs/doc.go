// Package jobs does the work behind the web: it turns pending raw events into
// stages and segments, brings desired states to vendors, lets time pass, and
// finds what was left undone.
//
// asynq carries triggers only. Every handler looks in the store for what is
// due when it runs, so any task may be lost, doubled or run late without
// changing a result (rule 1 of the design).
package jobs
