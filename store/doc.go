// Package store keeps everything that must survive: the inbox of raw events,
// people with their keys, events and history, and what is known of every
// person at every vendor. SQLite is the embedded default, PostgreSQL serves
// production; both run the same queries (see dialect), and one suite in
// storetest holds both to the same behaviour.
//
// The state of one raw event, by where its rows stand:
//
//	inbox            the bytes, written once and never changed
//	pending          waits: lane "" for processing, lane <connection> for enrichment
//	outcomes         processed: done, ignored, quarantined or failed
//
// Replay removes the outcome and adds a pending row again. SQL is the truth
// (rule 1 of the design): whoever finds a pending row may work on it.
package store
