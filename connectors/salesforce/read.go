package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads the quota and, where pushing
// is on, whether the fields can be seen.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var limits limitsAnswer
	if err := c.call(ctx, "test the connection", http.MethodGet, c.root+"/limits", nil, &limits); err != nil {
		return "", err
	}
	said := fmt.Sprintf("Salesforce answers; %d of %d requests are left of the last 24 hours", limits.Requests.Remaining, limits.Requests.Max)
	if !c.cfg.Push.Enabled {
		return said, nil
	}
	for _, object := range c.objects {
		soql := "SELECT " + strings.Join(c.ownFields(), ",") + " FROM " + object + " LIMIT 1"
		if err := c.call(ctx, "look for the fields of "+object, http.MethodGet, c.root+"/query?q="+url.QueryEscape(soql), nil, nil); err != nil {
			return "", err
		}
	}
	return said + "; the fields of " + strings.Join(c.objects, " and ") + " are there", nil
}

// ownFields are the fields that a push writes, and the id.
func (c *Connector) ownFields() []string {
	fields := []string{"Id", "Email", c.stage, c.segments}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

// Read implements connectors.Reader. Segments are those of the update's
// managed set.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if err := c.mayAsk("read people"); err != nil {
		return nil, err
	}
	var w wanted
	for _, u := range people {
		if objectOf(u.VendorID) != "" {
			w.ids = append(w.ids, id18(u.VendorID))
		}
		if email := foldEmail(u.Email); email != "" {
			w.emails = append(w.emails, email)
		}
	}
	f, err := c.find(ctx, w, c.ownFields()...)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i, u := range people {
		row := f.byID[id18(u.VendorID)]
		if row == nil {
			row = f.byEmail[foldEmail(u.Email)]
		}
		if row == nil {
			continue
		}
		state := c.state(row)
		held := state.Segments
		state.Segments = nil
		for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
			if slices.Contains(held, name) {
				state.Segments = append(state.Segments, name)
			} else {
				state.Absent = append(state.Absent, name)
			}
		}
		states[i] = &state
	}
	return states, nil
}

// state puts a record into our words.
func (c *Connector) state(row map[string]any) connectors.State {
	s := connectors.State{Stage: text(row[c.stage])}
	for name := range strings.SplitSeq(text(row[c.segments]), ";") {
		if name = strings.TrimSpace(name); name != "" {
			s.Segments = append(s.Segments, name)
		}
	}
	slices.Sort(s.Segments)
	for name := range c.cfg.Push.Traits {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = plain(row[name])
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

// listPage is how many people one call of List asks for; Salesforce gives up
// to 2,000 records a page.
const listPage = 1000

// List implements connectors.Lister: contacts first, then open leads, in the
// order of their ids. The cursor is the last id given, or the prefix that the
// next object's ids begin with.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	if err := c.mayAsk("list people"); err != nil {
		return nil, err
	}
	object, after := c.objects[0], ""
	switch {
	case isID(cursor, ""):
		object, after = objectOf(cursor), cursor
	case cursor != "":
		object = cursor
	}
	at := slices.Index(c.objects, object)
	if at < 0 {
		return nil, &connectors.PushError{Act: "salesforce: list people", Reason: connectors.ReasonSettings, Message: "the cursor is not one of this connection's"}
	}
	var where []string
	if object == objectLead {
		where = append(where, "IsConverted=false")
	}
	if after != "" {
		where = append(where, "Id > "+quoted(after))
	}
	soql := "SELECT " + strings.Join(c.ownFields(), ",") + " FROM " + object
	if len(where) > 0 {
		soql += " WHERE " + strings.Join(where, " AND ")
	}
	rows, err := c.query(ctx, "list people", soql+fmt.Sprintf(" ORDER BY Id LIMIT %d", listPage))
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, row := range rows {
		if id := text(row["Id"]); objectOf(id) == object {
			listed.People = append(listed.People, connectors.Listing{VendorID: id18(id), Email: text(row["Email"]), State: c.state(row)})
			after = id18(id)
		}
	}
	switch {
	case len(rows) == listPage:
		listed.Cursor = after
	case at+1 < len(c.objects):
		listed.Cursor = c.objects[at+1]
	}
	return listed, nil
}
