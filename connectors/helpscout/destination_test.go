package helpscout_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/helpscout"
	"github.com/stagebridge/stagebridge/connectors/helpscout/helpscoutsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
)

// vendor is a simulated account that notes every request.
type vendor struct {
	*helpscoutsim.Sim
	url string

	mu       sync.Mutex
	requests []string // method, path without query, body
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: helpscoutsim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests = append(v.requests, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v2")+" "+string(body)))
		v.mu.Unlock()
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// took gives the requests since the last call, tokens left out.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.DeleteFunc(v.requests, func(r string) bool { return strings.Contains(r, "oauth2") })
	v.requests = nil
	return all
}

func connect(t *testing.T, url string, change ...func(*connectors.Config)) *helpscout.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings["base_url"] = url
	cfg.Push = connectors.PushConfig{Enabled: true}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	for _, f := range change {
		f(&cfg)
	}
	c, err := helpscout.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*helpscout.Connector)
}

func creating(cfg *connectors.Config) { cfg.Push.Create = true }

func setting(name, value string) func(*connectors.Config) {
	return func(cfg *connectors.Config) { cfg.Settings[name] = value }
}

func traits(names ...string) func(*connectors.Config) {
	return func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{}
		for _, name := range names {
			cfg.Push.Traits[name] = name
		}
	}
}

func wanting(address, stage string, segments ...string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: address, Want: connectors.State{Stage: stage, Segments: segments}}
}

func TestPushCreatesAndUpdates(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	u := wanting("dana@example.com", "Customer", "at_risk", "eu")
	if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("without create: %+v", r)
	}
	c := connect(t, v.url, creating)
	r := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID == "" {
		t.Fatalf("with create: %+v", r)
	}
	body := `{"id":` + r.VendorID + `,"_embedded":{"emails":[{"value":"Dana@example.com"}]}}`
	if diff := cmp.Diff(r.Written, received(t, "customer.created", body).Written); diff != "" || len(r.Written) != 1 {
		t.Errorf("written (-pushed +reported):\n%s", diff)
	}
	want := []standin.Held{{Person: "dana@example.com", Stage: "Customer", Segments: []string{"at_risk", "eu"}}}
	if diff := cmp.Diff(want, v.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	known := u.Want
	u.VendorID, u.Known = r.VendorID, &known
	u.Want.Stage = "Advocate"
	v.took()
	connectortest.Push(t, c, u)
	if got := v.took(); !slices.Equal(got, []string{"PATCH /customers/" + r.VendorID + `/properties [{"op":"replace","path":"/sb_stage","value":"Advocate"}]`}) {
		t.Errorf("a stage took %v", got)
	}
}

func TestPushLeavesForeignNames(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.Define("sb_segments", "text")
	id := v.AddCustomer("dana@example.com")
	v.Set(id, "sb_segments", "VIP, Promoters ,other")
	u := wanting("dana@example.com", "", "at_risk")
	u.Want.Absent = []string{"promoters"}
	c := connect(t, v.url)
	connectortest.Push(t, c, u)
	if h := v.Held(); len(h) != 1 || !slices.Equal(h[0].Segments, []string{"VIP", "other", "at_risk"}) {
		t.Errorf("held %+v", h)
	}
	v.took()
	connectortest.Push(t, c, u)
	if got := v.took(); len(got) != 1 || !strings.HasPrefix(got[0], "GET ") {
		t.Errorf("again took %v", got)
	}
	u.Want.Segments, u.Want.Absent = nil, []string{"VIP", "other", "at_risk"}
	connectortest.Push(t, c, u)
	if got := v.took(); !strings.HasSuffix(got[len(got)-1], `[{"op":"remove","path":"/sb_segments"}]`) {
		t.Errorf("the last names took %v", got)
	}
}

func TestPushRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddCustomer("dana@example.com")
	u := wanting("dana@example.com", "Customer", strings.Repeat("a", 130), strings.Repeat("b", 130))
	if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != "permanent too_large" || r.Message == "" {
		t.Errorf("%+v", r)
	}
	if h := v.Held(); len(h) != 0 {
		t.Errorf("held %+v", h)
	}
}

// TestPushFollowsTheAddress: the number known is gone, the address leads to
// somebody nothing is known of.
func TestPushFollowsTheAddress(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.Lean(true)
	old := v.AddCustomer("dana@example.com")
	fresh := v.AddCustomer("dana@example.com")
	v.AddCustomer("dana@example.com")
	v.Remove(old)
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.VendorID, u.Known = strconv.FormatInt(old, 10), &connectors.State{Stage: "Trial", Segments: []string{"at_risk"}}
	if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != "ok" || r.VendorID != strconv.FormatInt(fresh, 10) {
		t.Errorf("%+v", r)
	}
	if h := v.Held(); len(h) != 1 || h[0].Stage != "Customer" || !slices.Equal(h[0].Segments, []string{"at_risk"}) {
		t.Errorf("held %+v", h)
	}
	u.Email = ""
	if r := connectortest.Push(t, connect(t, v.url, creating), u)[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("without an address: %+v", r)
	}
}

