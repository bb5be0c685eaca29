package zendesk

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxMany is the most users of one call for many: show_many and update_many
// (developer.zendesk.com, "Users", read 2026-11).
const maxMany = 100

// Enrich implements connectors.Enricher: a ticket event names its requester by
// id only, so that user is read; 100 requesters take one call.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	for i, l := range lookups {
		n, _ := readNotice(l.Body)
		if id := n.object("detail").text("requester_id"); digits(id) {
			ids[i] = id
		}
	}
	users, err := c.readUsers(ctx, "read requesters", ids)
	if err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		if u := users[id]; u != nil {
			records[i] = record(u)
		}
	}
	return records, nil
}

// record is a user as the rules see one. What a user does not have is left
// out, since it says nothing against what other systems know.
func record(u *user) connectors.Record {
	person := map[string]any{"id": u.ID.String()}
	for name, value := range map[string]string{"email": u.Email, "external_id": u.ExternalID, "name": u.Name, "role": u.Role} {
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
		return connectors.Record{Err: &connectors.PushError{Act: "zendesk: read requesters", Reason: connectors.ReasonBadAnswer, Err: err}}
	}
	return connectors.Record{JSON: b, ModifiedAt: instant(u.UpdatedAt)}
}

// readUsers gives the users of the ids that exist; empty and repeated ids cost
// nothing.
func (c *Connector) readUsers(ctx context.Context, act string, ids []string) (map[string]*user, error) {
	ids = slices.Sorted(slices.Values(ids))
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	found := map[string]*user{}
	for some := range slices.Chunk(ids, maxMany) {
		var answer usersAnswer
		if err := c.api.call(ctx, act, http.MethodGet, "/users/show_many?ids="+strings.Join(some, ","), nil, &answer); err != nil {
			return nil, err
		}
		for i := range answer.Users {
			found[answer.Users[i].ID.String()] = &answer.Users[i]
		}
	}
	return found, nil
}
