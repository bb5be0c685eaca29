// Package connectortest is the bar that every connector meets: a conformance
// suite over the capabilities it has, a builder of fake vendors that records
// what was asked of them, and golden files. It is for tests only.
package connectortest

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Now is the clock of the suite unless a Case sets its own in Config.Now.
var Now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// Case is one connector under test.
type Case struct {
	Vendor connectors.Vendor
	// Config holds settings and secrets that work; the suite fills in ID,
	// Instance, PublicURL, HTTP, Now and Log where they are empty.
	Config connectors.Config
	// Source and Destination describe the two directions; nil where the vendor
	// has no such capability, and a capability without a description fails.
	Source      *SourceCase
	Destination *DestinationCase
	// Dir is the folder of golden files; empty is "testdata".
	Dir string
}

// Run holds the connector against the suite. Capabilities that it lacks are
// skipped by name.
func Run(t *testing.T, c Case) {
	t.Helper()
	t.Run("descriptor", func(t *testing.T) { runDescriptor(t, c) })
	t.Run("settings", func(t *testing.T) { runSettings(t, c) })
	t.Run("rules", func(t *testing.T) { runRules(t, c) })
	t.Run("source", func(t *testing.T) {
		if _, ok := c.open(t, nil).connector.(connectors.Source); !ok {
			t.Skip("no source")
		}
		if c.Source == nil {
			t.Fatal("the connector is a source, the case describes none")
		}
		runSource(t, c)
	})
	t.Run("destination", func(t *testing.T) {
		if _, ok := c.open(t, nil).connector.(connectors.Destination); !ok {
			t.Skip("no destination")
		}
		if c.Destination == nil {
			t.Fatal("the connector is a destination, the case describes none")
		}
		runDestination(t, c)
	})
	t.Run("goldens", func(t *testing.T) { runGoldens(t, c) })
}

// opened is a connector with what was put under it.
type opened struct {
	connector connectors.Connector
	config    connectors.Config
	log       *logBuffer
}

// fill completes the configuration.
func (c Case) fill() connectors.Config {
	cfg := c.Config
	if cfg.ID == "" {
		cfg.ID = c.Vendor.Descriptor.ID + "-test"
	}
	if cfg.Instance == "" {
		cfg.Instance = "instance-under-test"
	}
	if cfg.PublicURL == "" {
		cfg.PublicURL = "https://bridge.example.com/hooks/" + cfg.ID
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return Now }
	}
	if cfg.HTTP == nil {
		cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 10 * time.Second, Now: cfg.Now})
	}
	settings := map[string]string{}
	for _, f := range c.Vendor.Descriptor.Settings {
		if f.Default != "" {
			settings[f.Name] = f.Default
		}
	}
	maps.Copy(settings, cfg.Settings)
	cfg.Settings = settings
	secrets := maps.Clone(cfg.Secrets)
	if secrets == nil {
		secrets = map[string][]secret.Text{}
	}
	cfg.Secrets = secrets
	return cfg
}

// open makes a connection; change, when not nil, edits its configuration first.
func (c Case) open(t testing.TB, change func(*connectors.Config)) opened {
	t.Helper()
	cfg := c.fill()
	log := &logBuffer{}
	cfg.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if change != nil {
		change(&cfg)
	}
	conn, err := c.Vendor.Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return opened{conn, cfg, log}
}

func runDescriptor(t *testing.T, c Case) {
	d := c.Vendor.Descriptor
	if d == nil {
		t.Fatal("no descriptor")
	}
	if got := c.open(t, nil).connector.Descriptor(); got != d {
		t.Error("the connector gives another descriptor than its vendor")
	}
	for field, text := range map[string]string{
		"id": d.ID, "name": d.Name, "category": d.Category, "summary": d.Summary,
		"rules.yaml": string(d.Rules), "guide.md": string(d.Guide),
	} {
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s is empty", field)
		}
	}
	for _, f := range slices.Concat(d.Secrets, d.Settings) {
		if f.Name == "" || f.Label == "" || f.Help == "" {
			t.Errorf("field %q lacks a name, label or help", f.Name)
		}
		if len(f.Choices) > 0 && f.Default != "" && !slices.Contains(f.Choices, f.Default) {
			t.Errorf("field %q: the default %q is no choice", f.Name, f.Default)
		}
		if !slices.Contains([]string{"", "source", "destination", "always"}, f.Required) {
			t.Errorf("field %q: required is %q", f.Name, f.Required)
		}
	}
}

// consentNames are fields that say whether a person may be written to; no trait
// may be brought into them.
var consentNames = []string{"email_opt_in", "EmailOptOut", "HasOptedOutOfEmail", "unsubscribed", "MARKETING_CONSENT", "do_not_contact"}

// runSettings leaves out each required field, and gives a field nobody knows.
func runSettings(t *testing.T, c Case) {
	wantError := func(t *testing.T, field string, change func(*connectors.Config)) {
		cfg := c.fill()
		cfg.Push.Enabled = true
		change(&cfg)
		_, err := c.Vendor.Open(cfg)
		if !slices.ContainsFunc(settingErrors(err), func(e *connectors.SettingError) bool { return e.Field == field }) {
			t.Errorf("error = %v, want a SettingError of %s", err, field)
		}
		checkClean(t, cfg, "the error", errorText(err))
	}
	d := c.Vendor.Descriptor
	for _, f := range d.Settings {
		if f.Required == "always" || f.Required == "destination" {
			t.Run("without "+f.Name, func(t *testing.T) {
				wantError(t, f.Name, func(cfg *connectors.Config) { delete(cfg.Settings, f.Name) })
			})
		}
	}
	for _, f := range d.Secrets {
		if f.Required == "always" || f.Required == "destination" {
			t.Run("without "+f.Name, func(t *testing.T) {
				wantError(t, f.Name, func(cfg *connectors.Config) { delete(cfg.Secrets, f.Name) })
			})
		}
	}
	if _, takes := c.open(t, nil).connector.(connectors.Destination); takes && !c.Vendor.Descriptor.CarriesConsent {
		for _, name := range consentNames {
			t.Run("consent in "+name, func(t *testing.T) {
				cfg := c.fill()
				cfg.Push.Enabled, cfg.Push.Traits = true, map[string]string{name: "a_trait"}
				_, err := c.Vendor.Open(cfg)
				if !slices.ContainsFunc(settingErrors(err), func(e *connectors.SettingError) bool { return strings.HasPrefix(e.Field, "push.traits") }) {
					t.Errorf("error = %v, want a SettingError of push.traits", err)
				}
			})
		}
	}
	t.Run("unknown", func(t *testing.T) {
		wantError(t, "no_such_setting", func(cfg *connectors.Config) { cfg.Settings["no_such_setting"] = "x" })
	})
}

// settingErrors collects every *SettingError of a joined error.
func settingErrors(err error) []*connectors.SettingError {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*connectors.SettingError
		for _, e := range many.Unwrap() {
			all = append(all, settingErrors(e)...)
		}
		return all
	}
	var e *connectors.SettingError
	if errors.As(err, &e) {
		return []*connectors.SettingError{e}
	}
	return settingErrors(errors.Unwrap(err))
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
