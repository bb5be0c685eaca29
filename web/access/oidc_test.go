package access_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/web/access"
)

// TestProviderCannotSendUsElsewhere: an identity provider is believed about who
// people are, and not about which of our own services is called.
func TestProviderCannotSendUsElsewhere(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	home := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	t.Cleanup(home.Close)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved/.well-known/openid-configuration" {
			http.Redirect(w, r, home.URL, http.StatusFound)
			return
		}
		fmt.Fprintf(w, `{"issuer":"http://%s","authorization_endpoint":"%s/a","token_endpoint":"%[2]s/t","jwks_uri":"%[2]s/k","userinfo_endpoint":"%[2]s/u"}`, r.Host, home.URL)
	}))
	t.Cleanup(provider.Close)
	issuer := strings.Replace(provider.URL, "127.0.0.1", "localhost", 1)
	client := connectors.NewClient(connectors.ClientOptions{Allow: connectors.Allow{Hosts: []string{"localhost"}}}).HTTP()
	o := &access.OIDC{Issuer: issuer, ClientID: "bridge", ClientSecret: secret.New("secret-of-the-client"), Redirect: "https://bridge.example.com/login/oidc/callback",
		RoleClaim: "groups", Roles: map[string]access.Role{"all": access.Viewer}, HTTP: client}
	address, kept, err := o.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sent, err := url.Parse(address); err != nil || sent.Query().Get("code_challenge_method") != "S256" || strings.Contains(address, "secret-of-the-client") {
		t.Errorf("the browser is sent to %s, %v", address, err)
	}
	var began struct{ S string }
	if err := json.Unmarshal([]byte(kept), &began); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Finish(t.Context(), kept, began.S, "code"); err == nil || strings.Contains(err.Error(), "secret-of-the-client") {
		t.Errorf("the code was exchanged: %v", err)
	}
	moved := &access.OIDC{Issuer: issuer + "/moved", HTTP: client}
	if _, _, err := moved.Begin(t.Context()); err == nil {
		t.Error("a redirect of the provider was followed")
	}
	unnamed := &access.OIDC{Issuer: provider.URL}
	if _, _, err := unnamed.Begin(t.Context()); err == nil {
		t.Error("a provider inside is called although nobody allowed it")
	}
	if inside.Load() != 0 {
		t.Errorf("%d requests arrived inside", inside.Load())
	}
}

// TestProviderThatEchoes: what a token endpoint says is not told on, since it
// may repeat what it was sent.
func TestProviderThatEchoes(t *testing.T) {
	t.Parallel()
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/t" {
			user, password, _ := r.BasicAuth()
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "no %s %s %s %s", user, password, r.PostFormValue("client_secret"), r.PostFormValue("code"))
			return
		}
		fmt.Fprintf(w, `{"issuer":"%s","authorization_endpoint":"%[1]s/a","token_endpoint":"%[1]s/t","jwks_uri":"%[1]s/k"}`, provider.URL)
	}))
	t.Cleanup(provider.Close)
	o := &access.OIDC{Issuer: provider.URL, ClientID: "bridge", ClientSecret: secret.New("secret-of-the-client"), Redirect: "https://bridge.example.com/login/oidc/callback",
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}).HTTP()}
	_, kept, err := o.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var began struct{ S string }
	if err := json.Unmarshal([]byte(kept), &began); err != nil {
		t.Fatal(err)
	}
	_, err = o.Finish(t.Context(), kept, began.S, "code-of-the-login")
	if err == nil || strings.Contains(err.Error(), "secret-of-the-client") || strings.Contains(err.Error(), "code-of-the-login") || !strings.Contains(err.Error(), "400") {
		t.Errorf("the error is %v", err)
	}
}
