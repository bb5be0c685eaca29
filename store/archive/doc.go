// Package archive writes everything that a store holds into one encrypted file
// and makes a store of it again, on either database.
//
// A file is encrypted with age (age-encryption.org) under a passphrase. Inside,
// compressed by gzip, stand a manifest as a line of JSON and then records, each
// a byte that says what it is, a length and that many bytes:
//
//	T  a table begins: JSON of store.DumpTable
//	R  a row: per column a kind and a value (see row.go)
//	E  the table ends: JSON of Counted
//	Z  everything was written: JSON of the number of tables
//
// The end of every table carries the number of its rows and a sum over them
// that does not depend on their order; both are compared when the file is read
// and once more with what the database then holds. A file that was cut short or
// changed is refused before anything is kept.
package archive
