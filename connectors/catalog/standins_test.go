package catalog

import (
	"maps"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// elsewhere are vendors that take pushes and have no stand-in in their folder,
// with where they are simulated.
var elsewhere = map[string]string{
	"generic-webhook": "standin.Sink is its receiver, which the demo's own story shows",
}

// TestEveryDestinationHasAStandIn compares the stand-ins with the catalogue.
func TestEveryDestinationHasAStandIn(t *testing.T) {
	t.Parallel()
	all := StandIns()
	for _, v := range All() {
		id := v.Descriptor.ID
		can, err := connectors.CapabilitiesOf(v)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if can.Destination && all[id] == nil && elsewhere[id] == "" {
			t.Errorf("%s takes pushes and has no stand-in in its folder", id)
		}
	}
	for id, why := range elsewhere {
		if _, known := Find(id); !known || all[id] != nil {
			t.Errorf("%s is no vendor or has a stand-in, and elsewhere says: %s", id, why)
		}
	}
}

// TestStandInsOpen opens each vendor under the connection that its stand-in
// gives.
func TestStandInsOpen(t *testing.T) {
	t.Parallel()
	for id, sim := range StandIns() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			v, known := Find(id)
			if !known {
				t.Fatal("there is no such vendor")
			}
			can, err := connectors.CapabilitiesOf(v)
			if err != nil {
				t.Fatal(err)
			}
			settings, secrets := sim.Connection("http://127.0.0.1:1")
			cfg := connectors.Config{
				ID: id, Instance: "stand-in", PublicURL: "https://bridge.example.com/hooks/" + id,
				Settings: map[string]string{}, Secrets: map[string][]secret.Text{},
				Push: connectors.PushConfig{Enabled: can.Destination, Create: true},
			}
			for _, f := range v.Descriptor.Settings {
				if f.Default != "" {
					cfg.Settings[f.Name] = f.Default
				}
			}
			maps.Copy(cfg.Settings, settings)
			for name, value := range secrets {
				cfg.Secrets[name] = []secret.Text{secret.New(value)}
			}
			if _, err := v.Open(cfg); err != nil {
				t.Errorf("open: %v", err)
			}
			if n := sim.Writes(); n != 0 {
				t.Errorf("a fresh stand-in counts %d writes", n)
			}
		})
	}
}
