package marketo

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: everybody with the number or the address
// is deleted, since several people at Marketo may share one.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	email := strings.ToLower(strings.TrimSpace(who.Email))
	var ids []string
	for _, by := range []struct{ name, value string }{{byNumber, who.VendorID}, {byAddress, email}} {
		if by.name == byNumber && !idForm.MatchString(by.value) || by.name == byAddress && !addressable(by.value) {
			continue
		}
		people, err := c.findLeads(ctx, by.name, []string{by.value}, []string{"id"})
		if err != nil {
			return nil, err
		}
		for _, person := range people {
			if id := leadID(person); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "Marketo has no such person", Proof: "not found"}, nil
	}
	return c.deletePeople(ctx, ids)
}

// deletePeople deletes by number. Somebody who is gone already is no failure.
func (c *Connector) deletePeople(ctx context.Context, ids []string) (*connectors.Erased, error) {
	var proofs []string
	for part := range slices.Chunk(ids, maxBatch) {
		var input []map[string]any
		for _, id := range part {
			input = append(input, map[string]any{"id": json.Number(id)})
		}
		records, env, err := list[record](ctx, c.api, "delete people", http.MethodPost, "/rest/v1/leads/delete.json", map[string]any{"input": input})
		if err != nil {
			return nil, err
		}
		deleted := 0
		for _, r := range records {
			if r.Status == "deleted" || r.why().Code == "1004" {
				deleted++
				continue
			}
			e := c.api.coded(r.why())
			result := e.Result()
			return &connectors.Erased{Outcome: result.Outcome, Reason: result.Reason, Message: connectors.Words(e.Message, c.api.hide...), Proof: "request " + env.RequestID}, nil
		}
		if deleted < len(part) {
			return nil, &connectors.PushError{Act: "marketo: delete people", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not tell of everybody who was to be deleted"}
		}
		proofs = append(proofs, "request "+env.RequestID)
	}
	return &connectors.Erased{Outcome: connectors.OK, Message: "deleted at Marketo", Proof: strings.Join(proofs, ", ")}, nil
}
