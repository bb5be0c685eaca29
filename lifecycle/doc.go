// Package lifecycle is the domain: events, identity, the facts about a person,
// the tracking plan, and the engine that turns events into a stage and
// segments. It is pure: no clock, no files, no network, no logger, no SQL. The
// time is an argument everywhere, so that the same events, plan and instant
// always give the same answer.
package lifecycle
