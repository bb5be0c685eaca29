package summary

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Bounds of what is kept of one person, so that no sender can make summaries large.
const (
	maxTextBytes = 64 // of a trait's or property's value; longer ones are left out
	maxTraits    = 40
)

// LeadScore is the property that holds what an event said of the trait of this
// name: when a lead's score rose is known from the events alone. Under a plan with
// a score of this name it is that score after the event.
const LeadScore = "lead_score"

// Properties are the properties of events that reports read; lead_score is the
// trait. All others are left out.
func Properties() []string {
	return []string{
		"band", "by", "campaign", "channel", "content", "deal", "form", "interval", "kind", LeadScore, "level", "list", "medium", "name", "pipeline",
		"plan", "previous_plan", "priority", "reason", "score", "source", "stage", "subscription", "survey", "term", "ticket",
	}
}

// Keyed are the categories of events whose business key is kept: the part of a
// name before its colon.
func Keyed() []string {
	return []string{"Deal", "Meeting", "Subscription", "Survey", "Ticket", "Trial"}
}

// personal are traits that tell who somebody is, which no report needs.
func personal() []string {
	return []string{"address", "birthday", "display_name", "email", "first_name", "full_name", "last_name", "name", "phone", "street", "username"}
}

// summariser makes summaries. It is made once for many people, and is used by
// one goroutine.
type summariser struct {
	properties, keyed, personal map[string]bool
}

func newSummariser() *summariser {
	return &summariser{setOf(Properties()), setOf(Keyed()), setOf(personal())}
}

func setOf(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// events keeps what reports need of the events that count.
func (s *summariser) events(all []lifecycle.Event) []Event {
	var kept []Event
	for _, e := range lifecycle.Effective(all) {
		if e.IsDecision() {
			continue
		}
		one := Event{Name: e.Name, At: e.At, Connection: e.Connection, Properties: s.ofEvent(&e)}
		if e.Value != nil && e.Value.Currency != "" {
			one.Amount = *e.Value
		}
		if category, _, _ := strings.Cut(string(e.Name), ":"); e.BusinessKey != "" && s.keyed[category] {
			one.Key = hashOf(category, e.BusinessKey)
		}
		kept = append(kept, one)
	}
	return kept
}

func (s *summariser) ofEvent(e *lifecycle.Event) []Property {
	var kept []Property
	for name, v := range e.Properties {
		if s.properties[name] && name != LeadScore {
			if text, ok := short(v); ok {
				kept = append(kept, Property{name, text})
			}
		}
	}
	for i := range e.Traits {
		if e.Traits[i].Name == LeadScore {
			if text, ok := short(e.Traits[i].Value); ok {
				kept = append(kept, Property{LeadScore, text})
				break
			}
		}
	}
	slices.SortFunc(kept, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return kept
}

func (s *summariser) traits(prof *lifecycle.Profile) []Trait {
	var kept []Trait
	for t := range prof.Traits() {
		if text, ok := short(t.Value); ok && !s.personal[t.Name] && len(t.Name) <= maxTextBytes && len(kept) < maxTraits {
			kept = append(kept, Trait{t.Name, text})
		}
	}
	return kept
}

// short writes a simple value that is worth keeping.
func short(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, x != "" && len(x) <= maxTextBytes && utf8.ValidString(x)
	case bool:
		return strconv.FormatBool(x), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	return "", false
}

// hashOf is never zero.
func hashOf(category, key string) uint64 {
	h := sha256.New()
	h.Write([]byte(category))
	h.Write([]byte{0})
	h.Write([]byte(key))
	return max(1, binary.BigEndian.Uint64(h.Sum(nil)))
}
