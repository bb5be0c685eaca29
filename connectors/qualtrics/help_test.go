package qualtrics_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/qualtrics"
	"github.com/stagebridge/stagebridge/connectors/qualtrics/qualtricssim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

var clock = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// config is a connection against an address; an empty one is never called.
func config(url string) connectors.Config {
	cfg := connectors.Config{
		ID: "surveys", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/surveys",
		Settings: map[string]string{"datacenter": "fra1", "directory_id": qualtricssim.Directory},
		Secrets: map[string][]secret.Text{
			"api_token": {secret.New(qualtricssim.Token)}, "shared_key": {secret.New("shared-key-now")}, "workflow_secret": {secret.New("workflow-secret-now")},
		},
		Push: connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"company": "company", "firstName": "first_name"}},
		Now:  func() time.Time { return clock },
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
	if url != "" {
		cfg.Settings["base_url"] = url
	}
	return cfg
}

// start opens a connection to a simulated brand; change edits its settings.
func start(t *testing.T, change func(*connectors.Config)) (*qualtrics.Connector, *qualtricssim.Sim) {
	t.Helper()
	sim := qualtricssim.New()
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	cfg := config(server.URL)
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg), sim
}

func open(t *testing.T, cfg connectors.Config) *qualtrics.Connector {
	t.Helper()
	return connectortest.Open[*qualtrics.Connector](t, qualtrics.Vendor(), cfg)
}

// oauth puts a client in the place of the token.
func oauth(cfg *connectors.Config) {
	delete(cfg.Secrets, "api_token")
	cfg.Settings["client_id"] = qualtricssim.ClientID
	cfg.Secrets["client_secret"] = []secret.Text{secret.New(qualtricssim.ClientSecret)}
}

// person is an update with a stage and a segment.
func person(email, user, stage string) connectors.Update {
	u := connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: []string{"at_risk"}, Absent: []string{"promoters"}}}
	if user != "" {
		u.Keys = []lifecycle.Key{{Namespace: "user", Value: user}}
	}
	return u
}

// push wants one result an update, without an error of the whole.
func push(t *testing.T, c *qualtrics.Connector, updates ...connectors.Update) []string {
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
