package typeform_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/typeform"
	"github.com/stagebridge/stagebridge/connectors/typeform/typeformsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// open opens a connection against an address; change edits it first.
func open(t testing.TB, base string, change func(*connectors.Config)) *typeform.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings = map[string]string{"base_url": base, "form_ids": "AbC123"}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	if change != nil {
		change(&cfg)
	}
	c, err := typeform.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*typeform.Connector)
}

// account starts a stand-in.
func account(t testing.TB, forms ...string) (*typeformsim.Sim, string) {
	t.Helper()
	sim := typeformsim.New(forms...)
	s := httptest.NewServer(sim)
	t.Cleanup(s.Close)
	return sim, s.URL
}

// reasonOf gives the reason of a *PushError, and holds its text clean.
func reasonOf(t testing.TB, err error) connectors.Reason {
	t.Helper()
	var e *connectors.PushError
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a *PushError", err)
	}
	if !strings.HasPrefix(err.Error(), "typeform: ") || strings.Contains(err.Error(), typeformsim.Token) {
		t.Errorf("error = %v", err)
	}
	return e.Reason
}

// TestRegister: one webhook a form, with one secret; a webhook of the same URL
// is changed under its own tag, and others are left alone.
func TestRegister(t *testing.T) {
	t.Parallel()
	sim, base := account(t, "AbC123", "DeF456")
	sim.AddWebhook("DeF456", "by-hand", "https://bridge.example.com/hooks/surveys")
	sim.AddWebhook("DeF456", "crm", "https://crm.example.com/in")
	c := open(t, base, func(c *connectors.Config) {
		c.Settings["form_ids"] = "AbC123, DeF456"
		delete(c.Secrets, "webhook_secret")
	})
	made, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if made.Secrets["webhook_secret"].Empty() || !slices.Equal(made.Types, []string{"form_response"}) {
		t.Errorf("registered %+v", made)
	}
	want := []connectors.Registration{
		{ID: "AbC123/stagebridge-surveys", URL: "https://bridge.example.com/hooks/surveys", Types: []string{"form_response"}},
		{ID: "DeF456/by-hand", URL: "https://bridge.example.com/hooks/surveys", Types: []string{"form_response"}},
	}
	there, err := c.Registered(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, there); diff != "" {
		t.Errorf("registered (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := c.Registered(t.Context()); err != nil || len(there) != 0 {
		t.Errorf("still there: %+v, %v", there, err)
	}
	if sim.Writes() != 4 {
		t.Errorf("%d writes, want two made and two removed", sim.Writes())
	}
}

// TestRegisterSendsTheSecret: the connection's own secret is the webhook's, and
// partial responses are asked for by name only.
func TestRegisterSendsTheSecret(t *testing.T) {
	t.Parallel()
	f := connectortest.NewFake(t)
	f.Reply("GET /forms/{form}/webhooks", 200, `{"items":[]}`)
	f.Reply("PUT /forms/{form}/webhooks/{tag}", 200, `{}`)
	made, err := open(t, f.URL, nil).Register(t.Context(), []string{"form_response", "form_response_partial"})
	if err != nil || made.Secrets != nil {
		t.Fatalf("registered %+v, %v", made, err)
	}
	r := f.Requests()[1]
	want := map[string]any{
		"url": "https://bridge.example.com/hooks/surveys", "enabled": true, "verify_ssl": true, "secret": "typeform-secret-now",
		"event_types": map[string]any{"form_response": true, "form_response_partial": true},
	}
	if diff := cmp.Diff(want, r.JSON(t)); diff != "" || r.Path != "/forms/AbC123/webhooks/stagebridge-surveys" {
		t.Errorf("%s (-want +got):\n%s", r.Path, diff)
	}
}

// TestRegisterRefuses what cannot be registered.
func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	_, base := account(t)
	for _, tt := range []struct {
		name   string
		types  []string
		change func(*connectors.Config)
		want   connectors.Reason
	}{
		{"no forms", nil, func(c *connectors.Config) { c.Settings["form_ids"] = "" }, connectors.ReasonSettings},
		{"no public URL", nil, func(c *connectors.Config) { c.PublicURL = "" }, connectors.ReasonSettings},
		{"no such event", []string{"form_viewed"}, nil, connectors.ReasonSettings},
		{"no token", nil, func(c *connectors.Config) { delete(c.Secrets, "access_token") }, connectors.ReasonSettings},
		{"no such form", nil, func(c *connectors.Config) { c.Settings["form_ids"] = "None1" }, connectors.ReasonNotFound},
		{"wrong token", nil, func(c *connectors.Config) { c.Secrets["access_token"] = []secret.Text{secret.New("x")} }, connectors.ReasonForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, base, tt.change).Register(t.Context(), tt.types)
			if got := reasonOf(t, err); got != tt.want {
				t.Errorf("reason %s, want %s", got, tt.want)
			}
		})
	}
}

