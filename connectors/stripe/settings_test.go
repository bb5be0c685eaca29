package stripe_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/stripe"
)

// TestSettings: what is wrong is refused at the door, by the name of the field.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, field string
		change      func(*connectors.Config)
	}{
		{"no address", "base_url", func(c *connectors.Config) { c.Settings["base_url"] = "api.stripe.com" }},
		{"another scheme", "base_url", func(c *connectors.Config) { c.Settings["base_url"] = "ftp://api.stripe.com" }},
		{"credentials in the address", "base_url", func(c *connectors.Config) { c.Settings["base_url"] = "https://u:p@api.stripe.com" }},
		{"long key", "stage_key", func(c *connectors.Config) { c.Settings["stage_key"] = strings.Repeat("x", 38) }},
		{"key with brackets", "segments_key", func(c *connectors.Config) { c.Settings["segments_key"] = "a[b]" }},
		{"the same key twice", "segments_key", func(c *connectors.Config) { c.Settings["segments_key"] = "sb_stage" }},
		{"the key of the date", "segments_key", func(c *connectors.Config) { c.Settings["segments_key"] = "sb_stage_at" }},
		{"a trait over the stage", "push.traits", func(c *connectors.Config) { c.Push.Traits = map[string]string{"sb_stage": "plan"} }},
		{"unknown mode", "mode", func(c *connectors.Config) { c.Settings["mode"] = "sandbox" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := conforming()
			cfg.Settings = map[string]string{}
			tt.change(&cfg)
			_, err := stripe.Vendor().Open(cfg)
			var e *connectors.SettingError
			if !errors.As(err, &e) || e.Field != tt.field {
				t.Errorf("error = %v, want one of %s", err, tt.field)
			}
		})
	}
	for _, base := range []string{"https://api.stripe.com/", "https://api.stripe.com/v1", "https://proxy.example.com/stripe"} {
		cfg := conforming()
		cfg.Settings = map[string]string{"base_url": base}
		if _, err := stripe.Vendor().Open(cfg); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
}
