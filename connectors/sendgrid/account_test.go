package sendgrid_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
)

// TestRegister ends with a webhook whose deliveries the connection takes.
func TestRegister(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, func(cfg *connectors.Config) { delete(cfg.Secrets, "verification_key") })
	made, err := c.Register(t.Context(), nil)
	if err != nil || made.URL != "https://bridge.example.com/hooks/sendgrid" || len(made.Types) != 8 || slices.Contains(made.Types, "processed") {
		t.Fatalf("registration = %+v, %v", made, err)
	}
	cfg := conforming()
	cfg.Secrets["verification_key"] = append(cfg.Secrets["verification_key"], made.Secrets["verification_key"])
	registered, err := sendgrid.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := v.Sign(vectorStamp, []byte(vectorBody))
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := registered.(connectors.Source).Receive(&connectors.Request{
		Method: http.MethodPost, Body: []byte(vectorBody), Received: time.Unix(1795166100, 0),
		Header: http.Header{"X-Twilio-Email-Event-Webhook-Signature": {signature}, "X-Twilio-Email-Event-Webhook-Timestamp": {vectorStamp}},
	})
	if err != nil || len(receipt.Events) != 1 {
		t.Errorf("a delivery of the webhook: %v, %v", receipt, err)
	}

	changed, err := c.Register(t.Context(), []string{"spamreport", "unsubscribe"})
	if err != nil || changed.ID != made.ID || len(changed.Secrets) != 1 {
		t.Errorf("changed = %+v, %v", changed, err)
	}
	list, err := c.Registered(t.Context())
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Types, []string{"spamreport", "unsubscribe"}) {
		t.Errorf("registered = %+v, %v", list, err)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if list, err = c.Registered(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("registered = %+v, %v", list, err)
	}
	_, err = c.Register(t.Context(), []string{"account_status_change"})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("an event without a switch: %v", err)
	}
}

// TestRegisterWithoutAKey: an answer that holds no key is not stored as one.
func TestRegisterWithoutAKey(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	front := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/signed/") {
			_, _ = w.Write([]byte(`{"id":"x"}`))
			return
		}
		v.ServeHTTP(w, r)
	})
	_, err := open(t, front, nil).Register(t.Context(), nil)
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonBadAnswer {
		t.Errorf("error = %v", err)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	old := v.Add(map[string]any{"email": "dana.old@example.com"})
	v.Add(map[string]any{"email": "dana@example.com"})
	v.Add(map[string]any{"email": "lee@example.com"})
	c := open(t, v, nil)
	who := person("Dana@example.com", "")
	who.VendorID = old
	done, err := c.Erase(t.Context(), who)
	if err != nil || done.Outcome != connectors.Submitted || !strings.Contains(done.Proof, "deletion of 2 contacts taken as job ") || strings.Contains(done.Proof, "@") {
		t.Errorf("erased = %+v, %v", done, err)
	}
	if held := v.Held(); len(held) != 1 || held[0].Person != "lee@example.com" {
		t.Errorf("held = %+v", held)
	}
	if diff := cmp.Diff([]string{"dana.old@example.com", "dana@example.com"}, v.Erased()); diff != "" {
		t.Errorf("message data (-want +got):\n%s", diff)
	}
	// The messages are asked for again although no contact is there.
	again, err := c.Erase(t.Context(), person("dana@example.com", ""))
	if err != nil || again.Outcome != connectors.Submitted || !strings.Contains(again.Proof, "no contact") {
		t.Errorf("again = %+v, %v", again, err)
	}
	gone := person("", "")
	gone.VendorID = old
	if done, err = c.Erase(t.Context(), gone); err != nil || done.Outcome != connectors.OK {
		t.Errorf("an id that is gone = %+v, %v", done, err)
	}
	if done, err = c.Erase(t.Context(), person("", "")); err != nil || done.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody = %+v, %v", done, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.Add(map[string]any{"email": "dana@example.com"})
	text, err := open(t, v, nil).Check(t.Context())
	if err != nil || !strings.Contains(text, "holds 1 contacts") {
		t.Errorf("check = %q, %v", text, err)
	}
	mailOnly := newVendor(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"scopes":["mail.send"]}`)) })
	text, err = open(t, mailOnly, func(cfg *connectors.Config) { cfg.Push.Enabled = false }).Check(t.Context())
	if err != nil || !strings.Contains(text, "none is for Marketing Campaigns") {
		t.Errorf("a key for mail only: %q, %v", text, err)
	}
	for reason, change := range map[connectors.Reason]func(*connectors.Config){
		connectors.ReasonAuth:     func(cfg *connectors.Config) { cfg.Secrets["api_key"] = cfg.Secrets["verification_key"] },
		connectors.ReasonSettings: func(cfg *connectors.Config) { delete(cfg.Secrets, "api_key"); cfg.Push.Enabled = false },
	} {
		_, err := open(t, v, change).Check(t.Context())
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != reason {
			t.Errorf("error = %v, want %s", err, reason)
		}
	}
}
