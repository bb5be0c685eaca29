package customerio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser. With an App API key everybody who has the
// address or the id is looked up and removed by Customer.io's own id; without
// one the person is removed under every name that is known of them. Customer.io
// carries it out later, so the most that can be said is that it took it.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	ids := c.identifiersOf(&who)
	if c.app.open() {
		var err error
		if ids, err = c.everyone(ctx, who, ids); err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return &connectors.Erased{Outcome: connectors.OK, Proof: "the App API found nobody under the person's address and ids"}, nil
		}
	}
	if len(ids) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "the workspace knows people by " + c.identifyBy + ", and none is known of this person"}, nil
	}
	var items []json.RawMessage
	for _, id := range ids {
		item, err := json.Marshal(operation{Type: "person", Action: c.eraseBy, Identifiers: map[string]string{id.kind: id.value}})
		if err != nil {
			return nil, settingError("erase a person", "the identifiers cannot be written as JSON")
		}
		items = append(items, item)
	}
	var answer batchAnswer
	if err := c.track.call(ctx, "erase a person", http.MethodPost, "/api/v2/batch", batch{items}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		e := answer.Errors[0]
		return &connectors.Erased{
			Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid,
			Message: connectors.Words(fmt.Sprintf("%d of %d records were refused: %s: %s", len(answer.Errors), len(items), e.Field, e.Message), c.track.secrets...),
		}, nil
	}
	return &connectors.Erased{
		Outcome: connectors.Submitted,
		Proof:   fmt.Sprintf("the Track API took the action %s for %d records and carries it out later", c.eraseBy, len(items)),
	}, nil
}

// everyone finds all records of a person: several may share an address where
// people are identified by id alone.
func (c *Connector) everyone(ctx context.Context, who connectors.Update, ids []identifier) ([]identifier, error) {
	var all []identifier
	add := func(p identifiers) {
		id := identifier{kindCIO, p.CIO}
		if p.CIO == "" {
			id = identifier{kindID, p.ID}
		}
		if id.value != "" && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	for _, id := range ids {
		if id.kind == kindEmail {
			continue // the search below finds more than the look-up
		}
		found, err := c.find(ctx, [][]identifier{{id}})
		if err != nil {
			return nil, err
		}
		if found[0] != nil {
			add(found[0].Identifiers)
		}
	}
	if who.Email == "" {
		return all, nil
	}
	var answer struct {
		Results []identifiers `json:"results"`
	}
	if err := c.app.call(ctx, "find people by address", http.MethodGet, "/v1/customers?email="+url.QueryEscape(who.Email), nil, &answer); err != nil {
		return nil, err
	}
	for _, p := range answer.Results {
		add(p)
	}
	return all, nil
}
