package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

const (
	// maxKeyText is the longest business key kept as it is; a longer one is
	// replaced by its hash.
	maxKeyText = 200
	// maxKeys is how many identifiers one event may name.
	maxKeys = 50
)

// event makes one event of the row.
func (r *run) event(e *emit) (lifecycle.Event, error) {
	o := &r.rs.options
	out := lifecycle.Event{ID: lifecycle.NewEventID(o.Connection, r.in.Dedupe, len(r.events)), Name: e.event, Connection: o.Connection}
	var err error
	if out.At, err = r.at(e); err != nil {
		return out, err
	}
	if out.Identity, err = r.identity(e); err != nil {
		return out, err
	}
	if out.BusinessKey, err = r.businessKey(e); err != nil {
		return out, err
	}
	if out.Traits, err = r.traits(e, out.At); err != nil {
		return out, err
	}
	if out.Properties, err = r.properties(e); err != nil {
		return out, err
	}
	if out.Value, err = r.value(e); err != nil {
		return out, err
	}
	out.Claim, err = r.claim(e)
	return out, err
}

// at gives the event's time: the expression's, else the source's, else when it
// was received.
func (r *run) at(e *emit) (lifecycle.Instant, error) {
	otherwise := r.in.At
	if otherwise == 0 {
		otherwise = r.in.Received
	}
	if e.at == nil {
		return otherwise, nil
	}
	v, err := r.eval(e.at)
	if err != nil {
		return 0, err
	}
	switch x := v.(type) {
	case nil:
		return otherwise, nil
	case expression.Time:
		return lifecycle.Instant(x), nil
	case string:
		if x == "" {
			return otherwise, nil
		}
		if t, err := time.Parse(time.RFC3339Nano, x); err == nil {
			return lifecycle.At(t), nil
		}
		return 0, r.fail(e.at.source, "gives "+describe(v)+", which is not RFC 3339; use parseTime(…)")
	case int64, float64:
		return 0, r.fail(e.at.source, "gives the number "+describe(v)+", whose unit is not known; use fromUnix(…) or fromUnixMilli(…)")
	}
	return 0, r.fail(e.at.source, "gives "+describe(v)+", want a time")
}

// identity gives the keys of the person, strongest first.
func (r *run) identity(e *emit) ([]lifecycle.Key, error) {
	keys := make([]lifecycle.Key, 0, len(e.identity))
	for i := range e.identity {
		n := &e.identity[i]
		v, err := r.eval(n.expr)
		if err != nil {
			return nil, err
		}
		values, ok := v.([]any)
		if !ok {
			if keys, err = r.key(keys, n, v); err != nil {
				return nil, err
			}
			continue
		}
		for _, v := range values {
			if len(keys) == maxKeys {
				return nil, r.fail(n.source, fmt.Sprintf("gives more than %d identifiers", maxKeys))
			}
			if keys, err = r.key(keys, n, v); err != nil {
				return nil, err
			}
		}
	}
	if len(keys) == 0 {
		err := r.failAt(e.node, e.path+".identity", "names nobody: every identifier is empty or cannot be used")
		err.cause = ErrNoIdentity
		return nil, err
	}
	return lifecycle.SortKeys(keys), nil
}

// key adds one identifier; one that is empty or unusable is left out.
func (r *run) key(keys []lifecycle.Key, n *named, v any) ([]lifecycle.Key, error) {
	var text string
	switch x := v.(type) {
	case nil:
		return keys, nil
	case string:
		text = x
	case int64:
		text = strconv.FormatInt(x, 10)
	case float64:
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return nil, r.fail(n.source, "gives the fraction "+describe(v)+" as an identifier")
		}
		text = strconv.FormatFloat(x, 'f', 0, 64)
	default:
		return nil, r.fail(n.source, "gives "+describe(v)+" as an identifier, want a text or whole number")
	}
	if key, ok := lifecycle.NormaliseKey(r.rs.namespace(n.name), text); ok {
		keys = append(keys, key)
	}
	return keys, nil
}

