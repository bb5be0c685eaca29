package freshdesk_test

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/connectors/freshdesk/freshdesksim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated Freshdesk that notes every request.
type vendor struct {
	*freshdesksim.Sim
	*connectortest.Witness
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	sim := freshdesksim.New()
	return &vendor{sim, connectortest.Watch(t, sim, "/api/v2")}
}

func config(url string) connectors.Config {
	settings, secrets := freshdesksim.New().Connection(url)
	return connectors.Config{
		ID: "helpdesk", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/helpdesk", Settings: settings,
		Secrets: map[string][]secret.Text{"api_key": {secret.New(secrets["api_key"])}, "webhook_secret": {secret.New(secrets["webhook_secret"])}},
		Push:    connectors.PushConfig{Enabled: true, Traits: map[string]string{"Plan name": "plan"}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
}

func open(t *testing.T, cfg connectors.Config) *freshdesk.Connector {
	t.Helper()
	return connectortest.Open[*freshdesk.Connector](t, freshdesk.Vendor(), cfg)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}
