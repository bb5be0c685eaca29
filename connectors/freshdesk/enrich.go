package freshdesk

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// Enrich implements connectors.Enricher for tickets whose webhook names no
// address: the ticket is read with its requester. Each ticket is read once,
// however many lookups are about it; Freshdesk has no call for many.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	read := map[string]*connectors.Record{}
	for i, l := range lookups {
		format := connectors.FormatJSON
		if len(l.Body) > 0 && l.Type == simpleContent {
			if n, _ := readNotice(l.Body); n == nil {
				format = connectors.FormatXML
			}
		}
		if t := ticketOf(format, l.Body); digits(t.id) {
			ids[i] = t.id
			read[t.id] = &connectors.Record{}
		}
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for id, into := range read {
		slots <- struct{}{}
		all.Go(func() {
			*into = c.requester(ctx, id)
			<-slots
		})
	}
	all.Wait()
	records := make([]connectors.Record, len(lookups))
	var failed *connectors.PushError
	known := len(lookups) == 0
	for i, id := range ids {
		if r := read[id]; r != nil {
			records[i] = *r
		}
		if records[i].Err == nil {
			known = true
		} else if failed == nil {
			failed = records[i].Err
		}
	}
	if !known {
		return nil, failed
	}
	return records, nil
}

// requester reads a ticket's requester. What is not there is left out. The zero
// Record is a ticket that is gone.
func (c *Connector) requester(ctx context.Context, id string) connectors.Record {
	var ticket struct {
		Requester struct {
			ID    json.Number `json:"id"`
			Name  string      `json:"name"`
			Email string      `json:"email"`
			Phone string      `json:"phone"`
		} `json:"requester"`
		UpdatedAt string `json:"updated_at"`
	}
	err := c.api.call(ctx, "read a ticket", http.MethodGet, "/tickets/"+id+"?include=requester", nil, &ticket)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return connectors.Record{}
	case err != nil:
		return connectors.Record{Err: connectors.AsPushError(err)}
	}
	person := map[string]any{}
	for name, value := range map[string]string{
		"id": ticket.Requester.ID.String(), "name": ticket.Requester.Name, "email": ticket.Requester.Email, "phone": ticket.Requester.Phone,
	} {
		if value != "" {
			person[name] = value
		}
	}
	flat := map[string]any{"contacts": []any{person}}
	for name, value := range person {
		flat[name] = value
	}
	b, err := json.Marshal(flat)
	if err != nil {
		return connectors.Record{Err: &connectors.PushError{Act: "freshdesk: read a ticket", Reason: connectors.ReasonBadAnswer, Err: err}}
	}
	return connectors.Record{JSON: b}
}
