package marketo_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/marketo"
	"github.com/stagebridge/stagebridge/connectors/marketo/marketosim"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "marketo", PublicURL: "https://bridge.example.com/hooks/marketo",
		Settings: map[string]string{"base_url": "https://123-abc-456.example.com", "client_id": marketosim.ClientID, "time_zone": "America/Chicago"},
		Secrets: map[string][]secret.Text{
			"client_secret": {secret.New(marketosim.ClientSecret)}, "webhook_token": {secret.New("token-now")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"company": "company", "title": "job_title"}},
		Now:  func() time.Time { return now },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: marketo.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_token", Keys: [3]secret.Text{secret.New("token-now"), secret.New("token-before"), secret.New("token-never")},
			Body:    []byte("event=form_filled&lead_id=318592&email=dana%40example.com&occurred_at=2026-11-20+03%3A14%3A05"),
			Types:   []string{"webhook.form_filled"},
			Headers: []string{"X-Stagebridge-Token"}, BodyUnsigned: true,
			Undecodable: [][]byte{nil, []byte("event=form_filled"), []byte("event=a&event=b&lead_id=1"), []byte(`{"event":"a","score":,}`), []byte("event=%zz")},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Token": {key.Reveal()}}}
			},
		},
		Destination: destination(),
	})
}

// TestConformanceLists is the same instance with segments as static lists.
func TestConformanceLists(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	cfg.Settings["segments_as"], cfg.Settings["list_folder"] = "lists", "1034"
	d := destination()
	d.Marks["segments"] = "/lists/"
	connectortest.Run(t, connectortest.Case{Vendor: pushing(), Config: cfg, Dir: "testdata/lists", Destination: d})
}

// pushing is the vendor with nothing but its destination.
func pushing() connectors.Vendor {
	v := marketo.Vendor()
	open := v.Open
	v.Open = func(cfg connectors.Config) (connectors.Connector, error) {
		c, err := open(cfg)
		if err != nil {
			return nil, err
		}
		return sink{c, c.(connectors.Destination)}, nil
	}
	return v
}

type sink struct {
	connectors.Connector
	connectors.Destination
}

func healthy() *marketosim.Sim {
	s := marketosim.New()
	s.AddField("sb_stage", "string")
	s.AddField("sb_segments", "string")
	for _, u := range people() {
		s.AddPerson(u.Email, nil)
	}
	return s
}

func destination() *connectortest.DestinationCase {
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			s := healthy()
			for _, route := range s.Routes() {
				f.Handle(route, s.ServeHTTP)
			}
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := marketosim.New()
			sim.AddField("sb_stage", "string")
			sim.AddField("sb_segments", "string")
			for _, route := range sim.Routes() {
				f.Handle(route, sim.ServeHTTP)
			}
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			s := healthy()
			for _, route := range s.Routes() {
				f.Handle(route, s.ServeHTTP)
			}
			f.Handle("POST /rest/v1/leads.json", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				// An address that Marketo takes for none.
				r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(u.Email), []byte("not an address"))))
				s.ServeHTTP(w, r)
			})
		},
		OptsIn: func(r connectortest.Recorded) string {
			for _, field := range []string{"unsubscribed", "marketingSuspended", "blackListed", "emailInvalid"} {
				if r.Method != http.MethodGet && bytes.Contains(r.Body, []byte(field)) {
					return field + " is written"
				}
			}
			return ""
		},
		Marks: map[string]string{"stage": "sb_stage", "segments": ";at_risk;", "traits": "company"},
		ErrorBodies: []string{
			coded("606", "Max rate limit '100' exceeded with in '20' secs"), coded("611", "System error"), coded("603", "Access denied"),
			`{"requestId":"a#1","success":false}`, `{"requestId":"a#1","result":[]}`, `{"requestId":"a#1","success":true,"result":[]}`,
		},
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme"}},
		})
	}
	return all
}

// TestOpenRefuses lists what is wrong with settings, all at once.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	for name, value := range map[string]string{
		"base_url": "123-ABC-456", "time_zone": "Local", "list_folder": "MF1034A1", "stage_field": "1 stage", "segments_field": "unsubscribed",
		"activities": "a,b,c,d,e,f,g,h,i,j,K", "change_fields": "e-mail", "segments_as": "tags",
	} {
		cfg.Settings[name] = value
	}
	cfg.Push.Traits = map[string]string{"Unsubscribed": "x", "id": "y", "doNotCall": "z", "emailOptIn": "z"}
	_, err := marketo.Vendor().Open(cfg)
	for _, part := range []string{"base_url", "time_zone", "list_folder", "stage_field", "never writes", "11 types", `"K"`, "change_fields", "segments_as", `"Unsubscribed"`, `"id"`, `"doNotCall"`, `"emailOptIn"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not tell of %s: %v", part, err)
		}
	}
}
