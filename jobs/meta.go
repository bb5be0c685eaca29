package jobs

import (
	"encoding/json"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Meta is what is kept of a raw event beside its bytes.
type Meta struct {
	Format  string             `json:"format,omitempty"`
	Headers map[string]string  `json:"headers,omitempty"`
	Broken  string             `json:"broken,omitempty"`
	Echo    string             `json:"echo,omitempty"`
	Written []connectors.Field `json:"written,omitempty"`
	// Lookup and path as the request had them are not kept: they may hold secrets.
	Public bool `json:"public,omitempty"`
	// RequestID is the request's own, where it came with one.
	RequestID string `json:"request_id,omitempty"`
	// Trace is the span of that request, where it is recorded: see observe.Parent.
	Trace string `json:"trace,omitempty"`
}

// Origin is what is kept of the request that brought raw events; the zero
// value keeps nothing.
type Origin struct{ RequestID, Trace string }

// Keep turns a source's raw events into what the store keeps.
func Keep(events []connectors.RawEvent, from Origin) []store.NewEvent {
	kept := make([]store.NewEvent, len(events))
	for i := range events {
		e := &events[i]
		kept[i] = store.NewEvent{Dedupe: e.Dedupe, Type: e.Type, At: e.At, Body: e.Body, Meta: encodeMeta(e, from)}
		switch {
		case e.Broken != "":
			kept[i].Flag = store.FlagBroken
		case e.Echo != "":
			kept[i].Flag = store.FlagEcho
		case e.NeedsRecord:
			kept[i].Flag = store.FlagRecord
		}
	}
	return kept
}

func encodeMeta(e *connectors.RawEvent, from Origin) string {
	if from == (Origin{}) && !e.Public && e.Broken == "" && e.Echo == "" && len(e.Headers) == 0 && len(e.Written) == 0 && (e.Format == "" || e.Format == connectors.FormatJSON) {
		return ""
	}
	m := Meta{Format: e.Format, Headers: e.Headers, Broken: e.Broken, Echo: e.Echo, Written: e.Written, Public: e.Public, RequestID: from.RequestID, Trace: from.Trace}
	b, err := json.Marshal(m)
	if err != nil {
		return "" // texts always encode
	}
	return string(b)
}

// ParseMeta reads what Keep wrote; an empty text is the zero Meta.
func ParseMeta(text string) Meta {
	var m Meta
	if text != "" {
		_ = json.Unmarshal([]byte(text), &m) // written by Keep
	}
	return m
}

// canonical gives every value of an event the form it has when it is read back
// from the store, so that applying an event and deriving from it later agree.
func canonical(e *lifecycle.Event) {
	for i := range e.Traits {
		e.Traits[i].Value = store.Plain(e.Traits[i].Value)
	}
	for k, v := range e.Properties {
		e.Properties[k] = store.Plain(v)
	}
}
