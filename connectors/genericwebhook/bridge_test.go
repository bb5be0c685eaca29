package genericwebhook

import (
	"errors"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
)

// TestTwoInstances takes a message that one installation sent to another: the
// other reads a claim in it, and the first knows it when it comes back.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	f, first := receiver(t, nil)
	if results, err := first.Push(t.Context(), []connectors.Update{ann()}); err != nil || results[0].Outcome != connectors.OK {
		t.Fatalf("push = %+v, %v", results, err)
	}
	sent := f.Requests()[0]
	arrive := func(instance string) connectors.RawEvent {
		cfg := config(nil, time.Now())
		cfg.Instance = instance
		cfg.Secrets["signing_secret"] = []secret.Text{secret.New(specKey)}
		conn, err := Vendor().Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		rc, err := conn.(*Connector).Receive(&connectors.Request{Method: "POST", Header: sent.Header, Body: sent.Body})
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events[0]
	}
	if e := arrive("inst1"); e.Echo == "" {
		t.Error("an installation does not know its own message")
	}
	e := arrive("inst2")
	if e.Echo != "" {
		t.Errorf("another installation's message is dropped as %q", e.Echo)
	}
	rules, err := mapping.Compile("rules.yaml", descriptor.Rules, mapping.Options{
		Connection: "other", Connector: "generic-webhook", Stages: map[string]string{"Kunde": "customer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := rules.Apply(&mapping.Input{Type: e.Type, Raw: e.Body, Format: e.Format, At: e.At, Dedupe: e.Dedupe[:]})
	if out.Err != nil || len(out.Events) != 1 {
		t.Fatalf("mapped to %+v", out)
	}
	got := out.Events[0]
	if got.Name != "Stage:Claimed" || got.Claim != "Kunde" || got.At != eventTime || len(got.Identity) != 2 {
		t.Errorf("event = %+v", got)
	}
}

func TestNothingIsAcceptedWithoutASecret(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"standard", "github", "token", "basic"} {
		c := connect(t, map[string]string{"profile": profile}, time.Now())
		if _, err := c.Receive(deliver(`{"type":"a"}`)); !errors.Is(verdict(err), connectors.ErrUnconfigured) {
			t.Errorf("%s: %v", profile, err)
		}
	}
}
