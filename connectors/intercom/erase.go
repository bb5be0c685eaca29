package intercom

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Erase implements connectors.Eraser: deleting a contact at Intercom is for
// good. Leads may share the person's addresses, so all contacts of them go.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	t := newTask(&who)
	var ids []string
	if t.id != "" {
		ids = append(ids, t.id)
	}
	if t.external != "" {
		held, err := c.find(ctx, t.external, "")
		if err != nil {
			return nil, err
		}
		if held != nil {
			ids = append(ids, held.ID)
		}
	}
	emails := []string{t.email}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceEmail {
			emails = append(emails, k.Value)
		}
	}
	for i, email := range emails {
		if email == "" || slices.ContainsFunc(emails[:i], func(one string) bool { return strings.EqualFold(one, email) }) {
			continue
		}
		all, err := c.withAddress(ctx, email)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			ids = append(ids, one.ID)
		}
	}
	slices.Sort(ids)
	var gone []string
	for _, id := range slices.Compact(ids) {
		var answer struct {
			ID      string `json:"id"`
			Deleted bool   `json:"deleted"`
		}
		err := c.api.call(ctx, "delete a contact", http.MethodDelete, contactPath(id), nil, &answer)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			e := connectors.AsPushError(err)
			if e.Retryable || e.Reason == connectors.ReasonAuth {
				return nil, err
			}
			return &connectors.Erased{Outcome: connectors.Permanent, Reason: e.Reason, Message: e.Message}, nil
		case !answer.Deleted:
			return nil, &connectors.PushError{Act: "intercom: delete a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not say that the contact was deleted"}
		}
		gone = append(gone, id)
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Intercom has no such contact"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: "deleted for good: " + strings.Join(gone, ", ")}, nil
}
