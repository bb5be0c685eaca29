package marketo_test

import (
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/marketo"
	"github.com/stagebridge/stagebridge/mapping"
)

// TestRulesNameKnownTypes: a rule for a type that never arrives would be dead.
func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := marketo.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "marketo", Connector: d.ID})
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
