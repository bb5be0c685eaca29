package surveymonkey_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
	"github.com/stagebridge/stagebridge/secret"
)

var clock = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// config is a connection against an address; an empty one is never called.
func config(url string) connectors.Config {
	cfg := connectors.Config{
		ID: "surveys", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/surveys",
		Settings: map[string]string{"client_id": "client123"},
		Secrets: map[string][]secret.Text{
			"access_token":  {secret.New(surveymonkeysim.Token)},
			"client_secret": {secret.New("client-secret-now")},
		},
		Push: connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"1": "company", "first_name": "first_name"}},
		Now:  func() time.Time { return clock },
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
	if url != "" {
		cfg.Settings["base_url"] = url
	}
	return cfg
}

// start opens a connection to a simulated account; change edits its settings.
func start(t *testing.T, change func(*connectors.Config)) (*surveymonkey.Connector, *surveymonkeysim.Sim) {
	t.Helper()
	sim := surveymonkeysim.New()
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	cfg := config(server.URL)
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg), sim
}

func open(t *testing.T, cfg connectors.Config) *surveymonkey.Connector {
	t.Helper()
	return connectortest.Open[*surveymonkey.Connector](t, surveymonkey.Vendor(), cfg)
}

// person is an update with a stage and a segment.
func person(email, stage string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: []string{"at_risk"}, Absent: []string{"promoters"}}}
}

// push wants one result an update, without an error of the whole.
func push(t *testing.T, c *surveymonkey.Connector, updates ...connectors.Update) []string {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	var all []string
	for _, r := range results {
		words := string(r.Outcome)
		if r.Reason != connectors.ReasonNone {
			words += " " + string(r.Reason)
		}
		all = append(all, words)
	}
	return all
}
