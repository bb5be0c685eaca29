package freshdesk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser with Freshdesk's deletion for good, which
// takes the contact's tickets along. A contact in the bin, or blocked, still
// holds the person, so these are looked for as well.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	t := newTask(&who)
	var ids []string
	if t.id != "" {
		ids = append(ids, t.id)
	}
	for _, state := range []string{"", "deleted", "blocked"} {
		if t.email == "" {
			break
		}
		all, err := c.withAddress(ctx, t.email, state)
		if connectors.ReasonOf(err) == connectors.ReasonInvalid && state != "" {
			// Whether the two filters go together is not documented.
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			ids = append(ids, one.ID.String())
		}
	}
	slices.Sort(ids)
	var proof []string
	for _, id := range slices.Compact(ids) {
		answer, err := c.api.do(ctx, "delete a contact for good", http.MethodDelete, contactPath(id, "hard_delete")+"?force=true", nil)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			e := connectors.AsPushError(err)
			if e.Retryable || e.Reason == connectors.ReasonAuth {
				return nil, err
			}
			return &connectors.Erased{Outcome: connectors.Permanent, Reason: e.Reason, Message: e.Message}, nil
		}
		proof = append(proof, fmt.Sprintf("contact %s and its tickets deleted for good: status %d, request %s", id, answer.Status, short(answer.Header.Get("X-Request-Id"))))
	}
	if len(proof) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Freshdesk has no such contact"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: strings.Join(proof, "; ")}, nil
}
