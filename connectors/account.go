package connectors

import "context"

// AccountDestination writes the stages and segments of accounts into a vendor's
// system that knows companies. A connector may be this beside a Destination.
type AccountDestination interface {
	// PushAccounts brings up to AccountLimits().Batch accounts to their desired
	// state. Results and errors are those of Destination.Push. A company that
	// the vendor does not have is made only where the connection's push of
	// accounts allows it, and is else skipped as not_in_vendor.
	PushAccounts(ctx context.Context, updates []AccountUpdate) ([]Result, error)

	// AccountLimits is constant for the life of the connector; Takes is
	// TakesState.
	AccountLimits() Limits
}

// AccountUpdate is one account to bring to a desired state.
type AccountUpdate struct {
	// Key of the account: see lifecycle.Member.
	Key string
	// ID is stable per (connection, account, version), form as Update.ID.
	ID string
	// VendorID is the company's id at this vendor where this connection told it
	// or an earlier result did. Empty when unknown.
	VendorID string
	// Domain is the account's, or the one that most of its people have an
	// address under; empty when none is known.
	Domain string
	// Name of the company as it was told last; empty when it never was.
	Name string
	// Want is the state to reach, without traits; Known is what the vendor is
	// known to hold, nil when that is not known.
	Want  State
	Known *State
}
