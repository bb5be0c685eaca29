package helpscout

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Erase implements connectors.Eraser: it deletes the customer known by number
// and every customer with one of the addresses, conversations included.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var ids []string
	if numberForm.MatchString(who.VendorID) {
		ids = append(ids, who.VendorID)
	}
	emails := addresses(&who)
	if len(ids)+len(emails) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Help Scout knows people by their number or e-mail address only"}, nil
	}
	for _, address := range emails {
		found, err := c.search(ctx, address)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			ids = append(ids, one.id())
		}
	}
	slices.Sort(ids)
	done := &connectors.Erased{Outcome: connectors.OK}
	var deleted []string
	for _, id := range slices.Compact(ids) {
		answer, err := c.api.call(ctx, "delete a customer", http.MethodDelete, "/customers/"+id, nil, nil)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			return nil, err
		case answer.Status == http.StatusAccepted:
			done.Outcome = connectors.Submitted
		}
		deleted = append(deleted, id)
	}
	switch {
	case len(deleted) == 0:
		done.Proof = "Help Scout holds no such customer"
	case done.Outcome == connectors.Submitted:
		done.Proof = "Help Scout took the deletion of customer " + strings.Join(deleted, ", ")
	default:
		done.Proof = "Help Scout deleted customer " + strings.Join(deleted, ", ")
	}
	return done, nil
}

// addresses lists what a person is known by here, each once, in lower case.
func addresses(who *connectors.Update) []string {
	all := []string{strings.ToLower(strings.TrimSpace(who.Email))}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceEmail {
			all = append(all, strings.ToLower(strings.TrimSpace(k.Value)))
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
