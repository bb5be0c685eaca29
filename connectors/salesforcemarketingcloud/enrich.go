package salesforcemarketingcloud

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/stagebridge/stagebridge/connectors"
)

// Enrich implements connectors.Enricher. The only event that needs it is the
// challenge to a new callback: the answer is a call of ours, after which the
// callback may be subscribed to events.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	records := make([]connectors.Record, len(lookups))
	for i, l := range lookups {
		in, ok := readChallenge(l.Body)
		if l.Type != typeChallenge || !ok || in.CallbackID == "" {
			continue
		}
		record, err := c.answer(ctx, in)
		if err != nil {
			return nil, err
		}
		records[i] = *record
	}
	return records, nil
}

// answer verifies the callback and subscribes it. The challenge comes while the
// call that makes the callback is still running, so the vendor may not know it
// yet: a refusal of this one is tried again.
func (c *Connector) answer(ctx context.Context, in challenge) (*connectors.Record, error) {
	id := string(in.CallbackID)
	body := map[string]string{"callbackId": id, "verificationKey": string(in.VerificationKey)}
	err := c.api.call(ctx, "verify the callback", http.MethodPost, "/platform/v1/ens-verify", body, nil)
	if err == nil {
		err = c.subscribe(ctx, id, nil)
	}
	if err != nil {
		e := connectors.AsPushError(err)
		switch e.Reason {
		case connectors.ReasonInvalid, connectors.ReasonNotFound, connectors.ReasonConflict:
			again := *e
			again.Retryable = true
			return &connectors.Record{Err: &again}, nil
		}
		return nil, e
	}
	text, err := json.Marshal(map[string]any{"id": id, "verified": true, "contacts": []any{}})
	if err != nil {
		return nil, badAnswer("verify the callback", err.Error())
	}
	return &connectors.Record{JSON: text}, nil
}
