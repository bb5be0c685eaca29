package intercom

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Enrich implements connectors.Enricher: conversations and tickets name
// contacts by id only. Each contact is read once, however many lookups are
// about it. Intercom has no call for many: its search lags behind by minutes.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	read := map[string]*connectors.Record{}
	for i, l := range lookups {
		n, _ := readNotice(l.Body)
		ids[i] = contactOf(n.object("data").object("item"))
		read[ids[i]] = &connectors.Record{}
	}
	delete(read, "")
	var all sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for id, into := range read {
		slots <- struct{}{}
		all.Go(func() {
			*into = c.record(ctx, id)
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

// record reads one contact as the rules see it. What a contact does not have is
// left out, since it says nothing against what other systems know. The zero
// Record is a contact that is gone.
func (c *Connector) record(ctx context.Context, id string) connectors.Record {
	var found contact
	err := c.api.call(ctx, "read a contact", http.MethodGet, contactPath(id), nil, &found)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return connectors.Record{}
	case err != nil:
		return connectors.Record{Err: connectors.AsPushError(err)}
	}
	person := map[string]any{"id": found.ID}
	for name, value := range map[string]string{
		"role": found.Role, "external_id": found.ExternalID, "email": found.Email, "phone": found.Phone, "name": found.Name,
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
		return connectors.Record{Err: &connectors.PushError{Act: "intercom: read a contact", Reason: connectors.ReasonBadAnswer, Err: err}}
	}
	r := connectors.Record{JSON: b}
	if found.UpdatedAt > 0 {
		r.ModifiedAt = lifecycle.At(time.Unix(found.UpdatedAt, 0))
	}
	return r
}
