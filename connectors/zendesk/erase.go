package zendesk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Erase implements connectors.Eraser in Zendesk's two steps: the user is
// deleted, then erased for good; so the user known by id and that of every
// address. Zendesk refuses the first step while the user has open tickets, which
// a person has to decide on.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	ids, colleague, err := c.erasable(ctx, &who)
	switch {
	case err != nil:
		return nil, err
	case colleague != "":
		return &connectors.Erased{
			Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid,
			Message: "the user is a colleague (" + short(colleague) + "), who is not deleted from here",
		}, nil
	case len(ids) == 0:
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Zendesk has no such user"}, nil
	}
	var proofs []string
	for _, id := range ids {
		done, err := c.eraseUser(ctx, id, id == who.VendorID)
		if err != nil || done.Outcome != connectors.OK {
			return done, err
		}
		proofs = append(proofs, done.Proof)
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: strings.Join(proofs, "; ")}, nil
}

// erasable lists the users that are the person: the one known by id, also where
// it is deleted already, and those of all addresses. colleague is the role of
// one who works here, however the user became known.
func (c *Connector) erasable(ctx context.Context, who *connectors.Update) (ids []string, colleague string, err error) {
	take := func(u *user) {
		switch {
		case u == nil:
		case u.Role != "" && u.Role != "end-user":
			colleague = u.Role
		case !slices.Contains(ids, u.ID.String()):
			ids = append(ids, u.ID.String())
		}
	}
	if digits(who.VendorID) {
		known, err := c.readUsers(ctx, "read users", []string{who.VendorID})
		if err != nil {
			return nil, "", err
		}
		if known[who.VendorID] == nil {
			ids = append(ids, who.VendorID)
		}
		take(known[who.VendorID])
	}
	emails := []string{strings.TrimSpace(who.Email)}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceEmail {
			emails = append(emails, k.Value)
		}
	}
	for i, email := range emails {
		if email == "" || slices.ContainsFunc(emails[:i], func(one string) bool { return strings.EqualFold(one, email) }) {
			continue
		}
		u, err := c.search(ctx, email)
		if err != nil {
			return nil, "", err
		}
		take(u)
	}
	return ids, colleague, nil
}

// eraseUser takes both steps for one user. again says that the user can be found
// again once deleted.
func (c *Connector) eraseUser(ctx context.Context, id string, again bool) (*connectors.Erased, error) {
	_, err := c.api.do(ctx, "delete a user", http.MethodDelete, "/users/"+url.PathEscape(id), nil)
	if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
		return erasure(err)
	}
	answer, err := c.api.do(ctx, "erase a user for good", http.MethodDelete, "/deleted_users/"+url.PathEscape(id), nil)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Zendesk has no user " + id + ", deleted or not"}, nil
	case err != nil && !again:
		// Found by address, the user would not be found again: what is left to do
		// must be told now.
		e := connectors.AsPushError(err)
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
	e := connectors.AsPushError(err)
	if e.Retryable || e.Reason == connectors.ReasonAuth {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.Permanent, Reason: e.Reason, Message: e.Message}, nil
}
