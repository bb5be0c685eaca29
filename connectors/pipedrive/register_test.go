package pipedrive_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := connect(t, v)
	made, err := c.Register(t.Context(), nil)
	if err != nil || made.Secrets["webhook_password"] != (secret.Text{}) || len(made.Types) != 12 {
		t.Fatalf("register: %+v, %v", made, err)
	}
	w := v.writes()
	if len(w) != 4 || !strings.Contains(w[3], `"name":"Stagebridge person","subscription_url":"https://bridge.example.com/hooks/sales","event_action":"*","event_object":"person","version":"2.0","http_auth_user":"stagebridge","http_auth_password":"webhook-password-now"`) {
		t.Errorf("writes %v", w)
	}
	again, err := c.Register(t.Context(), nil)
	if err != nil || again.ID != made.ID || len(v.writes()) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	fewer, err := c.Register(t.Context(), []string{"person.create", "updated.deal"})
	if err != nil || len(fewer.Types) != 6 {
		t.Errorf("fewer: %+v, %v", fewer, err)
	}
	if w := v.writes(); len(w) != 2 || !strings.HasPrefix(w[0], "DELETE ") {
		t.Errorf("writes %v", w)
	}
	all, err := c.Registered(t.Context())
	if err != nil || len(all) != 2 || all[0].URL != "https://bridge.example.com/hooks/sales" || !slices.Equal(all[1].Types, []string{"person.change", "person.create", "person.delete"}) {
		t.Errorf("registered: %+v, %v", all, err)
	}
	if err := c.Unregister(t.Context()); err != nil || len(v.writes()) != 2 {
		t.Errorf("unregister: %v", err)
	}
	if all, err := c.Registered(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after it: %v, %v", all, err)
	}
}

// TestRegisterMakesAnew: a webhook with another password, or one that nobody
// knows the password of, is replaced, and the new one is there first.
func TestRegisterMakesAnew(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if _, err := connect(t, v).Register(t.Context(), []string{"person.create"}); err != nil {
		t.Fatal(err)
	}
	v.writes()
	bare := connect(t, v, func(cfg *connectors.Config) { delete(cfg.Secrets, "webhook_password") })
	made, err := bare.Register(t.Context(), []string{"person.create"})
	if err != nil {
		t.Fatal(err)
	}
	password := made.Secrets["webhook_password"]
	if w := v.writes(); len(password.Reveal()) < 20 || len(w) != 2 || !strings.HasPrefix(w[0], "POST ") || !strings.HasPrefix(w[1], "DELETE ") {
		t.Errorf("writes %v", w)
	}
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	for name, c := range map[string]struct {
		types  []string
		change func(*connectors.Config)
	}{
		"an unknown type": {[]string{"invoice.create"}, func(*connectors.Config) {}},
		"no types":        {[]string{}, func(*connectors.Config) {}},
		"no token":        {nil, func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "api_token") }},
		"no public URL":   {nil, func(cfg *connectors.Config) { cfg.PublicURL = "" }},
	} {
		if made, err := connect(t, v, c.change).Register(t.Context(), c.types); err == nil || len(v.writes()) != 0 {
			t.Errorf("%s: %+v", name, made)
		}
	}
}
