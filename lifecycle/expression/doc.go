// Package expression is the small language of mapping rules and of the
// tracking plan's conditions: the grammar of expr-lang/expr with an evaluation
// of our own that is total and bounded. The grammar's parser is used as it is;
// expr's virtual machine is not, since a missing member ends it with a panic,
// its integers are machine words, and its functions allocate without a limit.
//
// # Values
//
// nil, bool, int64, float64, string, Time, []any and map[string]any. Nothing
// else may be in an environment.
//
// # Total
//
// A missing member is nil, also a member of nil, of a number, or past the end
// of a list. A missing value stays missing through functions: lower(nil) is
// nil. An ordering (<, <=, >, >=) with nil or between a number and a text that
// is not one is false; == and != work on everything. A text that is a decimal
// number compares with numbers as a number; see Compare and Equal. nil counts
// as false where yes or no is wanted, and contains, in, matches, startsWith
// and endsWith are false where their sides do not fit.
//
// What remains an error, with its position: arithmetic on what is not a number
// (nil too: a silent nil would become an event without its amount), a whole
// number beyond 64 bits, division by zero, a conversion that cannot be done
// such as int("x"), and a text where yes or no is wanted.
//
// # Bounded
//
// The source, the nesting and the number of nested loops are limited when it
// is compiled; steps and bytes when it runs, see Machine. There is no function
// that reads a clock, and none whose answer depends on the order of a map.
package expression
