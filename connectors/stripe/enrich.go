package stripe

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Enrich implements connectors.Enricher: the record of an event is its
// customer, each asked for once. A customer has no modification time.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	found := map[string]*connectors.Record{}
	for i, l := range lookups {
		var e envelope
		// What cannot be read names nobody.
		if jsonv2.Unmarshal(l.Body, &e) == nil {
			ids[i] = e.Data.Object.customerID()
		}
		if ids[i] != "" {
			found[ids[i]] = nil
		}
	}
	asked := slices.Collect(maps.Keys(found))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, id := range asked {
		group.Go(func() error {
			record, err := c.record(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			found[id] = record
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		if found[id] != nil {
			records[i] = *found[id]
		}
	}
	return records, nil
}

// record reads one customer. A refusal that concerns this customer alone is
// told in the record; any other failure is that of the whole call.
func (c *Connector) record(ctx context.Context, id string) (*connectors.Record, error) {
	cust, err := c.byID(ctx, id)
	if err != nil {
		e := connectors.AsPushError(err)
		if e.Reason == connectors.ReasonInvalid || e.Reason == connectors.ReasonNotFound {
			return &connectors.Record{Err: e}, nil
		}
		return nil, e
	}
	if cust == nil {
		return &connectors.Record{}, nil
	}
	contact := map[string]any{"id": cust.ID, "email": cust.Email, "name": cust.Name, "user_id": cust.Metadata["user_id"]}
	flat := map[string]any{"phone": cust.Phone, "created": cust.Created, "contacts": []any{contact}}
	if cust.Address != nil {
		flat["country"] = cust.Address.Country
	}
	for name, value := range contact {
		flat[name] = value
	}
	for name, value := range flat {
		if value == "" {
			delete(flat, name)
		}
	}
	text, err := json.Marshal(flat)
	if err != nil {
		return nil, badAnswer("read a customer", "the customer cannot be written as JSON")
	}
	return &connectors.Record{JSON: text}, nil
}
