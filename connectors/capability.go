package connectors

import (
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/secret"
)

// Capabilities is what a vendor's connections can do.
type Capabilities struct {
	// Source takes webhooks, Poller asks a vendor that sends none; Enricher
	// fetches the record that an event is about; Registrar creates the webhook
	// at the vendor.
	Source, Poller, Enricher, Registrar bool
	// Destination takes stages and segments, of state or of events (see
	// Limits); Reader reads back what the vendor holds, Lister lists
	// who is there, Eraser forwards an erasure.
	Destination, Reader, Lister, Eraser bool
	// AccountDestination takes stages and segments of accounts.
	AccountDestination bool
	Takes              string
	// Checker tests the connection; JobPoller follows jobs that the vendor
	// takes pushes as; TrackingAPI also takes requests at /v1/*.
	Checker, JobPoller, TrackingAPI bool
	// Limits of a destination; zero without one.
	Limits Limits
}

// CapabilitiesOf opens a vendor with the defaults and examples of its form and
// sees what the connector implements. No request is made. The error is the
// vendor's own about settings, which the catalogue test rules out.
func CapabilitiesOf(v Vendor) (Capabilities, error) {
	conn, err := v.Open(example(v.Descriptor))
	if err != nil {
		return Capabilities{}, fmt.Errorf("connectors: open %s with its examples: %w", v.Descriptor.ID, err)
	}
	var c Capabilities
	_, c.Source = conn.(Source)
	_, c.Poller = conn.(Poller)
	_, c.Enricher = conn.(Enricher)
	_, c.Registrar = conn.(Registrar)
	_, c.Reader = conn.(Reader)
	_, c.Lister = conn.(Lister)
	_, c.Eraser = conn.(Eraser)
	_, c.AccountDestination = conn.(AccountDestination)
	_, c.Checker = conn.(Checker)
	_, c.JobPoller = conn.(JobPoller)
	_, c.TrackingAPI = conn.(TrackingAPI)
	if d, ok := conn.(Destination); ok {
		c.Destination, c.Limits = true, d.Limits()
		c.Takes = c.Limits.Takes
	}
	return c, nil
}

// Names lists them as the API and the program's output spell them.
func (c Capabilities) Names() []string {
	names := []string{}
	for _, can := range []struct {
		yes  bool
		name string
	}{
		{c.Source, "source"}, {c.TrackingAPI, "tracking_api"}, {c.Poller, "poller"}, {c.Enricher, "enricher"}, {c.Registrar, "registrar"},
		{c.Takes == TakesState, "destination_state"}, {c.Takes == TakesEvents, "destination_events"}, {c.JobPoller, "job_poller"},
		{c.AccountDestination, "account_destination"},
		{c.Reader, "reader"}, {c.Lister, "lister"}, {c.Eraser, "eraser"}, {c.Checker, "checker"},
	} {
		if can.yes {
			names = append(names, can.name)
		}
	}
	return names
}

// example fills in what the form cannot do without.
func example(d *Descriptor) Config {
	c := Config{
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
