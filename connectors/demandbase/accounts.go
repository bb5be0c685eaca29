package demandbase

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

var _ connectors.AccountDestination = (*Connector)(nil)

// AccountLimits implements connectors.AccountDestination, with the budget of
// people.
func (c *Connector) AccountLimits() connectors.Limits { return c.Limits() }

// PushAccounts implements connectors.AccountDestination: accounts are imported
// from a table that names them by website, and get the fields of stage and
// segments under the same labels as people. Nothing else of them is written,
// their name neither: an import cannot keep to those that it makes.
func (c *Connector) PushAccounts(ctx context.Context, updates []connectors.AccountUpdate) ([]connectors.Result, error) {
	results, lines := make([]connectors.Result, len(updates)), make([]line, len(updates))
	for i := range updates {
		u := &updates[i]
		lines[i] = line{who: u.Domain, want: &u.Want}
		switch fields := c.differing(&u.Want, u.Known); {
		case u.Domain == "":
			results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "an import finds accounts by their website only, and no domain is known"}
		case !c.createsAccounts():
			results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonSettings, Message: "an import may create accounts that are not there; switch on push.accounts.create to allow that"}
		case len(fields) == 0:
			results[i] = connectors.Result{Outcome: connectors.OK}
		default:
			lines[i].fields = fields
		}
	}
	return c.importLines(ctx, target{"Account", c.website}, lines, results)
}

// createsAccounts reports whether a push of accounts may make records.
func (c *Connector) createsAccounts() bool {
	return c.cfg.Push.Accounts != nil && c.cfg.Push.Accounts.Create
}
