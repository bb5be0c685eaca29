package calendly

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: Calendly's own deletion of an invitee's
// data, by all addresses of the person. It is for Enterprise plans; another plan
// is told so by Calendly. It is taken at once and carried out within days
// (https://developer.calendly.com/api-docs/calendly-api/data-compliance/delete-invitee-data),
// hence Submitted.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	emails := addresses(&who)
	if len(emails) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Calendly knows people by e-mail address, and none is known"}, nil
	}
	err := c.api.call(ctx, "delete an invitee's data", http.MethodPost, "/data_compliance/deletion/invitees", map[string][]string{"emails": emails}, nil)
	if err != nil {
		return nil, err
	}
	words := fmt.Sprintf("Calendly took the request to delete the data of %d addresses", len(emails))
	return &connectors.Erased{Outcome: connectors.Submitted, Message: words, Proof: words}, nil
}

// addresses lists what a person is known by here, each once, in lower case.
func addresses(who *connectors.Update) []string {
	all := []string{strings.ToLower(strings.TrimSpace(who.Email))}
	for _, k := range who.Keys {
		if k.Namespace == "email" {
			all = append(all, strings.ToLower(strings.TrimSpace(k.Value)))
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
