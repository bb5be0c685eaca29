package eloqua_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/eloqua"
	"github.com/stagebridge/stagebridge/connectors/eloqua/eloquasim"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	settings, _ := eloquasim.New().Connection("https://login.example.com")
	settings["record_fields"] = "C_Title"
	return connectors.Config{
		ID: "eloqua", PublicURL: address, Settings: settings,
		Secrets: map[string][]secret.Text{
			"password": {secret.New(eloquasim.Password)}, "client_secret": {secret.New(eloquasim.ClientSecret)},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"C_Company": "company", "Title": "job_title"}},
		Now:  func() time.Time { return now },
	}
}

const notification = `{"offset":0,"limit":1000,"totalResults":2,"count":2,"hasMore":false,"items":[` +
	`{"ContactID":"10442","EmailAddress":"dana@example.com","FirstName":"Dana","LastName":"","Company":"Acme"},` +
	`{"ContactID":"10443","EmailAddress":"li@example.com","FirstName":"","LastName":"","Company":""}]}`

const stepQuery = "tell=lead_qualified&instance=0b6c7d2e-1111-4222-8333-944455556666&execution=900&asset=42&assetname=Nurture"

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: eloqua.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "client_secret", Keys: [3]secret.Text{secret.New(eloquasim.ClientSecret), secret.New("secret-before"), secret.New("secret-never")},
			Body: []byte(notification), Types: []string{"action.lead_qualified", "action.lead_qualified", "release"},
			BodyUnsigned: true, Tolerance: 5 * time.Minute, Unsign: func(r *connectors.Request) { r.Query = "" },
			Undecodable: [][]byte{nil, []byte(`{"items":{}}`), []byte(`{"items":["`), []byte("[1,2]")},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				return call(http.MethodPost, "/notify", stepQuery, key.Reveal(), at, body)
			},
		},
		Destination: destination(),
	})
}

func healthy() *eloquasim.Sim {
	s := eloquasim.New()
	s.AddField("sb_stage")
	s.AddList("sb:promoters")
	for _, u := range people() {
		s.AddContact(u.Email, nil)
	}
	return s
}

func destination() *connectortest.DestinationCase {
	routes := func(f *connectortest.Fake, s *eloquasim.Sim) {
		for _, route := range s.Routes() {
			f.Handle(route, s.ServeHTTP)
		}
	}
	return &connectortest.DestinationCase{
		BaseURL: "base_url", Done: connectors.Submitted,
		Healthy: func(f *connectortest.Fake) { routes(f, healthy()) },
		Empty: func(f *connectortest.Fake) func() int {
			s := eloquasim.New()
			s.AddField("sb_stage")
			routes(f, s)
			return func() int { return len(s.Held()) }
		},
		Bodiless: map[string]string{"POST /api/bulk/2.0/contacts/imports/{id}/data": "Eloqua takes data with 204, and the sync that is followed tells of each row"},
		Updates:  people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			s := healthy()
			routes(f, s)
			f.Handle("GET /api/REST/1.0/data/contacts", func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(strings.ToLower(r.URL.Query().Get("search")), strings.ToLower(strings.ReplaceAll(u.Email, "'", "*"))) {
					connectortest.Reply(http.StatusBadRequest, `[{"type":"ObjectValidationError","property":"search","requirement":{"type":"EmailAddressRequirement"}}]`)(w, r)
					return
				}
				s.ServeHTTP(w, r)
			})
		},
		OptsIn: func(r connectortest.Recorded) string {
			for _, word := range []string{"setStatus", "isSubscribed", "EmailGroup", "Subscri"} {
				if r.Method != http.MethodGet && bytes.Contains(r.Body, []byte(word)) {
					return word + " is sent"
				}
			}
			return ""
		},
		Marks:       map[string]string{"stage": "sb_stage1", "segments": "ContactList", "traits": "C_Company"},
		Reads:       []string{"POST /auth/oauth2/token"},
		ErrorBodies: []string{`"Not authenticated."`},
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann.o'brien@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"C_Company": "Acme"}},
		})
	}
	return all
}

// TestOpenRefuses lists what is wrong with settings, all at once.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Settings, "client_id")
	for name, value := range map[string]string{
		"base_url": "login", "auth": "oauth", "company": `Acme\Corp`, "stage_field": "C_EmailAddress", "record_fields": "C-Title",
		"activities": "FormSubmit,Purchase", "overlap": "3",
	} {
		cfg.Settings[name] = value
	}
	cfg.Push.Traits = map[string]string{"Email Address": "x", "1": "y", "Email Opt In": "z"}
	_, err := eloqua.Vendor().Open(cfg)
	for _, part := range []string{"base_url", "needs client_id", "backslash", `"C_EmailAddress"`, `"C-Title"`, `"Purchase"`, "overlap", `"Email Address"`, `"1"`, `"Email Opt In"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not tell of %s: %v", part, err)
		}
	}
}
