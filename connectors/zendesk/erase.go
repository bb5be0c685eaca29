package zendesk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser in Zendesk's two steps: the user is
// deleted, then erased for good. Zendesk refuses the first while the user has
// open tickets, which a person has to decide on.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	id := ""
	if digits(who.VendorID) {
		id = who.VendorID
	}
	if email := strings.TrimSpace(who.Email); id == "" && email != "" {
		u, err := c.search(ctx, email)
		if err != nil {
			return nil, err
		}
		switch {
		case u == nil:
		case u.Role != "end-user":
			return &connectors.Erased{
				Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid,
				Message: "the address is that of a colleague (" + short(u.Role) + "), who is not deleted from here",
			}, nil
		default:
			id = u.ID.String()
		}
	}
	if id == "" {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Zendesk has no such user"}, nil
	}
	_, err := c.api.do(ctx, "delete a user", http.MethodDelete, "/users/"+url.PathEscape(id), nil)
	if err != nil && !hasReason(err, connectors.ReasonNotFound) {
		return erasure(err)
	}
	answer, err := c.api.do(ctx, "erase a user for good", http.MethodDelete, "/deleted_users/"+url.PathEscape(id), nil)
	switch {
	case hasReason(err, connectors.ReasonNotFound):
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Zendesk has no user " + id + ", deleted or not"}, nil
	case err != nil && id != who.VendorID:
		// Found by address, the user would not be found again: what is left to do
		// must be told now.
		e := failure(err)
		return &connectors.Erased{
			Outcome: connectors.Permanent, Reason: e.Reason,
			Message: "user " + id + " is deleted but not erased for good; do that in Zendesk under deleted users: " + e.Message,
		}, nil
	case err != nil:
		return erasure(err)
	}
	return &connectors.Erased{
		Outcome: connectors.OK,
		Proof:   fmt.Sprintf("user %s deleted, then erased for good: status %d, request %s", id, answer.Status, short(answer.Header.Get("X-Request-Id"))),
	}, nil
}

// erasure tells a refusal from a failure that may pass.
func erasure(err error) (*connectors.Erased, error) {
	e := failure(err)
	if e.Retryable || e.Reason == connectors.ReasonAuth {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.Permanent, Reason: e.Reason, Message: e.Message}, nil
}
