package marketo_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestPushValues: what each kind of field is given, and what is read back.
func TestPushValues(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	for name, kind := range map[string]string{"seats": "integer", "vip": "boolean", "since": "date", "spend": "currency", "tags": "string", "more": "string", "note": "string", "old": "string"} {
		v.AddField(name, kind)
	}
	cfg := config(v)
	cfg.Push.Traits = map[string]string{"seats": "a", "vip": "b", "since": "c", "spend": "d", "tags": "e", "more": "f", "note": "g", "old": "h"}
	c := open(t, cfg)
	u := person("dana@example.com", "", nil, nil)
	u.Want.Traits = map[string]any{
		"seats": int64(12), "vip": true, "since": "2026-11-20T09:14:05Z", "spend": 1200.5, "tags": []any{"a", int64(2), false},
		"more": map[string]any{"a": "b"}, "note": strings.Repeat("ä", 300) + "\xff", "old": nil,
	}
	r := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(r) != "ok" {
		t.Fatalf("push: %+v", r)
	}
	u.VendorID = r.VendorID
	states, err := c.Read(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"seats": int64(12), "vip": true, "since": "2026-11-20", "spend": 1200.5, "tags": "a, 2, false",
		"more": `{"a":"b"}`, "note": strings.Repeat("ä", 255), "old": nil,
	}
	if diff := cmp.Diff(want, states[0].Traits); diff != "" {
		t.Errorf("traits (-want +got):\n%s", diff)
	}
	// Known as it was sent, nothing is sent again.
	u.Known = &u.Want
	v.took()
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" || len(v.took()) != 0 {
		t.Errorf("unchanged: %+v", r)
	}
}

// TestPushFieldsNotMade: each way in which a field does not come to be.
func TestPushFieldsNotMade(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		reason     connectors.Reason
		words      string
	}{
		{"refused", coded("1003", "no more than 100 fields"), connectors.ReasonSettings, "100 fields"},
		{"not allowed", coded("603", "Access denied"), connectors.ReasonForbidden, "Access denied"},
		{"skipped", `{"success":true,"result":[{"name":"sb_stage","status":"skipped","reasons":[{"code":"1003","message":"reserved"}]}]}`, connectors.ReasonSettings, "sb_stage: reserved"},
	} {
		v := newVendor(t)
		v.failing(http.MethodPost, "/schema/fields.json", -1, 200, tt.body)
		_, err := open(t, config(v)).Push(t.Context(), []connectors.Update{person("dana@example.com", "Lead", nil, nil)})
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != tt.reason || !strings.Contains(e.Message, tt.words) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// Another process is faster: the field is there when it is looked for again.
	v := newVendor(t)
	v.failing(http.MethodGet, "/describe2.json", 1, 200, `{"success":true,"result":[{"fields":[{"name":"email","dataType":"email"}]}]}`)
	v.AddField("sb_stage", "string")
	if r := connectortest.Push(t, open(t, config(v)), person("dana@example.com", "Lead", nil, nil))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("after a race: %+v", r)
	}
	// A field that nobody may write is nobody's own fault either.
	v = newVendor(t)
	cfg := config(v)
	cfg.Push.Traits = map[string]string{"createdAt": "signed_up"}
	u := person("dana@example.com", "", nil, nil)
	u.Want.Traits = map[string]any{"createdAt": "2026-11-20"}
	if r := connectortest.Push(t, open(t, cfg), u)[0]; connectortest.Outcome(r) != "permanent settings" {
		t.Errorf("a field that cannot be written: %+v", r)
	}
}

// TestPushSharedAddressUnreadable: several people, and none of them to be had.
func TestPushSharedAddressUnreadable(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"success":true,"result":[]}`:  "permanent conflict",
		coded("611", "System error"):    "retry server",
		`{"success":true,"result":[7]}`: "permanent conflict",
	} {
		v := newVendor(t)
		v.AddField("sb_stage", "string")
		v.AddPerson("shared@example.com", nil)
		v.AddPerson("shared@example.com", nil)
		v.failing(http.MethodGet, "/rest/v1/leads.json", -1, 200, body)
		results := connectortest.Push(t, open(t, config(v)), person("shared@example.com", "Lead", nil, nil), person("new@example.com", "Lead", nil, nil))
		if connectortest.Outcome(results[0]) != want || connectortest.Outcome(results[1]) != "ok" {
			t.Errorf("%s: %+v, want %s", body, results, want)
		}
	}
}

// TestReceiveLongEvent: a word that is too long is cut between characters.
func TestReceiveLongEvent(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(map[string]any{"event": "x" + strings.Repeat("ä", 300) + "\x00", "lead_id": 7})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := receiving(t, nil).Receive(delivery(string(body)))
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("receive: %+v, %v", receipt, err)
	}
	if e := receipt.Events[0]; len(e.Type) > 120 || !utf8.ValidString(e.Type) || !strings.HasPrefix(e.Type, "webhook.xää") {
		t.Errorf("the type is %q", e.Type)
	}
}
