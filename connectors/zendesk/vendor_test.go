package zendesk_test

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated Zendesk that notes every request.
type vendor struct {
	*zendesksim.Sim
	*connectortest.Witness
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	sim := zendesksim.New()
	return &vendor{sim, connectortest.Watch(t, sim, "/api/v2")}
}

func config(url string) connectors.Config {
	settings, secrets := zendesksim.New().Connection(url)
	return connectors.Config{
		ID: "support", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/support", Settings: settings,
		Secrets: map[string][]secret.Text{"api_token": {secret.New(secrets["api_token"])}, "signing_secret": {secret.New("signing-secret-now")}},
		Push:    connectors.PushConfig{Enabled: true, Traits: map[string]string{"plan_name": "plan"}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
}

func open(t *testing.T, cfg connectors.Config) *zendesk.Connector {
	t.Helper()
	return connectortest.Open[*zendesk.Connector](t, zendesk.Vendor(), cfg)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}
