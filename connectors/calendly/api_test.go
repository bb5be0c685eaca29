package calendly_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/calendly"
	"github.com/stagebridge/stagebridge/connectors/calendly/calendlysim"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

const hook = "https://bridge.example.com/hooks/meetings"

// open opens a connection against an address; change edits it first.
func open(t testing.TB, base string, change func(*connectors.Config)) *calendly.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings = map[string]string{"base_url": base}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	if change != nil {
		change(&cfg)
	}
	c, err := calendly.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*calendly.Connector)
}

// organization starts a stand-in.
func organization(t testing.TB, o calendlysim.Options) (*calendlysim.Sim, string) {
	t.Helper()
	sim := calendlysim.New(o)
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
	if !strings.HasPrefix(err.Error(), "calendly: ") || strings.Contains(err.Error(), calendlysim.Token) {
		t.Errorf("error = %v", err)
	}
	return e.Reason
}

// TestRegister: one subscription of this URL, however often it is made; those of
// others stay.
func TestRegister(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"organization", "user"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			sim, base := organization(t, calendlysim.Options{})
			for i := range 3 {
				other := open(t, base, func(c *connectors.Config) {
					c.PublicURL, c.Settings["scope"] = fmt.Sprintf("https://other%d.example.com/hooks/meetings", i), scope
				})
				if _, err := other.Register(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			c := open(t, base, func(c *connectors.Config) {
				c.Settings["scope"] = scope
				delete(c.Secrets, "signing_key")
			})
			made, err := c.Register(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			key := made.Secrets["signing_key"]
			if key.Empty() || !slices.Equal(sim.SigningKeys(hook), []string{key.Reveal()}) {
				t.Errorf("registered %+v", made)
			}
			if slices.Contains(made.Types, "routing_form_submission.created") != (scope == "organization") {
				t.Errorf("types of scope %s: %v", scope, made.Types)
			}
			keyed := open(t, base, func(c *connectors.Config) { c.Settings["scope"] = scope })
			again, err := keyed.Register(t.Context(), []string{"invitee.created"})
			if err != nil || again.Secrets != nil || again.ID == made.ID || !slices.Equal(sim.SigningKeys(hook), []string{"signing-key-now"}) {
				t.Errorf("registered again %+v, %v", again, err)
			}
			want := []connectors.Registration{{ID: again.ID, URL: hook, Types: []string{"invitee.created"}}}
			there, err := keyed.Registered(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, there); diff != "" {
				t.Errorf("registered (-want +got):\n%s", diff)
			}
			for range 2 {
				if err := keyed.Unregister(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(sim.SigningKeys(hook)) != 0 || len(sim.SigningKeys("https://other1.example.com/hooks/meetings")) != 1 {
				t.Error("the wrong subscriptions were removed")
			}
		})
	}
}

// TestRegisterOnABasicPlan: events that the plan lacks are left out, unless they
// were asked for by name.
func TestRegisterOnABasicPlan(t *testing.T) {
	t.Parallel()
	_, base := organization(t, calendlysim.Options{Basic: true})
	c := open(t, base, nil)
	made, err := c.Register(t.Context(), nil)
	if err != nil || !slices.Equal(made.Types, []string{"invitee.created", "invitee.canceled"}) {
		t.Errorf("registered %+v, %v", made, err)
	}
	if _, err := c.Register(t.Context(), []string{"invitee_no_show.created"}); reasonOf(t, err) != connectors.ReasonInvalid {
		t.Errorf("error = %v", err)
	}
}

// TestCheck names the user, and tells of a webhook that was switched off.
func TestCheck(t *testing.T) {
	t.Parallel()
	sim, base := organization(t, calendlysim.Options{})
	c := open(t, base, nil)
	if _, err := c.Register(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if said, err := c.Check(t.Context()); err != nil || said != "Calendly user Host Example" {
		t.Errorf("check = %q, %v", said, err)
	}
	sim.Disable()
	if said, err := c.Check(t.Context()); err != nil || !strings.Contains(said, "disabled") {
		t.Errorf("check = %q, %v", said, err)
	}
	if there, err := c.Registered(t.Context()); err != nil || len(there) != 1 || there[0].Types != nil {
		t.Errorf("registered %+v, %v", there, err)
	}
	wrong := open(t, base, func(c *connectors.Config) { c.Secrets["access_token"] = []secret.Text{secret.New("x")} })
	if _, err := wrong.Check(t.Context()); reasonOf(t, err) != connectors.ReasonAuth {
		t.Errorf("error = %v", err)
	}
	none := open(t, base, func(c *connectors.Config) { delete(c.Secrets, "access_token") })
	if _, err := none.Check(t.Context()); reasonOf(t, err) != connectors.ReasonSettings {
		t.Errorf("error = %v", err)
	}
}

// TestCheckAnswers goes through what Calendly may answer.
func TestCheckAnswers(t *testing.T) {
	t.Parallel()
	const me = `{"resource":{"uri":"https://api.calendly.com/users/U1","name":"Host","current_organization":"https://api.calendly.com/organizations/O1"}}`
	for _, tt := range []struct {
		name   string
		status int
		header string
		body   string
		want   connectors.Reason
		pause  time.Duration
	}{
		{"403", 403, "", `{"title":"Permission Denied","message":"no"}`, connectors.ReasonForbidden, 0},
		{"429 with a pause", 429, "42", `{"title":"Too Many Requests"}`, connectors.ReasonRateLimit, 42 * time.Second},
		{"429 with nonsense", 429, "soon", "", connectors.ReasonRateLimit, 0},
		{"500", 500, "", "<html>", connectors.ReasonServer, 0},
		{"nobody", 200, "", `{"resource":{}}`, connectors.ReasonBadAnswer, 0},
		{"no JSON", 200, "", "ok", connectors.ReasonBadAnswer, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := connectortest.NewFake(t)
			f.Handle("GET /users/me", func(w http.ResponseWriter, r *http.Request) {
				if tt.header != "" {
					w.Header().Set("X-RateLimit-Reset", tt.header)
				}
				connectortest.Reply(tt.status, tt.body)(w, r)
			})
			_, err := open(t, f.URL, nil).Check(t.Context())
			var e *connectors.PushError
			if reasonOf(t, err) != tt.want || !errors.As(err, &e) || e.RetryAfter != tt.pause {
				t.Errorf("error = %+v", err)
			}
		})
	}
	f := connectortest.NewFake(t)
	f.Reply("GET /users/me", 200, me)
	f.Reply("GET /webhook_subscriptions", 403, `{"title":"Permission Denied"}`)
	if said, err := open(t, f.URL, nil).Check(t.Context()); err != nil || said != "Calendly user Host" {
		t.Errorf("a token that may not list webhooks: %q, %v", said, err)
	}
}

// TestErase hands Calendly every address of the person, once.
func TestErase(t *testing.T) {
	t.Parallel()
	sim, base := organization(t, calendlysim.Options{Enterprise: true})
	who := connectors.Update{Email: "Ada@example.com", Keys: []lifecycle.Key{
		{Namespace: "user", Value: "u-1"}, {Namespace: "email", Value: "ada@example.com"}, {Namespace: "email", Value: "ada@work.example.com"},
	}}
	done, err := open(t, base, nil).Erase(t.Context(), who)
	if err != nil || done.Outcome != connectors.Submitted || done.Proof == "" || strings.Contains(done.Proof, "@") {
		t.Errorf("erased %+v, %v", done, err)
	}
	if diff := cmp.Diff([]string{"ada@example.com", "ada@work.example.com"}, sim.Deleted()); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if done, err := open(t, base, nil).Erase(t.Context(), connectors.Update{}); err != nil || done.Outcome != connectors.Skipped {
		t.Errorf("erasing nobody %+v, %v", done, err)
	}
	_, basic := organization(t, calendlysim.Options{})
	if _, err := open(t, basic, nil).Erase(t.Context(), who); reasonOf(t, err) != connectors.ReasonForbidden || !strings.Contains(err.Error(), "Enterprise") {
		t.Errorf("error = %v", err)
	}
}

// TestSettings: what is wrong is refused at the door, by the name of the field.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range [][2]string{{"base_url", "api.calendly.com"}, {"max_age_minutes", "a day"}, {"max_age_minutes", "0"}, {"max_age_minutes", "1501"}, {"scope", "group"}} {
		cfg := conforming()
		cfg.Settings = map[string]string{tt[0]: tt[1]}
		_, err := calendly.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != tt[0] {
			t.Errorf("%v: %v", tt, err)
		}
	}
}
