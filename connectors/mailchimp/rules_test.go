package mailchimp_test

import (
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/mapping"
)

// TestRulesNameKnownTypes: a rule for a type that never arrives would be dead.
// What the rules make of each type is in the goldens.
func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := mailchimp.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "newsletter", Connector: d.ID})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	for _, typ := range rs.Types() {
		if !slices.Contains(known, typ) {
			t.Errorf("a rule names %s, the descriptor does not", typ)
		}
	}
}
