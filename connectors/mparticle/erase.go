package mparticle

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/stagebridge/stagebridge/connectors"
)

const actErase = "mparticle: file the erasure"

// identity is one identity of a data subject request.
type identity struct {
	Value    string `json:"value"`
	Encoding string `json:"encoding"`
}

// dataSubjectRequest is a request as OpenDSR writes it
// (https://docs.mparticle.com/developers/apis/dsr-api/v3/, read November 2026).
type dataSubjectRequest struct {
	Regulation string              `json:"regulation"`
	ID         string              `json:"subject_request_id"`
	Type       string              `json:"subject_request_type"`
	Submitted  string              `json:"submitted_time"`
	Identities map[string]identity `json:"subject_identities,omitempty"`
	Version    string              `json:"api_version"`
	Extensions map[string]any      `json:"extensions,omitempty"`
}

// Erase implements connectors.Eraser: an erasure in the form of OpenDSR, which
// mParticle carries out after a wait of a week. The request's id follows from
// the person's identities, so asking again finds the request that was filed.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	key, password := c.cfg.Secret(secretWorkspaceKey), c.cfg.Secret(secretWorkspaceSecret)
	if key.Empty() || password.Empty() {
		return nil, &connectors.PushError{Act: actErase, Reason: connectors.ReasonSettings, Message: "workspace_key and workspace_secret are not set"}
	}
	r, ok := c.erasureOf(&who)
	if !ok {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an mpid nor a customer id nor an e-mail address is known"}, nil
	}
	call := connectors.Call{Act: actErase, URL: c.privacyURL + "/requests/" + r.ID, Header: basic(key, password), Secrets: c.secrets}
	proof := "data subject request " + r.ID
	a, err := c.cfg.HTTP.Do(ctx, call)
	if err == nil {
		var filed struct {
			Status string `json:"request_status"`
		}
		if err := a.JSON(actErase, &filed); err != nil {
			return nil, err
		}
		return erased(filed.Status, proof), nil
	}
	if connectors.AsPushError(err).Reason != connectors.ReasonNotFound {
		return nil, err
	}
	call.Method, call.URL, call.JSON = http.MethodPost, c.privacyURL+"/requests/", r
	if _, err := c.cfg.HTTP.Do(ctx, call); err != nil {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.Submitted, Proof: proof}, nil
}

// erased says how far a request is that was filed before.
func erased(status, proof string) *connectors.Erased {
	switch status {
	case "completed":
		return &connectors.Erased{Outcome: connectors.OK, Proof: proof + " completed"}
	case "cancelled":
		return &connectors.Erased{Outcome: connectors.Permanent, Reason: connectors.ReasonConflict, Message: "the request was cancelled at mParticle", Proof: proof}
	}
	return &connectors.Erased{Outcome: connectors.Submitted, Proof: proof}
}

// erasureOf writes the request; with an mpid no other identity may stand in it.
func (c *Connector) erasureOf(who *connectors.Update) (*dataSubjectRequest, bool) {
	r := &dataSubjectRequest{
		Regulation: "gdpr", Type: "erasure", Version: "3.0", Submitted: c.now().UTC().Format("2006-01-02T15:04:05Z"),
		Identities: map[string]identity{},
	}
	parts := []string{c.mark, "erasure", who.ID, strconv.FormatInt(int64(who.Person), 10)}
	if isMPID(who.VendorID) && who.VendorID != "0" {
		of := map[string]identity{"mpid": {who.VendorID, "raw"}}
		r.Extensions = map[string]any{"opendsr.mparticle.com": map[string]any{"subject_identities": of}}
		r.ID = uuid(append(parts, who.VendorID)...)
		return r, true
	}
	known := identitiesFor(who)
	for _, kind := range slices.Sorted(maps.Keys(known)) {
		name := kind
		if kind == "customer_id" {
			name = "controller_customer_id"
		}
		r.Identities[name] = identity{known[kind], "raw"}
		parts = append(parts, kind, known[kind])
	}
	r.ID = uuid(parts...)
	return r, len(known) > 0
}
