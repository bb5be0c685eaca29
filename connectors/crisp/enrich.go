package crisp

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of what is remembered of conversations.
const (
	sessionFresh = time.Hour
	// unknownFresh is for visitors without an address, who may soon have one.
	unknownFresh = 10 * time.Minute
	maxSessions  = 5000
)

// concurrency is how many requests one connection has under way.
const concurrency = 3

// sessions remembers who is behind a conversation, since each question costs a
// request of the daily quota.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]remembered
}

type remembered struct {
	record json.RawMessage // nil: there is no such conversation
	until  time.Time
}

func (s *sessions) get(id string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.known[id]
	if !ok || !s.now().Before(r.until) {
		return nil, false
	}
	return r.record, true
}

func (s *sessions) put(id string, record json.RawMessage, fresh time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSessions {
		s.known = map[string]remembered{}
	}
	s.known[id] = remembered{record, s.now().Add(fresh)}
}

// Enrich implements connectors.Enricher: it asks once for each conversation
// who its visitor is. A record has the conversation's id and, once the visitor
// is known, the person under contacts.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	for i, l := range lookups {
		var n notice
		var d details
		if json.Unmarshal(l.Body, &n) == nil && json.Unmarshal(n.Data, &d) == nil && sessionForm(string(d.Session)) {
			ids[i] = string(d.Session)
		}
	}
	asked := slices.Compact(slices.Sorted(slices.Values(ids)))
	answers := make([]connectors.Record, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, id := range asked {
		group.Go(func() error {
			var err error
			answers[i].JSON, err = c.session(ctx, id)
			if err == nil {
				return nil
			}
			e := connectors.AsPushError(err)
			answers[i].Err = e
			if e.Retryable || e.Reason == connectors.ReasonAuth || e.Reason == connectors.ReasonForbidden {
				return e // the others would fare no better
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		at, _ := slices.BinarySearch(asked, id)
		records[i] = answers[at]
	}
	return records, nil
}

// session gives the record of a conversation; nil when it is gone.
func (c *Connector) session(ctx context.Context, id string) (json.RawMessage, error) {
	if id == "" {
		return nil, nil
	}
	if record, ok := c.sessions.get(id); ok {
		return record, nil
	}
	var m meta
	_, err := c.api.get(ctx, "read a conversation", "/conversation/"+url.PathEscape(id)+"/meta", &m)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		c.sessions.put(id, nil, sessionFresh)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	contacts := []any{}
	fresh := unknownFresh
	if email := strings.TrimSpace(m.Email); email != "" {
		contacts, fresh = []any{known(map[string]string{"email": email, "name": m.Nickname, "phone": m.Phone})}, sessionFresh
	}
	object := map[string]any{"id": id, "contacts": contacts, "segments": m.Segments}
	if len(m.Data) > 0 && m.Data[0] == '{' {
		object["data"] = m.Data
	}
	record, err := json.Marshal(object)
	if err != nil {
		return nil, badAnswer("crisp: read a conversation")
	}
	c.sessions.put(id, record, fresh)
	return record, nil
}

// known leaves out what has no value.
func known(all map[string]string) map[string]any {
	m := map[string]any{}
	for name, value := range all {
		if value = strings.TrimSpace(value); value != "" {
			m[name] = value
		}
	}
	return m
}
