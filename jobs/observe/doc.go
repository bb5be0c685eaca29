// Package observe holds what is seen of the program from outside: the metrics
// of one process, and the traces that lead from a request through processing
// to a vendor's answer. Both may be nil, and then cost nothing; neither ever
// holds who a person is.
//
// Metrics are of two sorts. Those here are what this process did since it
// started; over replicas they are added up. Those of jobs.Watch are what the
// database holds, the same from every replica. docs/observing.md lists all.
package observe
