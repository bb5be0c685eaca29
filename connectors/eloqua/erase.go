package eloqua

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: the contact with the number and the one
// with the address are deleted, with what Eloqua keeps of them.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var ids []string
	if idForm.MatchString(who.VendorID) {
		ids = append(ids, who.VendorID)
	}
	if email := strings.TrimSpace(who.Email); strings.Contains(email, "@") && !strings.ContainsAny(email, " *\"\\") {
		found, err := c.findByEmail(ctx, email, "minimal")
		if err != nil {
			return nil, err
		}
		if id := idOf(found); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var gone []string
	for _, id := range ids {
		err := c.api.call(ctx, "delete a contact", http.MethodDelete, rest+"/data/contact/"+id, nil, nil)
		switch {
		case hasReason(err, connectors.ReasonNotFound), hasReason(err, connectors.ReasonGone):
		case err != nil && !failure(err).Retryable && !hasReason(err, connectors.ReasonAuth):
			// Something at Eloqua depends on the contact, which only a person can undo.
			r := failure(err).Result()
			return &connectors.Erased{Outcome: r.Outcome, Reason: r.Reason, Message: r.Message, Proof: "contact " + id + " was not deleted"}, nil
		case err != nil:
			return nil, err
		default:
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "Eloqua has no such contact", Proof: "not found"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Message: "deleted at Eloqua", Proof: "deleted contact " + strings.Join(gone, ", ")}, nil
}
