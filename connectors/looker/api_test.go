package looker_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/looker"
	"github.com/stagebridge/stagebridge/connectors/looker/lookersim"
	"github.com/stagebridge/stagebridge/secret"
)

// against opens a connection with an API key to a server.
func against(t *testing.T, h http.Handler, change func(*connectors.Config)) *looker.Connector {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg := conforming()
	cfg.Settings = map[string]string{"base_url": server.URL, "client_id": lookersim.ClientID}
	cfg.Secrets["client_secret"] = []secret.Text{secret.New(lookersim.ClientSecret)}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

func open(t *testing.T, cfg connectors.Config) *looker.Connector {
	t.Helper()
	return connectortest.Open[*looker.Connector](t, looker.Vendor(), cfg)
}

// asked makes the instance call the connection for its actions.
func asked(c *looker.Connector) func(url, authorization string) (int, []byte) {
	return func(_, authorization string) (int, []byte) {
		receipt, err := c.Receive(&connectors.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {authorization}}})
		if err != nil {
			return http.StatusUnauthorized, nil
		}
		return http.StatusOK, receipt.Reply.Body
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	sim := lookersim.New()
	c := against(t, sim, nil)
	sim.List = asked(c)
	first, err := c.Register(t.Context(), nil)
	if err != nil || first.ID == "" || len(first.Types) != 8 {
		t.Fatalf("register: %+v, %v", first, err)
	}
	want := []lookersim.Hub{{ID: first.ID, URL: "https://bridge.example.com/hooks/looker", Token: "hub-token-now", Actions: 1, Enabled: true}}
	if diff := cmp.Diff(want, sim.Hubs(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".fault" }, cmp.Ignore())); diff != "" {
		t.Errorf("hubs (-want +got):\n%s", diff)
	}
	if again, err := c.Register(t.Context(), nil); err != nil || again.ID != first.ID || len(sim.Hubs()) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if there, err := c.Registered(t.Context()); err != nil || len(there) != 1 || there[0].ID != first.ID {
		t.Errorf("registered: %+v, %v", there, err)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil || len(sim.Hubs()) != 0 {
			t.Errorf("unregister: %v", err)
		}
	}
}

func TestRegisterSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	sim := lookersim.New()
	sim.List = func(string, string) (int, []byte) { return http.StatusBadGateway, nil }
	var e *connectors.PushError
	if _, err := against(t, sim, nil).Register(t.Context(), nil); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "502") {
		t.Errorf("a hub that Looker can't read: %v", err)
	}
	bare := against(t, sim, func(cfg *connectors.Config) { delete(cfg.Secrets, "hub_token") })
	if _, err := bare.Register(t.Context(), nil); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("without a token: %v", err)
	}
	if _, err := open(t, conforming()).Register(t.Context(), nil); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "client_id") {
		t.Errorf("without an API key: %v", err)
	}
}

func TestCheckAndToken(t *testing.T) {
	t.Parallel()
	sim := lookersim.New()
	logins := 0
	counting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/4.0/login" {
			logins++
		}
		sim.ServeHTTP(w, r)
	})
	c := against(t, counting, nil)
	for range 2 {
		if words, err := c.Check(t.Context()); err != nil || words != "Looker takes the API key of Ada Example (user 12)" {
			t.Errorf("check = %q, %v", words, err)
		}
	}
	sim.ExpireToken()
	if _, err := c.Check(t.Context()); err != nil || logins != 2 {
		t.Errorf("an ended token: %v, %d logins", err, logins)
	}
	wrong := against(t, sim, func(cfg *connectors.Config) {
		cfg.Secrets["client_secret"] = []secret.Text{secret.New("another-secret")}
	})
	_, err := wrong.Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || strings.Contains(err.Error(), "another-secret") || !strings.HasPrefix(err.Error(), "looker") {
		t.Errorf("wrong credentials: %v", err)
	}
	never := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/4.0/login" {
			w.Write([]byte(`{"access_token":"t","expires_in":3600}`))
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}), nil)
	if _, err := never.Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("a token that is never taken: %v", err)
	}
}

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the stand-in, against Looker's own description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "looker.openapi.json")
	sim := lookersim.New()
	c := against(t, d.Wrap(sim), nil)
	sim.List = asked(c)
	_, check := c.Check(t.Context())
	_, register := c.Register(t.Context(), nil)
	_, again := c.Register(t.Context(), nil)
	_, list := c.Registered(t.Context())
	remove := c.Unregister(t.Context())
	if err := errors.Join(check, register, again, list, remove); err != nil {
		t.Error(err)
	}
	want := []string{
		"DELETE /integration_hubs/{integration_hub_id}", "GET /integration_hubs", "GET /integrations", "GET /user",
		"PATCH /integration_hubs/{integration_hub_id}", "PATCH /integrations/{integration_id}",
		"POST /integration_hubs", "POST /login",
	}
	if diff := cmp.Diff(want, d.Seen()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"columns":   func(cfg *connectors.Config) { cfg.Settings["columns"] = "email=users.email, nonsense=a" },
		"columns: ": func(cfg *connectors.Config) { cfg.Settings["columns"] = "email=users email" },
		"client_id": func(cfg *connectors.Config) { cfg.Settings["client_id"] = "c" },
		"base_url":  func(cfg *connectors.Config) { cfg.Settings["base_url"] = "acme.looker.com" },
		"base_url: is required": func(cfg *connectors.Config) {
			cfg.Settings["client_id"], cfg.Secrets["client_secret"] = "c", []secret.Text{secret.New("secret")}
		},
	} {
		cfg := conforming()
		cfg.Settings = map[string]string{}
		change(&cfg)
		if _, err := looker.Vendor().Open(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error = %v", field, err)
		}
	}
}
