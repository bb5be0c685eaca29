package eloqua_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestPushValues: contact fields are texts, and short.
func TestPushValues(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Push.Traits = map[string]string{}
	want := map[string]any{}
	u := person("dana@example.com", "", nil, nil)
	u.VendorID = v.AddContact("dana@example.com", nil)
	u.Want.Traits = map[string]any{}
	for name, value := range map[string][2]any{
		"Seats": {int64(12), "12"}, "Vip": {true, "true"}, "Spend": {1200.5, "1200.5"}, "Exact": {json.Number("10.10"), "10.10"}, "Tags": {[]any{"a", nil, int64(2)}, "a, , 2"},
		"More": {map[string]any{"a": "b"}, `{"a":"b"}`}, "Note": {strings.Repeat("ä", 300) + "\xff", strings.Repeat("ä", 100)}, "Title": {nil, ""},
	} {
		if name != "Title" {
			v.AddField(name)
		}
		cfg.Push.Traits[name] = strings.ToLower(name)
		u.Want.Traits[name], want[name] = value[0], value[1]
	}
	c := open(t, cfg)
	if r := followed(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("push: %+v", r)
	}
	states, err := c.Read(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, states[0].Traits); diff != "" {
		t.Errorf("traits (-want +got):\n%s", diff)
	}
}

// TestConfigurationCalls: what Eloqua asks an app beside notifying it, by POST
// or GET, and only when signed.
func TestConfigurationCalls(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	for path, want := range map[string]string{
		"/create": `"requiresConfiguration":false`, "/copy": `"ContactID":"{{Contact.Id}}"`, "/configure": "<!doctype html>",
		"/delete": "", "/uninstall": "", "/status": "", "/enable": "",
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			receipt, err := c.Receive(call(method, path, "instance=7", "secret-of-the-example-app", now, nil))
			if err != nil || len(receipt.Events) != 0 || receipt.Reply.Status != 0 || !strings.Contains(string(receipt.Reply.Body), want) {
				t.Errorf("%s %s: %+v, %v", method, path, receipt, err)
			}
			if _, err := c.Receive(call(method, path, "instance=7", "another-secret", now, nil)); err == nil {
				t.Errorf("%s %s is answered to anybody", method, path)
			}
		}
	}
}
