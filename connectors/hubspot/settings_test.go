package hubspot

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*connectors.Config)
		want   []string // the fields complained of, in order
	}{
		{"all there", func(*connectors.Config) {}, nil},
		{"source only", func(c *connectors.Config) { c.Push.Enabled = false; delete(c.Secrets, secretToken) }, nil},
		{"push without a token", func(c *connectors.Config) { delete(c.Secrets, secretToken) }, []string{secretToken}},
		{"refresh token alone", func(c *connectors.Config) {
			c.Secrets = nil
			c.Push.Enabled = false
			c.Secrets = testConfig(withSecret(secretClient), withSecret(secretRefresh, "r")).Secrets
		}, []string{settingClientID, secretClient}},
		{"refresh token instead of a token", oauth("r"), nil},
		{"several mistakes", func(c *connectors.Config) {
			c.Settings = map[string]string{settingBase: "api.hubapi.com", settingApp: "my app", settingStage: "my stage", settingSegments: "tags", settingRead: "a b", "nonsense": "1"}
		}, []string{settingSegments, "nonsense", settingBase, settingApp, settingStage, settingRead}},
		{"stage in the segments' property", setting(settingStage, ownSegmentsProperty), []string{settingStage}},
		{"traits onto forbidden fields", func(c *connectors.Config) {
			c.Push.Traits = map[string]string{
				"hs_email_optout": "a", "hs_email_optout_123": "a", "HS_Legal_Basis": "a", "hs_marketable_status": "a", "my_newsletter_opt_in": "a",
				"lifecyclestage": "a", "sb_stage": "a", "sb_segments": "a", "hs_object_id": "a", "two words": "a", "jobtitle": "job_title",
			}
		}, []string{
			"push.traits.hs_email_optout", "push.traits.hs_email_optout_123", "push.traits.my_newsletter_opt_in",
			"push.traits.HS_Legal_Basis", "push.traits.hs_marketable_status",
			"push.traits.hs_object_id", "push.traits.lifecyclestage", "push.traits.sb_segments", "push.traits.sb_stage", "push.traits.two words",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Vendor().Open(testConfig(c.change))
			if diff := cmp.Diff(c.want, fields(err)); diff != "" {
				t.Errorf("%v\nfields (-want +got):\n%s", err, diff)
			}
			if err != nil && (strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), testToken)) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// fields lists the fields of a joined setting error.
func fields(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var names []string
	for _, one := range joined.Unwrap() {
		var e *connectors.SettingError
		if errors.As(one, &e) {
			names = append(names, e.Field)
		}
	}
	return names
}

func TestDescriptor(t *testing.T) {
	t.Parallel()
	d := Vendor().Descriptor
	if d.ID != "hubspot" || len(d.Rules) == 0 || len(d.Guide) == 0 {
		t.Errorf("descriptor %+v", d)
	}
	known := map[string]bool{}
	for _, e := range d.Events {
		known[e.Type] = true
	}
	for _, kind := range defaultTypes {
		if !known[kind] {
			t.Errorf("%s is registered and not described", kind)
		}
	}
	if l := mustOpen(t, testConfig()).Limits(); l.Batch != 100 || l.Takes != connectors.TakesState || l.Concurrency < 1 {
		t.Errorf("limits %+v", l)
	}
}
