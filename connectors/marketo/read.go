package marketo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker with the usage of the day, which every
// service may read.
func (c *Connector) Check(ctx context.Context) (string, error) {
	type usage struct {
		Total int64 `json:"total"`
	}
	days, _, err := list[usage](ctx, c.api, "test the connection", http.MethodGet, "/rest/v1/stats/usage.json", nil)
	if err != nil {
		return "", err
	}
	text := "Marketo takes the credentials"
	if len(days) > 0 {
		text = fmt.Sprintf("%s; %d API calls have been made in this instance today", text, days[0].Total)
	}
	unknown, err := c.unknown(ctx)
	if err != nil {
		return "", err
	}
	return text + unknown, nil
}

// Read implements connectors.Reader: people by number, the others by address.
// Where segments are lists, each list of the managed set is asked for all of
// them at once.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	fields := []string{"id", "email", c.stageField}
	if !c.asLists {
		fields = append(fields, c.segmentsField)
	}
	fields, err := c.fields.have(ctx, append(fields, slices.Sorted(maps.Keys(c.cfg.Push.Traits))...))
	if err != nil {
		return nil, err
	}
	found, err := c.findPeople(ctx, people, fields)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i, person := range found {
		if person != nil {
			states[i] = c.state(person)
		}
	}
	return states, c.readSegments(ctx, people, found, states)
}

// findPeople gives the record of each person, nil for whom there is none.
func (c *Connector) findPeople(ctx context.Context, people []connectors.Update, fields []string) ([]map[string]any, error) {
	found := make([]map[string]any, len(people))
	look := func(by string, value func(*connectors.Update) string) error {
		var values []string
		for i := range people {
			if v := value(&people[i]); found[i] == nil && v != "" && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		records, err := c.findLeads(ctx, by, values, fields)
		if err != nil {
			return err
		}
		first := map[string]map[string]any{}
		for _, r := range records {
			key := leadID(r)
			if by == byAddress {
				text, _ := r["email"].(string)
				key = strings.ToLower(text)
			}
			if first[key] == nil {
				first[key] = r
			}
		}
		for i := range people {
			if v := value(&people[i]); found[i] == nil && v != "" {
				found[i] = first[v]
			}
		}
		return nil
	}
	if err := look(byNumber, func(u *connectors.Update) string {
		if idForm.MatchString(u.VendorID) {
			return u.VendorID
		}
		return ""
	}); err != nil {
		return nil, err
	}
	err := look(byAddress, func(u *connectors.Update) string {
		if email := strings.ToLower(strings.TrimSpace(u.Email)); addressable(email) {
			return email
		}
		return ""
	})
	return found, err
}

// state puts a person's fields into our words.
func (c *Connector) state(person map[string]any) *connectors.State {
	s := &connectors.State{Stage: connectors.ValueText(person[c.stageField])}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		value, ok := person[name]
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = plain(value)
	}
	return s
}

// readSegments fills in which of each update's managed set are held.
func (c *Connector) readSegments(ctx context.Context, people []connectors.Update, found []map[string]any, states []*connectors.State) error {
	members := map[string]map[string]bool{} // ids by segment
	for i := range people {
		if states[i] == nil {
			continue
		}
		text := connectors.ValueText(found[i][c.segmentsField])
		for _, name := range slices.Sorted(slices.Values(slices.Concat(people[i].Want.Segments, people[i].Want.Absent))) {
			held := strings.Contains(text, ";"+name+";")
			if c.asLists {
				if members[name] == nil {
					on, err := c.membersOf(ctx, name, found)
					if err != nil {
						return err
					}
					members[name] = on
				}
				held = members[name][leadID(found[i])]
			}
			if held {
				states[i].Segments = append(states[i].Segments, name)
			} else {
				states[i].Absent = append(states[i].Absent, name)
			}
		}
	}
	return nil
}

// membersOf asks which of the people are on a segment's list.
func (c *Connector) membersOf(ctx context.Context, segment string, found []map[string]any) (map[string]bool, error) {
	on := map[string]bool{}
	number, err := c.lists.find(ctx, c.listName(segment), false)
	if err != nil || number == 0 {
		return on, err
	}
	var ids []string
	for _, person := range found {
		if id := leadID(person); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for part := range slices.Chunk(ids, maxFilterValues) {
		path := "/rest/v1/lists/" + strconv.FormatInt(number, 10) + "/leads/ismember.json?" + url.Values{"id": part}.Encode()
		records, _, err := list[record](ctx, c.api, "read a static list", http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			on[strconv.FormatInt(r.ID, 10)] = r.Status == "memberof"
		}
	}
	return on, nil
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
