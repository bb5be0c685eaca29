package mailchimp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads the audience's name, or asks
// for a sign of life where no audience is set.
func (c *Connector) Check(ctx context.Context) (string, error) {
	if c.cfg.Secret(secretAPIKey).Empty() {
		return "", settingError("test the connection", "api_key is not set; receiving webhooks does without it")
	}
	if c.api.audience == "" {
		var ping struct {
			Health string `json:"health_status"`
		}
		if err := c.api.call(ctx, "test the connection", http.MethodGet, "/ping", nil, &ping); err != nil {
			return "", err
		}
		return "Mailchimp takes the API key: " + short(ping.Health), nil
	}
	var audience struct {
		Name  string `json:"name"`
		Stats struct {
			Members int64 `json:"member_count"`
		} `json:"stats"`
	}
	path := c.api.list() + "?fields=id,name,stats.member_count"
	if err := c.api.call(ctx, "test the connection", http.MethodGet, path, nil, &audience); err != nil {
		return "", err
	}
	return fmt.Sprintf("Audience %q with %d subscribed contacts", short(audience.Name), audience.Stats.Members), nil
}

// readFields is what Read asks for.
const readFields = "?fields=id,email_address,status,merge_fields,tags_count,tags"

// Read implements connectors.Reader, with one request a person: the API finds
// members by nothing but their address. An archived contact counts as not
// there. Segments are those of the update's managed set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			state, err := c.readOne(ctx, &people[i])
			states[i] = state
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

func (c *Connector) readOne(ctx context.Context, u *connectors.Update) (*connectors.State, error) {
	var ids []string
	if email := normalEmail(u.Email); email != "" {
		ids = append(ids, memberID(email))
	}
	if hashForm.MatchString(u.VendorID) && !slices.Contains(ids, u.VendorID) {
		ids = append(ids, u.VendorID)
	}
	for _, id := range ids {
		var m member
		err := c.api.call(ctx, "read a member", http.MethodGet, c.api.list("members", id)+readFields, nil, &m)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			return nil, err
		case m.Status == "archived":
			continue
		}
		if m.TagsCount > len(m.Tags) {
			// The member itself shows at most 50 tags.
			if m.Tags, err = c.readTags(ctx, id); err != nil {
				return nil, err
			}
		}
		return c.state(u, m), nil
	}
	return nil, nil
}

func (c *Connector) readTags(ctx context.Context, id string) ([]memberTag, error) {
	var answer struct {
		Tags []memberTag `json:"tags"`
	}
	err := c.api.call(ctx, "read a member's tags", http.MethodGet, c.api.list("members", id, "tags")+"?count=1000&fields=tags.name", nil, &answer)
	return answer.Tags, err
}

// state puts a member into our words.
func (c *Connector) state(u *connectors.Update, m member) *connectors.State {
	s := &connectors.State{Stage: connectors.ValueText(m.MergeFields[c.stageField])}
	held := map[string]bool{}
	for _, tag := range m.Tags {
		held[strings.ToLower(tag.Name)] = true
	}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if held[strings.ToLower(c.tagName(name))] {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		value, ok := m.MergeFields[tag]
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[tag] = plain(value)
	}
	return s
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
