package catalog

import (
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Capabilities is what a vendor's connections can do.
type Capabilities struct {
	// Source takes webhooks; Enricher fetches the record that one is about;
	// Registrar creates the webhook at the vendor.
	Source, Enricher, Registrar bool
	// Destination takes stages and segments, of state or of events (see
	// connectors.Limits); Reader reads back what the vendor holds.
	Destination, Reader bool
	Takes               string
	// Checker tests the connection.
	Checker bool
	// Limits of a destination; zero without one.
	Limits connectors.Limits
}

// CapabilitiesOf opens a vendor with the defaults and examples of its form and
// sees what the connector implements. No request is made. The error is the
// vendor's own about settings, which the catalogue test rules out.
func CapabilitiesOf(v connectors.Vendor) (Capabilities, error) {
	conn, err := v.Open(example(v.Descriptor))
	if err != nil {
		return Capabilities{}, fmt.Errorf("catalog: open %s with its examples: %w", v.Descriptor.ID, err)
	}
	var c Capabilities
	_, c.Source = conn.(connectors.Source)
	_, c.Enricher = conn.(connectors.Enricher)
	_, c.Registrar = conn.(connectors.Registrar)
	_, c.Reader = conn.(connectors.Reader)
	_, c.Checker = conn.(connectors.Checker)
	if d, ok := conn.(connectors.Destination); ok {
		c.Destination, c.Limits = true, d.Limits()
		c.Takes = c.Limits.Takes
	}
	return c, nil
}

// example fills in what the form cannot do without.
func example(d *connectors.Descriptor) connectors.Config {
	c := connectors.Config{
		ID: d.ID, Instance: "catalog", PublicURL: "https://bridge.example.com/hooks/" + d.ID,
		Settings: map[string]string{}, Secrets: map[string][]secret.Text{},
	}
	for _, f := range d.Settings {
		switch {
		case f.Default != "":
			c.Settings[f.Name] = f.Default
		case f.Required == "always":
			c.Settings[f.Name] = f.Example
		}
	}
	for _, f := range d.Secrets {
		if f.Required == "always" {
			c.Secrets[f.Name] = []secret.Text{secret.New(strings.ReplaceAll(f.Example, "…", "example"))}
		}
	}
	return c
}
