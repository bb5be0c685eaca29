package connectortest

import (
	"errors"
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/mapping"
)

// compileRules compiles the vendor's default rules for the case's connection.
func (c Case) compileRules(t testing.TB, cfg connectors.Config) *mapping.Ruleset {
	t.Helper()
	d := c.Vendor.Descriptor
	rules, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: cfg.ID, Connector: d.ID, Stages: cfg.Push.Stages})
	if err != nil {
		t.Fatalf("rules.yaml: %v", err)
	}
	return rules
}

// runRules holds the vendor's default rules against the rule language, the
// tests that stand beside them, and the vocabulary.
func runRules(t *testing.T, c Case) {
	rules := c.compileRules(t, c.fill())
	results := mapping.RunTests(rules)
	if len(results) == 0 {
		t.Error("rules.yaml has no tests")
	}
	for _, r := range results {
		if !r.Passed() {
			t.Errorf("rules.yaml:%d: test %q: %v", r.Line, r.Name, r.Problems)
		}
	}
	vocabulary := plans.Vocabulary()
	for _, name := range rules.Events() {
		if _, known := vocabulary[name]; !known {
			t.Errorf("the rules emit %s, which the vocabulary does not have", name)
		}
	}
	for _, e := range c.Vendor.Descriptor.Events {
		if !slices.Contains(rules.Types(), e.Type) {
			t.Logf("no rule names the event type %s; it is kept and ignored", e.Type)
		}
	}
}

// goldenMapped is a canonical event as want.json shows it.
type goldenMapped struct {
	Event      string            `json:"event"`
	At         string            `json:"at,omitempty"`
	Key        string            `json:"key,omitempty"`
	Identity   []string          `json:"identity"`
	Traits     map[string]any    `json:"traits,omitempty"`
	Properties map[string]any    `json:"properties,omitempty"`
	Value      map[string]string `json:"value,omitempty"`
	Stage      string            `json:"stage,omitempty"`
}

// mapped is what the default rules make of a raw event that is whole and needs
// no record; nil for the others.
func (c Case) mapped(t testing.TB, o opened, e connectors.RawEvent) any {
	t.Helper()
	if e.Broken != "" || e.NeedsRecord || e.Echo != "" {
		return nil
	}
	out := c.compileRules(t, o.config).Apply(&mapping.Input{
		Type: e.Type, Raw: e.Body, Format: e.Format, Headers: e.Headers, At: e.At, Dedupe: e.Dedupe[:],
	})
	if out.Err != nil {
		return "failed: " + out.Err.Error()
	}
	var all []goldenMapped
	for _, ev := range out.Events {
		m := goldenMapped{Event: string(ev.Name), At: instantText(ev.At), Key: ev.BusinessKey, Properties: ev.Properties, Stage: string(ev.Claim)}
		for _, k := range ev.Identity {
			m.Identity = append(m.Identity, k.String())
		}
		for _, trait := range ev.Traits {
			if m.Traits == nil {
				m.Traits = map[string]any{}
			}
			m.Traits[trait.Name] = trait.Value
		}
		if ev.Value != nil {
			m.Value = map[string]string{"micros": jsonText(ev.Value.Micros), "currency": ev.Value.Currency}
		}
		all = append(all, m)
	}
	if all == nil {
		return nil
	}
	return all
}

// decodes reports whether mapping can read a raw event's body.
func decodes(e connectors.RawEvent) bool {
	_, err := mapping.Decode(e.Format, e.Body)
	var wrong *mapping.DecodeError
	return !errors.As(err, &wrong)
}
