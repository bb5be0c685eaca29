package pipedrive

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Enrich implements connectors.Enricher: it reads the persons whom deals,
// leads and activities name by id, all of them together, and the names of
// stages and pipelines. A record is the event's own object with its person
// under contacts; without the person there it has none.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	subjects := make([]subject, len(lookups))
	var ids []string
	deals := false
	for i, l := range lookups {
		var n notice
		if json.Unmarshal(l.Body, &n) != nil {
			continue
		}
		subjects[i] = subjectOf(&n)
		if subjects[i].person != "" {
			ids = append(ids, subjects[i].person)
		}
		deals = deals || subjects[i].Stage != 0
	}
	if deals {
		if err := c.names.refresh(ctx); err != nil {
			return nil, err
		}
	}
	people, err := c.people(ctx, ids, nil)
	if err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	for i, s := range subjects {
		records[i] = c.record(s, people[s.person])
	}
	return records, nil
}

// subject is what an event says about its own object.
type subject struct {
	ID       text  `json:"id"`
	Stage    int64 `json:"stage_id"`
	Pipeline int64 `json:"pipeline_id"`
	person   string
}

func subjectOf(n *notice) subject {
	var s subject
	if json.Unmarshal(n.Data, &s) != nil {
		// A stage that is no number has no name either.
		s = subject{ID: n.Meta.EntityID}
	}
	s.person = n.personID()
	return s
}

// record builds what the rules see. Values that the person lacks are left out:
// they say nothing against what other systems know.
func (c *Connector) record(s subject, p *person) connectors.Record {
	m := map[string]any{"id": string(s.ID), "contacts": []any{}}
	stage, pipeline := c.names.of(s.Stage, s.Pipeline)
	put(m, "stage", stage)
	put(m, "pipeline", pipeline)
	r := connectors.Record{}
	if p != nil {
		one := map[string]any{"id": p.id()}
		put(one, "email", chief(p.Emails))
		put(one, "phone", chief(p.Phones))
		put(one, "name", p.Name)
		put(one, "first_name", p.FirstName)
		put(one, "last_name", p.LastName)
		put(one, "job_title", p.JobTitle)
		if p.OrgID != nil {
			put(one, "org_id", strconv.FormatInt(*p.OrgID, 10))
		}
		m["contacts"] = []any{one}
		if at, err := time.Parse(time.RFC3339, p.Updated); err == nil {
			r.ModifiedAt = lifecycle.At(at)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		r.Err = &connectors.PushError{Act: "pipedrive: read persons", Reason: connectors.ReasonBadAnswer, Message: err.Error(), Err: err}
		return r
	}
	r.JSON = b
	return r
}

func put(m map[string]any, name, value string) {
	if value = strings.TrimSpace(value); value != "" {
		m[name] = value
	}
}
