// Package connectors is the contract between Stagebridge and the systems it
// connects: small capability interfaces that a vendor's folder implements as
// far as the vendor can do it, the HTTP client they share, and the closed list
// of outcomes. It knows nothing of the store, of mapping rules or of jobs.
package connectors
