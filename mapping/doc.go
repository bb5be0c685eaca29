// Package mapping is the rule language: it turns a vendor's raw event into
// canonical lifecycle events.
//
// A text of rules is compiled once (Compile) and applied to each raw event
// (Ruleset.Apply), which gives all events of that row or none. Explain tells
// why, RunTests runs the tests that stand beside the rules, Lint gives advice,
// and Propose writes a first rule for an event that none matches.
//
// Everything here is pure: the same rules and the same bytes give the same
// events with the same ids, whenever and however often they are applied.
package mapping
