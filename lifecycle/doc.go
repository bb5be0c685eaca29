// Package lifecycle is the domain: events, identity, the facts about a person,
// the tracking plan, and the engine that turns events into a stage and
// segments. It is pure: no clock, no files, no network, no logger, no SQL. The
// time is an argument everywhere, so that the same events, plan and instant
// always give the same answer.
//
// # How a person moves
//
// Events are taken in the order of (time, id). Each one is a step, and so is
// each instant at which time alone changes a condition; such a timer carries
// its own time and comes before the events after it. A timer due at the very
// instant of an event is looked at together with that event.
//
// A step looks once at everything, in this order:
//
//  1. The event changes the facts: counts, times, sums, traits, claims, pin.
//  2. The path stage becomes the highest whose condition is true. It never
//     falls again.
//  3. The stage to show is that of the pin; else of the live claim of the first
//     rule that has one; else the first side stage whose condition is true
//     and that is open from the path stage; else the path stage. A policy may
//     hold up a move back along the path, unless a pin asks for it.
//  4. The segments are decided. They see the new stage, while the conditions of
//     stages saw the one held until now; where it makes a difference those
//     are looked at again one microsecond later.
//  5. The next check is set: the earliest instant at which time alone can
//     change anything that still matters.
//
// A window reaches from an instant until just before that instant plus its
// length: within(E, "30d") is false exactly 30 days after the last E, when
// idle(E, "30d") becomes true. Nobody is inactive of whom no activity is known.
//
// Stages that chase each other come to rest after a fixed number of moves
// without an event between them, and go on with the next event.
//
// # What stays the same
//
// Plan.Derive makes a person from all events in any order. Plan.Apply goes on
// from there with newer ones, in any number of calls, and Plan.Advance lets
// time pass between them: the profile is the same to the byte, and so are the
// transitions but for the time they were decided at. An event that is not
// newer is late (ErrLate), and the person is derived anew.
package lifecycle
