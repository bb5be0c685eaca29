package store

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// eventData is the part of an event that is kept as JSON.
type eventData struct {
	Keys       []string          `json:"k"`
	Business   string            `json:"b,omitempty"`
	Traits     []lifecycle.Trait `json:"t,omitempty"`
	Properties map[string]any    `json:"p,omitempty"`
	Value      *lifecycle.Money  `json:"v,omitempty"`
	Claim      lifecycle.Stage   `json:"c,omitempty"`
}

func encodeEvent(e *lifecycle.Event) ([]byte, error) {
	d := eventData{Business: e.BusinessKey, Traits: e.Traits, Properties: e.Properties, Value: e.Value, Claim: e.Claim}
	d.Keys = make([]string, len(e.Identity))
	for i, k := range e.Identity {
		d.Keys[i] = k.String()
	}
	return json.Marshal(d)
}

// decodeEvent reads what encodeEvent wrote. The values share one text. Whatever
// the quick reader does not expect, the library reads.
func decodeEvent(b []byte, e *lifecycle.Event) error {
	r := eventReader{text: string(b)}
	if r.event(e) {
		return nil
	}
	e.Identity, e.BusinessKey, e.Traits, e.Properties, e.Value, e.Claim = nil, "", nil, nil, nil, ""
	return decodeEventSlowly(b, e)
}

func decodeEventSlowly(b []byte, e *lifecycle.Event) error {
	var d eventData
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return err
	}
	e.BusinessKey, e.Traits, e.Properties, e.Value, e.Claim = d.Business, d.Traits, d.Properties, d.Value, d.Claim
	for i := range e.Traits {
		e.Traits[i].Value = Plain(e.Traits[i].Value)
	}
	for k, v := range e.Properties {
		e.Properties[k] = Plain(v)
	}
	e.Identity = make([]lifecycle.Key, len(d.Keys))
	for i, k := range d.Keys {
		ns, value, ok := strings.Cut(k, ":")
		if !ok {
			return fmt.Errorf("key %q has no namespace", k)
		}
		e.Identity[i] = lifecycle.Key{Namespace: ns, Value: value}
	}
	return nil
}

// Plain gives a value the one form it has in and out of the store: whole
// numbers are int64, other numbers float64 (or text, where a float64 cannot hold
// them), lists and maps of the same.
func Plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		if f, err := x.Float64(); err == nil {
			return Plain(f)
		}
		return x.String()
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return int64(x)
		}
		return x
	case int:
		return int64(x)
	case []any:
		for i := range x {
			x[i] = Plain(x[i])
		}
		return x
	case map[string]any:
		for k := range x {
			x[k] = Plain(x[k])
		}
		return x
	}
	return v
}
