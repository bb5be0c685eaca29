package hubspot_test

import (
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/hubspot"
	"github.com/stagebridge/stagebridge/mapping"
)

// Every type that a rule names is one that the form and the docs describe. The
// rules' own tests run in the conformance suite.
func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := hubspot.Vendor().Descriptor
	rules, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "hubspot-eu", Connector: "hubspot"})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	for _, kind := range rules.Types() {
		if !slices.Contains(known, kind) {
			t.Errorf("a rule names the type %s, the descriptor does not", kind)
		}
	}
}
