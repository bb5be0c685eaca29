package googleanalytics

import (
	"context"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Erase implements connectors.Eraser: one deletion request for each id by which
// Google knows the person. Google carries them out within days; what was
// exported to BigQuery is not part of it.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	const act = "google-analytics: request a deletion"
	if c.account == nil || c.propertyID == "" {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: secretAccount + " and " + fieldProperty + " are not set"}
	}
	type id struct {
		Type string `json:"type"`
		ID   string `json:"userId"`
	}
	kind := "CLIENT_ID"
	if c.app {
		kind = "APP_INSTANCE_ID"
	}
	var ids []id
	for _, client := range c.clientIDs(&who) {
		ids = append(ids, id{kind, client})
	}
	if person, _ := c.person(&who); person.userID != "" {
		ids = append(ids, id{"USER_ID", person.userID})
	}
	if len(ids) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither a client id nor a user id is known"}, nil
	}
	var times []string
	for _, one := range ids {
		var answer struct {
			Time string `json:"deletionRequestTime"`
		}
		body := map[string]any{"kind": "analytics#userDeletionRequest", "id": one, "propertyId": c.propertyID}
		call := connectors.Call{Act: act, Method: http.MethodPost, URL: c.deletionURL + "/analytics/v3/userDeletion/userDeletionRequests:upsert", JSON: body}
		if err := c.ask(ctx, call, &answer); err != nil {
			return nil, err
		}
		if answer.Time == "" {
			return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no time of the request"}
		}
		times = append(times, strings.ToLower(one.Type)+" at "+connectors.Words(answer.Time, c.secrets...))
	}
	return &connectors.Erased{Outcome: connectors.Submitted, Proof: "deletion requested: " + strings.Join(times, ", ")}, nil
}

// maxErased bounds the browsers of one person, since Google takes 500 requests
// a day.
const maxErased = 20

// clientIDs lists every client id that is known of a person, the one to write
// to first.
func (c *Connector) clientIDs(who *connectors.Update) []string {
	var all []string
	seen := map[string]bool{"": true}
	add := func(id string) {
		if !seen[id] && len(all) < maxErased {
			seen[id] = true
			all = append(all, id)
		}
	}
	add(who.VendorID)
	for _, k := range who.Keys {
		if k.Namespace == c.namespace() {
			add(k.Value)
		}
	}
	for _, k := range who.Keys {
		if c.anonymous && k.Namespace == lifecycle.NamespaceAnonymous {
			add(k.Value)
		}
	}
	return all
}
