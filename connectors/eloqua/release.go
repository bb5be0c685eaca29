package eloqua

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Enrich implements connectors.Enricher. Its only lookups are releases: the
// record of one says which sync lets the contacts go on. Releasing twice is
// harmless. Contacts of one execution of a step share an import.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	records := make([]connectors.Record, len(lookups))
	waiting := map[step][]string{}
	steps := make([]step, len(lookups))
	var order []step
	for i, l := range lookups {
		var r release
		if l.Type != typeRelease || json.Unmarshal(l.Body, &r) != nil || len(r.Contacts) == 0 {
			continue
		}
		// The instance and its execution are what contacts wait for.
		steps[i] = step{Instance: r.Instance, Execution: r.Execution}
		if waiting[steps[i]] == nil {
			order = append(order, steps[i])
		}
		waiting[steps[i]] = append(waiting[steps[i]], r.Contacts...)
	}
	var failed error
	done := false
	for _, at := range order {
		record, err := c.release(ctx, at, waiting[at])
		if err != nil {
			failed = err
			record.Err = failure(err)
		}
		done = done || err == nil
		for i := range lookups {
			if steps[i] == at {
				records[i] = record
			}
		}
	}
	if failed != nil && !done {
		return nil, failure(failed)
	}
	return records, nil
}

// release imports the contacts with the status complete for the step.
func (c *Connector) release(ctx context.Context, at step, contacts []string) (connectors.Record, error) {
	slices.Sort(contacts)
	var data []map[string]string
	for _, id := range slices.Compact(contacts) {
		data = append(data, map[string]string{columnID: id})
	}
	// The instance's number is written without its dashes here.
	destination := "{{ActionInstance(" + strings.ReplaceAll(at.Instance, "-", "") + ").Execution[" + at.Execution + "]}}"
	sync, err := c.importContacts(ctx, definition{
		Name: "Stagebridge: release from a step", Fields: map[string]string{columnID: statementID}, Identifier: columnID,
		Actions: []syncAction{{Action: "setStatus", Destination: destination, Status: "complete"}},
	}, data)
	if err != nil {
		return connectors.Record{}, err
	}
	text, err := json.Marshal(map[string]any{"id": sync, "released": len(data), "contacts": []any{}})
	return connectors.Record{JSON: text}, err
}
