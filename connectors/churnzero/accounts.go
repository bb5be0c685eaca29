package churnzero

import (
	"context"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

var _ connectors.AccountDestination = (*Connector)(nil)

// AccountLimits implements connectors.AccountDestination, with the budget of
// contacts.
func (c *Connector) AccountLimits() connectors.Limits { return c.Limits() }

// PushAccounts implements connectors.AccountDestination: one action for each
// account, all in one request, with the attributes of stage and segments under
// the same names as contacts. ChurnZero knows accounts by their external id only
// and makes one for an id that it does not know, so accounts that it never named
// are skipped, and none is made on purpose.
func (c *Connector) PushAccounts(ctx context.Context, updates []connectors.AccountUpdate) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(updates))
	var sent []int
	var actions []map[string]any
	for i := range updates {
		action, result := c.accountAction(&updates[i])
		results[i] = result
		if action != nil {
			sent, actions = append(sent, i), append(actions, action)
		}
	}
	if len(actions) == 0 {
		return results, nil
	}
	if err := c.api.call(ctx, "write accounts", http.MethodPost, "", actions, nil); err != nil {
		return nil, err
	}
	for _, i := range sent {
		results[i].Outcome, results[i].Message = connectors.Unconfirmed, takenUnseen
	}
	return results, nil
}

// accountAction is what has to be sent for an account; nil where that is
// nothing, and then the result says why.
func (c *Connector) accountAction(u *connectors.AccountUpdate) (map[string]any, connectors.Result) {
	if u.VendorID == "" || strings.Contains(u.VendorID, "|") {
		return nil, connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "ChurnZero knows accounts by their external id, and it never named this one"}
	}
	attributes := c.needed(&connectors.Update{Want: u.Want, Known: u.Known})
	if len(attributes) == 0 {
		return nil, connectors.Result{Outcome: connectors.OK, VendorID: u.VendorID}
	}
	for name, value := range map[string]any{
		"appKey": c.cfg.Secret(secretApp).Reveal(), "action": "setAttribute", "entity": "account", traitAccount: u.VendorID,
	} {
		attributes[name] = value
	}
	return attributes, connectors.Result{VendorID: u.VendorID}
}
