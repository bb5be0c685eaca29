// Package stats is the arithmetic of the reports: retention, churn, survival,
// revenue movements, attribution, concentration, lift, scores. Its functions
// take counts and amounts and give figures; they read nothing, store nothing
// and know no clock, so that a figure can be checked by hand.
//
// Counts are counts of people (or of accounts, where a report says so) that can
// be added up from parts: the same people counted in two halves give the same
// report as counted at once. Amounts are integers in millionths of a currency
// unit and are never added across currencies. Shares are between 0 and 1, and
// those of people carry the interval of reports.Rate.
package stats
