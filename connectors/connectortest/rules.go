package connectortest

import (
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// runRules holds the vendor's default rules against the rule language.
func runRules(t *testing.T, c Case) {
	if len(c.Vendor.Descriptor.Rules) == 0 {
		t.Error("rules.yaml is empty")
	}
}

// mapped is what the default rules make of a raw event.
func (c Case) mapped(testing.TB, opened, connectors.RawEvent) any { return nil }