// TestCheck names the account, and says in Typeform's words why not.
func TestCheck(t *testing.T) {
	t.Parallel()
	_, base := account(t)
	if said, err := open(t, base, nil).Check(t.Context()); err != nil || !strings.Contains(said, "Acme") {
		t.Errorf("check = %q, %v", said, err)
	}
	for status, want := range map[int]connectors.Reason{
		400: connectors.ReasonInvalid, 401: connectors.ReasonAuth, 403: connectors.ReasonForbidden, 429: connectors.ReasonRateLimit, 500: connectors.ReasonServer,
	} {
		f := connectortest.NewFake(t)
		f.Reply("GET /me", status, `{"code":"AUTHENTICATION_FAILED","description":"Authentication credentials not found: `+typeformsim.Token+`"}`)
		_, err := open(t, f.URL, nil).Check(t.Context())
		if got := reasonOf(t, err); got != want || !strings.Contains(err.Error(), "AUTHENTICATION_FAILED: Authentication credentials") {
			t.Errorf("%d: %v", status, err)
		}
	}
	f := connectortest.NewFake(t)
	f.Handle("GET /me", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if _, err := open(t, f.URL, nil).Check(t.Context()); reasonOf(t, err) != connectors.ReasonBadAnswer {
		t.Errorf("an empty answer: %v", err)
	}
}

// TestErase deletes the responses that hold an address of the person, wholly
// and in any spelling, and no other.
func TestErase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, forms string
		who         connectors.Update
		outcome     connectors.Outcome
		left        [2][]string // of AbC123 and DeF456
	}{
		{"forms that are named", "AbC123", connectors.Update{Email: "ada@example.com"}, connectors.Submitted, [2][]string{{"t3", "t4"}, {"t5", "t6"}}},
		{"all forms", "", connectors.Update{Email: "Ada@example.com"}, connectors.Submitted, [2][]string{{"t3", "t4"}, {"t6"}}},
		{"another address of the person", "", connectors.Update{Keys: []lifecycle.Key{{Namespace: "email", Value: "eli@example.com"}, {Namespace: "user", Value: "u-1"}}}, connectors.Submitted, [2][]string{{"t1", "t2", "t3"}, {"t5", "t6"}}},
		{"never answered", "", connectors.Update{Email: "new@example.com"}, connectors.OK, [2][]string{{"t1", "t2", "t3", "t4"}, {"t5", "t6"}}},
		{"no address", "", connectors.Update{}, connectors.Skipped, [2][]string{{"t1", "t2", "t3", "t4"}, {"t5", "t6"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, base := account(t)
			sim.Add("AbC123", typeformsim.Response{Token: "t1", Email: "ADA@example.com"}, typeformsim.Response{Token: "t2", Hidden: map[string]string{"email": "ada@example.com"}},
				typeformsim.Response{Token: "t3", Email: "not-ada@example.com"}, typeformsim.Response{Token: "t4", Email: "eli@example.com"})
			sim.Add("DeF456", typeformsim.Response{Token: "t5", Email: "ada@example.com"}, typeformsim.Response{Token: "t6"})
			c := open(t, base, func(c *connectors.Config) { c.Settings["form_ids"] = tt.forms })
			done, err := c.Erase(t.Context(), tt.who)
			if err != nil {
				t.Fatal(err)
			}
			if done.Outcome != tt.outcome || done.Message == "" || strings.Contains(done.Proof+done.Message, "@") || (tt.outcome == connectors.Submitted) != (done.Proof != "") {
				t.Errorf("erased %+v", done)
			}
			if diff := cmp.Diff(tt.left, [2][]string{sim.Responses("AbC123"), sim.Responses("DeF456")}); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEraseFailure: an answer that is none leaves it open.
func TestEraseFailure(t *testing.T) {
	t.Parallel()
	f := connectortest.NewFake(t)
	f.Reply("GET /forms/{form}/responses", 200, `{"items":[{"token":"t1","answers":[{"email":"ada@example.com"}]}]}`)
	f.Reply("DELETE /forms/{form}/responses", 503, "")
	if _, err := open(t, f.URL, nil).Erase(t.Context(), connectors.Update{Email: "ada@example.com"}); reasonOf(t, err) != connectors.ReasonServer {
		t.Errorf("error = %v", err)
	}
}

// TestSettings: what is wrong is refused at the door, by the name of the field.
func TestSettings(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{"base_url": "api.typeform.com", "form_ids": "https://form.typeform.com/to/AbC123"} {
		cfg := conforming()
		cfg.Settings = map[string]string{field: value}
		_, err := typeform.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
