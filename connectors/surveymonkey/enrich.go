package surveymonkey

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// readers is how many responses are read at once.
const readers = 4

// Enrich implements connectors.Enricher: the response that an event names, with
// the person who gave it. The API reads responses one by one; four are under way
// at once, and a survey's questions are kept between calls. A failure that
// concerns everybody (a used up day, a refused token) ends the round, and what
// was read before is given.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	r := round{c: c, found: map[string]connectors.Record{}}
	ids := make([]string, len(lookups))
	var group errgroup.Group
	group.SetLimit(readers)
	asked := map[string]bool{}
	for i, l := range lookups {
		var n notice
		if json.Unmarshal(l.Body, &n) != nil || !fetchable(n) {
			continue
		}
		ids[i] = string(n.Resources.SurveyID) + "/" + string(n.ObjectID)
		if asked[ids[i]] {
			continue
		}
		asked[ids[i]] = true
		group.Go(func() error {
			r.read(ctx, ids[i], n)
			return nil
		})
	}
	_ = group.Wait()
	if r.stopped != nil && len(r.found) == 0 {
		return nil, r.stopped
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		found, ok := r.found[id]
		switch {
		case ok:
			records[i] = found
		case id == "":
			records[i].Err = &connectors.PushError{Act: "surveymonkey: read a response", Reason: connectors.ReasonInvalid, Message: "the event names no response"}
		default:
			records[i].Err = r.stopped
		}
	}
	return records, nil
}

// round is one call of Enrich.
type round struct {
	c *Connector

	mu      sync.Mutex
	found   map[string]connectors.Record
	stopped *connectors.PushError
}

func (r *round) read(ctx context.Context, id string, n notice) {
	r.mu.Lock()
	stopped := r.stopped
	r.mu.Unlock()
	if stopped != nil {
		return
	}
	record, err := r.c.record(ctx, n)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.found[id] = record
		return
	}
	e := connectors.AsPushError(err)
	switch {
	case !concernsAll(e):
		r.found[id] = connectors.Record{Err: e}
	case r.stopped == nil:
		r.stopped = e
	}
}

// concernsAll reports whether a failure will meet the next request as well.
func concernsAll(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonBadAnswer, connectors.ReasonGone, connectors.ReasonTooLarge, connectors.ReasonConflict:
		return false
	}
	return true
}

// record reads one response. A response that is gone gives the zero Record.
func (c *Connector) record(ctx context.Context, n notice) (connectors.Record, error) {
	survey := string(n.Resources.SurveyID)
	var r response
	err := c.api.call(ctx, "read a response", http.MethodGet, "/surveys/"+survey+"/responses/"+string(n.ObjectID)+"/details", nil, &r)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return connectors.Record{}, nil
	case err != nil:
		return connectors.Record{}, err
	case r.ID == "":
		return connectors.Record{}, &connectors.PushError{
			Act: "surveymonkey: read a response", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no response",
		}
	}
	f, err := c.forms.of(ctx, survey, &r)
	if err != nil {
		return connectors.Record{}, err
	}
	person, err := c.person(ctx, &r, f)
	if err != nil {
		return connectors.Record{}, err
	}
	m := map[string]any{
		"id": string(r.ID), "survey_id": survey, "survey": f.title, "status": r.Status,
		"answers": f.answers(&r), "custom_variables": r.Variables, "contacts": []any{},
	}
	if person != nil {
		m["contacts"] = []any{person}
	}
	if score, ok := f.score(&r, c.npsQuestion); ok {
		m["kind"], m["score"] = "nps", score
	}
	if comment := f.comment(&r, c.comment); comment != "" {
		m["comment"] = comment
	}
	b, err := json.Marshal(m)
	if err != nil {
		return connectors.Record{}, &connectors.PushError{Act: "surveymonkey: read a response", Reason: connectors.ReasonBadAnswer, Err: err}
	}
	out := connectors.Record{JSON: b}
	if at, err := time.Parse(time.RFC3339, r.Modified); err == nil {
		out.ModifiedAt = lifecycle.At(at)
	}
	return out, nil
}

// person says who answered: whoever was invited by mail, else what the survey's
// link carried, else the address that was asked for; nil where nobody is named.
// Of a link only one key is taken, so that nobody can join two people by
// writing the id of one and the address of another into it.
func (c *Connector) person(ctx context.Context, r *response, f *form) (map[string]any, error) {
	if numberForm.MatchString(string(r.RecipientID)) && numberForm.MatchString(string(r.CollectorID)) {
		var who recipient
		path := "/collectors/" + string(r.CollectorID) + "/recipients/" + string(r.RecipientID)
		err := c.api.call(ctx, "read a recipient", http.MethodGet, path, nil, &who)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return nil, err
		}
		if strings.Contains(who.Email, "@") {
			return named(map[string]any{"email": normalEmail(who.Email)}, who), nil
		}
	}
	if user := variable(r, c.userVar); user != "" {
		return map[string]any{"user": user}, nil
	}
	for _, email := range []string{variable(r, c.emailVar), f.email(r)} {
		if strings.Contains(email, "@") {
			return map[string]any{"email": normalEmail(email)}, nil
		}
	}
	return nil, nil
}

// named adds the names that say something.
func named(person map[string]any, who recipient) map[string]any {
	for name, value := range map[string]string{"first_name": who.FirstName, "last_name": who.LastName} {
		if value = strings.TrimSpace(value); value != "" && value != placeholder {
			person[name] = value
		}
	}
	return person
}

func variable(r *response, name string) string {
	if name == "" {
		return ""
	}
	s, _ := r.Variables[name].(string)
	return strings.TrimSpace(s)
}
