package hubspot

import (
	"context"
	"net/http"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
)

// Read implements connectors.Reader. Values come back in the words of the
// wanted state where they mean the same, so that the two can be compared.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	wanted := []string{"email", "hs_additional_emails", "hs_merged_object_ids", c.stageProperty}
	if c.segmentsAs == segmentsAsProperty {
		wanted = append(wanted, ownSegmentsProperty)
	}
	var ids, emails []string
	for i := range people {
		u := &people[i]
		wanted = append(wanted, sortedKeys(u.Want.Traits)...)
		if digits(u.VendorID) {
			ids = append(ids, u.VendorID)
		} else if u.Email != "" {
			emails = append(emails, foldEmail(u.Email))
		}
	}
	wanted = distinct(wanted)
	byKey := map[string]*object{}
	for _, way := range []struct {
		property string
		keys     []string
		of       func(*object) []string
	}{
		{"", distinct(ids), func(o *object) []string { return append(mergedIDs(o), o.ID) }},
		{"email", distinct(emails), addresses},
	} {
		objects, err := c.readObjects(ctx, "contact", way.property, way.keys, wanted)
		if err != nil {
			return nil, err
		}
		for i := range objects {
			for _, key := range way.of(&objects[i]) {
				byKey[key] = &objects[i]
			}
		}
	}
	w, err := c.words(ctx, people)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i := range people {
		o := byKey[people[i].VendorID]
		if o == nil || people[i].VendorID == "" {
			o = byKey[foldEmail(people[i].Email)]
		}
		if o == nil {
			continue
		}
		state, err := c.state(ctx, &people[i].Want, o, w)
		if err != nil {
			return nil, err
		}
		states[i] = state
	}
	return states, nil
}

// words finds HubSpot's value for every name that the wanted states use.
type words struct{ stages, segments map[string]string }

func (c *Connector) words(ctx context.Context, people []connectors.Update) (words, error) {
	var stages, segments []string
	for i := range people {
		want := &people[i].Want
		if want.Stage != "" {
			stages = append(stages, want.Stage)
		}
		segments = append(append(segments, want.Segments...), want.Absent...)
	}
	var w words
	var err error
	if w.stages, err = c.schema.values(ctx, c.stageDefinition(), distinct(stages), false); err != nil {
		return words{}, err
	}
	if c.segmentsAs == segmentsAsProperty {
		w.segments, err = c.schema.values(ctx, segmentsDefinition(), distinct(segments), false)
	}
	return w, err
}

// state reads one record in the words of the wanted state.
func (c *Connector) state(ctx context.Context, want *connectors.State, o *object, w words) (*connectors.State, error) {
	state := &connectors.State{Stage: o.property(c.stageProperty)}
	if value, known := w.stages[want.Stage]; known && value == state.Stage && want.Stage != "" {
		state.Stage = want.Stage
	}
	for name, value := range want.Traits {
		if state.Traits == nil {
			state.Traits = map[string]any{}
		}
		state.Traits[name] = o.property(name)
		if propertyText(value) == o.property(name) {
			state.Traits[name] = value
		}
	}
	member, err := c.memberOf(ctx, o, w)
	if err != nil {
		return nil, err
	}
	managed := distinct(slices.Concat(want.Segments, want.Absent))
	for _, segment := range managed {
		in, err := member(segment)
		if err != nil {
			return nil, err
		}
		if in {
			state.Segments = append(state.Segments, segment)
		} else {
			state.Absent = append(state.Absent, segment)
		}
	}
	return state, nil
}

// memberOf gives the test whether a record is in a segment. With lists it costs
// one call per record.
func (c *Connector) memberOf(ctx context.Context, o *object, w words) (func(string) (bool, error), error) {
	if c.segmentsAs == segmentsAsProperty {
		held := checkboxValues(o.property(ownSegmentsProperty))
		return func(segment string) (bool, error) {
			value, known := w.segments[segment]
			return known && slices.Contains(held, value), nil
		}, nil
	}
	var got recordMemberships
	_, err := c.call(ctx, "read a contact's lists", http.MethodGet, "/crm/v3/lists/records/"+contactType+"/"+escape(o.ID)+"/memberships", nil, &got)
	if err != nil && reason(err) != connectors.ReasonNotFound {
		return nil, err
	}
	return func(segment string) (bool, error) {
		id, err := c.lists.id(ctx, segment, false)
		if err != nil {
			return false, err
		}
		for _, m := range got.Results {
			if id != "" && string(m.ListID) == id {
				return true, nil
			}
		}
		return false, nil
	}, nil
}
