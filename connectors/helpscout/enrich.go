package helpscout

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Enrich implements connectors.Enricher: it reads the customers that ratings
// name by number, each once.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	for i, l := range lookups {
		var n notice
		if json.Unmarshal(l.Body, &n) == nil && numberForm.MatchString(n.customer()) {
			ids[i] = n.customer()
		}
	}
	asked := slices.Compact(slices.Sorted(slices.Values(ids)))
	answers := make([]connectors.Record, len(asked))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, id := range asked {
		if id == "" {
			continue
		}
		group.Go(func() error {
			one, err := c.customer(reading, id)
			switch {
			case err == nil:
				answers[i] = record(one)
			case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			case connectors.AsPushError(err).Reason == connectors.ReasonInvalid:
				answers[i].Err = connectors.AsPushError(err)
			default:
				return err // the others would fare no better
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		at, _ := slices.BinarySearch(asked, id)
		records[i] = answers[at]
	}
	return records, nil
}

// record is a customer as rules see one: its own only person. What is empty is
// left out, since it says nothing against what other systems know.
func record(one *customer) connectors.Record {
	m := map[string]any{"id": one.id()}
	for name, v := range map[string]string{
		"email": one.email(), "first_name": one.FirstName, "last_name": one.LastName,
		"company": one.Organization, "job_title": one.JobTitle,
	} {
		if v = strings.TrimSpace(v); v != "" {
			m[name] = v
		}
	}
	object := map[string]any{"id": one.id(), "contacts": []any{m}}
	b, err := json.Marshal(object)
	if err != nil {
		return connectors.Record{Err: badAnswer("read a customer")}
	}
	return connectors.Record{JSON: b, ModifiedAt: instant(text(one.Updated))}
}
