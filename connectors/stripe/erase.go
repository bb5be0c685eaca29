package stripe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Erase implements connectors.Eraser. Deleting a customer at Stripe ends their
// subscriptions at once, and records of payments have to be kept by law, so
// unless on_erasure says otherwise only what we wrote is taken back and the
// deletion is left to a person; the outcome says so.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	ids, err := c.idsOf(ctx, &who)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "the account has no such customer"}, nil
	}
	var requests []string
	for _, id := range ids {
		request, err := c.eraseOne(ctx, id)
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	done := &connectors.Erased{Outcome: connectors.OK, Message: fmt.Sprintf("%d customers deleted", len(ids)), Proof: strings.Join(requests, " ")}
	if !c.deletes {
		done.Outcome, done.Reason = connectors.Skipped, connectors.ReasonSettings
		done.Message = fmt.Sprintf("our metadata was removed from %d customers; the customers remain, since deleting them ends their subscriptions: delete them in the Stripe dashboard, or set on_erasure to delete", len(ids))
	}
	return done, nil
}

// idsOf lists all customers of a person: the one known and those of every
// address.
func (c *Connector) idsOf(ctx context.Context, who *connectors.Update) ([]string, error) {
	seen := map[string]bool{}
	var ids []string
	add := func(cust *customer) {
		if cust != nil && !seen[cust.ID] {
			seen[cust.ID] = true
			ids = append(ids, cust.ID)
		}
	}
	if who.VendorID != "" {
		cust, err := c.byID(ctx, who.VendorID)
		if err != nil {
			return nil, err
		}
		add(cust)
	}
	emails := []string{strings.TrimSpace(who.Email)}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceEmail {
			emails = append(emails, k.Value)
		}
	}
	slices.Sort(emails)
	for _, email := range slices.Compact(emails) {
		if email == "" {
			continue
		}
		all, err := c.byEmail(ctx, email)
		if err != nil {
			return nil, err
		}
		for i := range all {
			add(&all[i])
		}
	}
	return ids, nil
}

// eraseOne gives Stripe's id of the request that did it. A customer who has
// gone meanwhile is erased too.
func (c *Connector) eraseOne(ctx context.Context, id string) (string, error) {
	do := call{act: "delete a customer", method: http.MethodDelete, path: customerPath(id)}
	if !c.deletes {
		ours := map[string]string{c.stageKey: "", c.stageKey + sinceSuffix: "", c.segmentsKey: ""}
		for key := range c.cfg.Push.Traits {
			ours[key] = ""
		}
		do = call{act: "remove our metadata", method: http.MethodPost, path: customerPath(id), form: form(ours)}
		do.key = c.mark + "erase-" + url.PathEscape(id) + "-" + strconv.FormatInt(c.cfg.Now().UnixNano(), 36)
	}
	var cust customer
	answer, err := c.api.do(ctx, do, &cust)
	switch {
	case missing(err):
		return "", nil
	case err != nil:
		return "", err
	case c.deletes != cust.Deleted || cust.ID == "":
		return "", badAnswer(do.act, "the answer does not show that it was done")
	}
	return answer.Header.Get("Request-Id"), nil
}
