package intercom_test

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/intercom"
	"github.com/stagebridge/stagebridge/connectors/intercom/intercomsim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated Intercom that notes every request.
type vendor struct {
	*intercomsim.Sim
	*connectortest.Witness
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	sim := intercomsim.New()
	return &vendor{sim, connectortest.Watch(t, sim, "")}
}

func config(url string) connectors.Config {
	settings, secrets := intercomsim.New().Connection(url)
	return connectors.Config{
		ID: "messenger", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/messenger", Settings: settings,
		Secrets: map[string][]secret.Text{"access_token": {secret.New(secrets["access_token"])}, "client_secret": {secret.New("client-secret-now")}},
		Push:    connectors.PushConfig{Enabled: true, Traits: map[string]string{"plan_name": "plan"}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
}

func open(t *testing.T, cfg connectors.Config) *intercom.Connector {
	t.Helper()
	return connectortest.Open[*intercom.Connector](t, intercom.Vendor(), cfg)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}
