package pipedrive

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: it deletes the person known by number
// and every person with the address. Pipedrive keeps a deleted person for 30
// days before it purges the record (Persons API, Delete a person).
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var ids []string
	if numberForm.MatchString(who.VendorID) {
		ids = append(ids, who.VendorID)
	}
	if email := strings.TrimSpace(who.Email); email != "" {
		found, err := c.search(ctx, email)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	if len(ids) == 0 && strings.TrimSpace(who.Email) == "" {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Pipedrive knows people by their number or e-mail address only"}, nil
	}
	slices.Sort(ids)
	var deleted []string
	for _, id := range slices.Compact(ids) {
		_, err := c.api.call(ctx, "delete a person", http.MethodDelete, v2+"/persons/"+id, nil, nil)
		switch {
		case err == nil:
			deleted = append(deleted, id)
		case !gone(err):
			return nil, err
		}
	}
	if len(deleted) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Pipedrive holds no such person"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: "Pipedrive deleted person " + strings.Join(deleted, ", ") + " and purges deleted persons after 30 days"}, nil
}
