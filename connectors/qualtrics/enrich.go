package qualtrics

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// concurrency is how many requests one connection has under way.
	concurrency = 5
	// A response may be told of before it can be read. Until lagMax after it was
	// first asked for in vain it is asked for again every lagPause.
	lagMax   = 10 * time.Minute
	lagPause = 15 * time.Second
	maxLag   = 10_000
	// maxCommentRunes bounds the comment that a record carries.
	maxCommentRunes = 2000
)

// response is one person's answers, as the API gives them.
type response struct {
	ID     string                     `json:"responseId"`
	Values map[string]json.RawMessage `json:"values"`
	Labels map[string]any             `json:"labels"`
}

// Enrich implements connectors.Enricher: the response that an event names, one
// request each, five at a time.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	records := make([]connectors.Record, len(lookups))
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i, l := range lookups {
		group.Go(func() error {
			records[i] = c.record(ctx, l)
			return nil
		})
	}
	_ = group.Wait()
	for _, r := range records {
		if r.Err == nil || !concernsAll(r.Err) {
			return records, nil
		}
	}
	if len(records) == 0 {
		return records, nil
	}
	return nil, records[0].Err
}

func (c *Connector) record(ctx context.Context, l connectors.Lookup) connectors.Record {
	const act = "read a response"
	m, broken := readMessage(l.Body)
	if broken != "" || !m.fetchable() {
		return connectors.Record{Err: &connectors.PushError{Act: "qualtrics: " + act, Reason: connectors.ReasonInvalid, Message: "the event names no response"}}
	}
	var r response
	err := c.api.call(ctx, act, http.MethodGet, "/surveys/"+m.SurveyID+"/responses/"+m.ResponseID, nil, &r)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound && c.lag.wait(m.ResponseID):
		e := *connectors.AsPushError(err)
		e.Retryable, e.RetryAfter = true, lagPause
		return connectors.Record{Err: &e}
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return connectors.Record{}
	case err != nil:
		return connectors.Record{Err: connectors.AsPushError(err)}
	}
	c.lag.forget(m.ResponseID)
	b, err := json.Marshal(c.flat(m, &r))
	if err != nil {
		return connectors.Record{Err: &connectors.PushError{Act: "qualtrics: " + act, Reason: connectors.ReasonBadAnswer, Err: err}}
	}
	out := connectors.Record{JSON: b}
	if at, err := time.Parse(time.RFC3339, r.text("recordedDate")); err == nil {
		out.ModifiedAt = lifecycle.At(at)
	}
	return out
}

// flat is what the rules see.
func (c *Connector) flat(m message, r *response) map[string]any {
	answers := map[string]any{}
	for name, raw := range r.Values {
		var v any
		if json.Unmarshal(raw, &v) == nil {
			answers[name] = v
		}
	}
	out := map[string]any{
		"id": m.ResponseID, "survey_id": m.SurveyID, "answers": answers, "labels": r.Labels,
		"recorded_at": r.text("recordedDate"), "channel": r.text("distributionChannel"), "contacts": []any{},
	}
	if person := r.person(m); person != nil {
		out["contacts"] = []any{person}
	}
	if score, kind, ok := c.score(r); ok {
		out["score"], out["kind"] = score, kind
	}
	if comment := c.commentOf(r); comment != "" {
		out["comment"] = comment
	}
	return out
}

// person says who answered. Whoever was invited is known by address and by the
// reference that the directory holds. A link that anybody may edit gives one of
// them only, so that nobody can join two people with it.
func (r *response) person(m message) map[string]any {
	person := map[string]any{}
	if ref := r.text("externalDataReference"); ref != "" {
		person["user"] = ref
	}
	if email := normalEmail(r.text("recipientEmail")); strings.Contains(email, "@") && (m.RecipientID != "" || person["user"] == nil) {
		person["email"] = email
	}
	if len(person) == 0 {
		return nil
	}
	if m.RecipientID == "" {
		return person
	}
	for name, from := range map[string]string{"first_name": "recipientFirstName", "last_name": "recipientLastName"} {
		if value := r.text(from); value != "" {
			person[name] = value
		}
	}
	return person
}

// score gives the answer to the net promoter question, else to the satisfaction
// question. A net promoter question is told by its companion field, whose name
// ends in _NPS_GROUP.
func (c *Connector) score(r *response) (score float64, kind string, ok bool) {
	nps := c.nps
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		if question, is := strings.CutSuffix(name, "_NPS_GROUP"); is && nps == "" {
			nps = question
		}
	}
	if score, ok = r.number(nps); ok && score >= 0 && score <= 10 {
		return score, "nps", true
	}
	if score, ok = r.number(c.csat); ok {
		return score, "csat", true
	}
	return 0, "", false
}

// commentOf gives what was written freely: the field of the setting, else the
// first text of a question.
func (c *Connector) commentOf(r *response) string {
	words := r.text(c.comment)
	if c.comment == "" {
		names := slices.Sorted(maps.Keys(r.Values))
		i := slices.IndexFunc(names, func(name string) bool {
			return strings.HasPrefix(name, "QID") && strings.HasSuffix(name, "_TEXT") && r.text(name) != ""
		})
		if i >= 0 {
			words = r.text(names[i])
		}
	}
	if runes := []rune(words); len(runes) > maxCommentRunes {
		return string(runes[:maxCommentRunes])
	}
	return words
}

// text gives a value that is a text.
func (r *response) text(name string) string {
	var s string
	if json.Unmarshal(r.Values[name], &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// number gives a value that is a number, or a text that is one.
func (r *response) number(name string) (float64, bool) {
	var n float64
	if raw, there := r.Values[name]; there && string(raw) != "null" && json.Unmarshal(raw, &n) == nil {
		return n, true
	}
	n, err := strconv.ParseFloat(r.text(name), 64)
	return n, err == nil && n-n == 0 // neither infinite nor no number
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// lag remembers since when responses have been asked for in vain.
type lag struct {
	now func() time.Time

	mu    sync.Mutex
	first map[string]time.Time
}

// wait reports whether a response that is not there may still come.
func (l *lag) wait(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, asked := l.first[id]
	if !asked {
		if len(l.first) >= maxLag {
			clear(l.first)
		}
		l.first[id] = l.now()
		return true
	}
	if l.now().Sub(since) < lagMax {
		return true
	}
	delete(l.first, id)
	return false
}

func (l *lag) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.first, id)
}
