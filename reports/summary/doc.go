// Package summary keeps what the reports need to know of each person, small
// enough that a million people are read in less than a second. A summary follows
// from the person's events and the plan alone, so it can be thrown away and made
// anew at any time.
package summary
