package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxCandidates is how many users that a search found are looked at closer.
const maxCandidates = 3

// find reads the users of all open tasks: by id together, the others by
// address one by one. A user who is not there is left without one.
func (p *push) find(ctx context.Context) {
	var ids []string
	for _, t := range p.Open() {
		ids = append(ids, t.id)
	}
	users, err := p.c.readUsers(ctx, "read users", ids)
	if err != nil {
		for _, t := range p.Open() {
			p.Fail(t, err)
		}
		return
	}
	var search []*task
	for _, t := range p.Open() {
		u := users[t.id]
		switch {
		case u != nil && !u.gone():
			p.c.settle(t, u)
			continue
		case t.id != "":
			// The user we knew is no more; whoever has the address now is somebody
			// of whom nothing is known.
			t.id = ""
			p.c.need(t, nil)
		}
		if t.email == "" {
			t.End(notThere())
			continue
		}
		search = append(search, t)
	}
	p.Each(search, func(t *task) {
		u, err := p.c.search(ctx, t.email)
		switch {
		case err != nil:
			p.Fail(t, err)
		case u != nil:
			p.c.settle(t, u)
		case !p.c.cfg.Push.Create:
			t.End(notThere())
		}
	})
}

// search finds the user with an address, which may be one of several that the
// user has; nil where there is none. Zendesk's search is not exact, and takes
// what is no address as further words, so what it found is looked at.
func (c *Connector) search(ctx context.Context, email string) (*user, error) {
	var answer usersAnswer
	query := url.Values{"query": {"email:" + email}}
	if err := c.api.call(ctx, "find a user", http.MethodGet, "/users/search?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	var others []*user
	for i := range answer.Users {
		u := &answer.Users[i]
		switch {
		case u.gone():
		case strings.EqualFold(u.Email, email):
			return u, nil
		default:
			others = append(others, u)
		}
	}
	for _, u := range others[:min(len(others), maxCandidates)] {
		has, err := c.hasAddress(ctx, u.ID.String(), email)
		if err != nil {
			return nil, err
		}
		if has {
			return u, nil
		}
	}
	return nil, nil
}

// hasAddress reports whether an address is one of a user's further ones.
func (c *Connector) hasAddress(ctx context.Context, id, email string) (bool, error) {
	var answer struct {
		Identities []struct {
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"identities"`
	}
	err := c.api.call(ctx, "read a user's addresses", http.MethodGet, "/users/"+url.PathEscape(id)+"/identities", nil, &answer)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return false, nil
	}
	for _, i := range answer.Identities {
		if i.Type == "email" && strings.EqualFold(i.Value, email) {
			return true, err
		}
	}
	return false, err
}