// namespace gives the stored form: two accounts at one vendor each have a
// contact 51, so the vendor's own namespace is that of the connection.
func (rs *Ruleset) namespace(name string) string {
	switch {
	case name != rs.options.Connector:
		return name
	case rs.options.IdentityScope != "":
		return rs.options.IdentityScope
	}
	return rs.options.Connection
}

func (r *run) businessKey(e *emit) (string, error) {
	if e.key == nil {
		return "", nil
	}
	v, err := r.eval(e.key)
	if err != nil {
		return "", err
	}
	var text string
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		text = strings.TrimSpace(x)
	case int64:
		text = strconv.FormatInt(x, 10)
	case float64:
		text = strconv.FormatFloat(x, 'f', -1, 64)
	case expression.Time:
		text = x.String()
	default:
		return "", r.fail(e.key.source, "gives "+describe(v)+" as the business key, want a text or number")
	}
	if len(text) > maxKeyText {
		sum := sha256.Sum256([]byte(text))
		text = "sha256:" + hex.EncodeToString(sum[:])
	}
	return text, nil
}

// traits gives the facts. What the payload does not have says nothing; what it
// has as null removes the trait.
func (r *run) traits(e *emit, at lifecycle.Instant) ([]lifecycle.Trait, error) {
	if len(e.traits) == 0 {
		return nil, nil
	}
	traits := make([]lifecycle.Trait, 0, len(e.traits))
	for i := range e.traits {
		n := &e.traits[i]
		v, err := r.plain(n.expr)
		if err != nil {
			return nil, err
		}
		if v == nil && (n.Path() == "" || n.Missing(r.env[:])) {
			continue
		}
		t := lifecycle.Trait{Name: n.name, Value: v, At: at}
		if n.fromRecord {
			t.At = r.recordAt()
		}
		traits = append(traits, t)
	}
	return traits, nil
}

// recordAt is never the event's own time: a record fetched for an old event
// tells what is true now.
func (r *run) recordAt() lifecycle.Instant {
	if r.in.RecordAt != 0 {
		return r.in.RecordAt
	}
	return r.in.Received
}

func (r *run) properties(e *emit) (map[string]any, error) {
	if len(e.properties) == 0 {
		return nil, nil
	}
	m := make(map[string]any, len(e.properties))
	for i := range e.properties {
		n := &e.properties[i]
		v, err := r.plain(n.expr)
		if err != nil {
			return nil, err
		}
		if v != nil {
			m[n.name] = v
		}
	}
	return m, nil
}

// value gives the sum, nil when there is no amount.
func (r *run) value(e *emit) (*lifecycle.Money, error) {
	if e.amount == nil {
		return nil, nil
	}
	v, err := r.eval(e.amount)
	if err != nil || v == nil || v == "" {
		return nil, err
	}
	micros, err := amount(v)
	if err != nil {
		return nil, r.fail(e.amount.source, "gives "+describe(v)+", which "+err.Error())
	}
	c, err := r.eval(e.currency)
	if err != nil {
		return nil, err
	}
	code, err := currency(c)
	if err != nil {
		return nil, r.fail(e.currency.source, err.Error())
	}
	return &lifecycle.Money{Micros: micros, Currency: code}, nil
}

// claim gives the stage that the vendor says, in our spelling.
func (r *run) claim(e *emit) (lifecycle.Stage, error) {
	if e.stage == nil {
		return "", nil
	}
	v, err := r.eval(e.stage)
	if err != nil || v == nil {
		return "", err
	}
	theirs, ok := v.(string)
	if !ok {
		if n, whole := v.(int64); whole {
			theirs, ok = strconv.FormatInt(n, 10), true
		}
	}
	if !ok {
		return "", r.fail(e.stage.source, "gives "+describe(v)+" as a stage, want a text")
	}
	theirs = strings.TrimSpace(theirs)
	if ours, ok := r.rs.stages[theirs]; ok {
		return ours, nil
	}
	if len(theirs) > lifecycle.MaxNameBytes {
		return "", r.fail(e.stage.source, "gives a stage's name that is too long")
	}
	return lifecycle.Stage(theirs), nil
}
