// Package reports does the arithmetic behind the figures that people read:
// what is counted, by which formula, and how sure one may be of it. Every
// report carries its formula in words, so that two figures that look alike and
// count differently can be told apart.
package reports