func TestPushWritesTraitsByType(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.Define("seats", "number")
	v.Define("since", "date")
	v.Define("plan", "dropdown", "Team", "Solo")
	v.Define("note", "text")
	id := v.AddCustomer("dana@example.com")
	for name, c := range map[string]struct {
		value any
		want  string
		sent  string
	}{
		"seats": {int64(12), "ok", `"value":12}`},
		"since": {"2026-02-03T10:00:00Z", "ok", `"value":"2026-02-03"}`},
		"plan":  {"team", "ok", `"value":"id of Team"}`},
		"note":  {strings.Repeat("ä", 300), "ok", strings.Repeat("ä", 255) + `"}`},
		"other": {"x", "permanent settings", ""},
	} {
		u := connectors.Update{ID: "u", Email: "dana@example.com", Want: connectors.State{Traits: map[string]any{name: c.value}}}
		r := connectortest.Push(t, connect(t, v.url, traits(name)), u)[0]
		got := strings.Join(v.took(), " ")
		if connectortest.Outcome(r) != c.want || !strings.Contains(got, c.sent) || c.sent == "" && strings.Contains(got, "PATCH") {
			t.Errorf("%s: %+v with %s", name, r, got)
		}
	}
	for name, value := range map[string]any{"seats": "many", "since": "soon", "plan": "Huge"} {
		u := connectors.Update{ID: "u", Email: "dana@example.com", Want: connectors.State{Traits: map[string]any{name: value}}}
		if r := connectortest.Push(t, connect(t, v.url, traits(name)), u)[0]; connectortest.Outcome(r) != "permanent invalid" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// Clearing what is not there would be refused.
	u := connectors.Update{ID: "u", VendorID: strconv.FormatInt(id, 10), Want: connectors.State{Traits: map[string]any{"note": nil, "seats": nil}}}
	for range 2 {
		if r := connectortest.Push(t, connect(t, v.url, traits("note", "seats")), u)[0]; connectortest.Outcome(r) != "ok" {
			t.Errorf("cleared: %+v", r)
		}
	}
}

func TestPushWithoutCreatingProperties(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddCustomer("dana@example.com")
	c := connect(t, v.url, setting("create_properties", "false"))
	if r := connectortest.Push(t, c, wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "permanent settings" || !strings.Contains(r.Message, "sb_stage") {
		t.Errorf("%+v", r)
	}
	v.Define("sb_stage", "dropdown", "Trial")
	if r := connectortest.Push(t, c, wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("with the property: %+v", r)
	}
}

// TestTokenIsRenewed: a refused token is replaced once, a refused app is told.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddCustomer("dana@example.com")
	c := connect(t, v.url)
	connectortest.Push(t, c, wanting("dana@example.com", "Trial"))
	v.Revoke()
	if r := connectortest.Push(t, c, wanting("dana@example.com", "Customer"))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("after the token was revoked: %+v", r)
	}
	_, err := connect(t, v.url, setting("app_id", "another")).Push(t.Context(), []connectors.Update{wanting("dana@example.com", "Trial")})
	if e := connectors.AsPushError(err); e == nil || e.Reason != connectors.ReasonAuth || e.Retryable || strings.Contains(err.Error(), helpscoutsim.Secret) {
		t.Errorf("an app that is not known: %v", err)
	}
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if strings.HasSuffix(r.URL.Path, "/token") {
			io.WriteString(w, `{"access_token":"helpscout-token-refused","expires_in":172800}`)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	if _, err := connect(t, server.URL).Check(t.Context()); err == nil || calls != 4 {
		t.Errorf("a token that is never taken: %v after %d calls, want 4", err, calls)
	}
}

func TestPausesByTheVendorsHeader(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddCustomer("dana@example.com")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.Header().Set("X-RateLimit-Retry-After", "17")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	_, err := connect(t, server.URL).Push(t.Context(), []connectors.Update{wanting("dana@example.com", "Trial")})
	if e := connectors.AsPushError(err); e == nil || e.RetryAfter != 17*time.Second {
		t.Errorf("%v", err)
	}
}

// TestPushMeetsAConflict: added by somebody between looking and making.
func TestPushMeetsAConflict(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/v2/customers" {
			v.AddCustomer("dana@example.com")
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if r := connectortest.Push(t, connect(t, server.URL, creating), wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("%+v", r)
	}
}
