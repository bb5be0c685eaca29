package zendesk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker. With wrong credentials Zendesk may
// answer well, as an anonymous user without an id.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	if !c.api.authenticated() {
		return "", settingError(act, "api_token is not set; receiving webhooks does without it")
	}
	var answer struct {
		User user `json:"user"`
	}
	if err := c.api.call(ctx, act, http.MethodGet, "/users/me", nil, &answer); err != nil {
		return "", err
	}
	if !digits(answer.User.ID.String()) {
		return "", &connectors.PushError{Act: "zendesk: " + act, Reason: connectors.ReasonAuth, Status: http.StatusOK, Message: "Zendesk answers as to somebody who is not signed in; check the token and its agent's address"}
	}
	return fmt.Sprintf("Signed in as %s (%s)", short(answer.User.Email), short(answer.User.Role)), nil
}

// Read implements connectors.Reader. Segments are those of the update's managed
// set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	ids := make([]string, len(people))
	for i := range people {
		if digits(people[i].VendorID) {
			ids[i] = people[i].VendorID
		}
	}
	users, err := c.readUsers(ctx, "read users", ids)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i := range people {
		u := users[ids[i]]
		if email := strings.TrimSpace(people[i].Email); (u == nil || u.gone()) && email != "" {
			if u, err = c.search(ctx, email); err != nil {
				return nil, err
			}
		}
		if u != nil && !u.gone() {
			states[i] = c.state(&people[i], u)
		}
	}
	return states, nil
}

// state puts a user into our words.
func (c *Connector) state(want *connectors.Update, u *user) *connectors.State {
	s := &connectors.State{Stage: connectors.ValueText(u.Fields[c.stageField])}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(want.Want.Segments, want.Want.Absent))) {
		if slices.Contains(u.Tags, c.tagName(name)) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	s.Traits = c.traits(u)
	return s
}

func (c *Connector) traits(u *user) map[string]any {
	var traits map[string]any
	for _, key := range sortedKeys(c.cfg.Push.Traits) {
		value, ok := u.Fields[key]
		if !ok {
			continue
		}
		if traits == nil {
			traits = map[string]any{}
		}
		traits[key] = plain(value)
	}
	return traits
}

// plain turns a decoded number into int64 or float64.
func plain(value any) any {
	n, ok := value.(json.Number)
	if !ok {
		return value
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}

// exportPage is how many users one page of the export brings: half of what
// Zendesk gives at most, since users with many fields take some 6 KB each and an
// answer is read up to 4 MiB.
const exportPage = "500"

// List implements connectors.Lister with Zendesk's export of users, which an
// account may ask ten times a minute. Segments are in the spelling of the tags.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	// The start is passed over once there is a cursor, yet it is described as
	// required.
	query := url.Values{"start_time": {"0"}, "per_page": {exportPage}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var page usersAnswer
	if err := c.api.call(ctx, "list users", http.MethodGet, "/incremental/users/cursor?"+query.Encode(), nil, &page); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for i := range page.Users {
		u := &page.Users[i]
		if u.gone() || u.Role != "end-user" {
			continue
		}
		s := connectors.State{Stage: connectors.ValueText(u.Fields[c.stageField]), Traits: c.traits(u)}
		for _, tag := range u.Tags {
			if name, ours := strings.CutPrefix(tag, c.tagPrefix); ours {
				s.Segments = append(s.Segments, name)
			}
		}
		slices.Sort(s.Segments)
		listed.People = append(listed.People, connectors.Listing{VendorID: u.ID.String(), Email: u.Email, State: s})
	}
	if !page.EndOfStream && page.AfterCursor != cursor {
		listed.Cursor = page.AfterCursor
	}
	return listed, nil
}
