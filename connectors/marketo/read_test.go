package marketo_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Settings["activities"], cfg.Settings["change_fields"] = "2,open_email,no_such_thing", "email,noSuchField"
	words, err := open(t, cfg).Check(t.Context())
	if err != nil || !strings.Contains(words, "API calls") || !strings.Contains(words, "1 of 3 activity types") || !strings.Contains(words, "no field noSuchField;") {
		t.Errorf("check: %q, %v", words, err)
	}
	cfg.Settings["client_id"] = "somebody-else"
	_, err = open(t, cfg).Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("with another id: %v", err)
	}
	cfg.Push.Enabled = false
	delete(cfg.Settings, "client_id")
	if _, err = open(t, cfg).Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("without an id: %v", err)
	}
}

// TestRead: what was pushed is what is read, in both forms of segments.
func TestRead(t *testing.T) {
	t.Parallel()
	for _, as := range []string{"field", "lists"} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			cfg := config(v)
			cfg.Settings["segments_as"], cfg.Settings["list_folder"] = as, "1034"
			c := open(t, cfg)
			dana := person("Dana@example.com", "Customer", []string{"at_risk", "new"}, []string{"dormant"})
			dana.Want.Traits = map[string]any{"company": "Acme"}
			lee := person("", "Lead", nil, []string{"at_risk", "dormant", "new"})
			lee.VendorID = fmt.Sprint(v.AddPerson("lee@example.com", map[string]any{"company": nil}))
			gone := person("gone@example.com", "", []string{"new"}, nil)
			gone.VendorID = "7"
			for _, r := range connectortest.Push(t, c, dana, lee) {
				if connectortest.Outcome(r) != "ok" {
					t.Fatalf("push: %+v", r)
				}
			}
			states, err := c.Read(t.Context(), []connectors.Update{dana, lee, gone, {Email: "a,b@example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			want := []*connectors.State{
				{Stage: "Customer", Segments: []string{"at_risk", "new"}, Absent: []string{"dormant"}, Traits: map[string]any{"company": "Acme"}},
				{Stage: "Lead", Absent: []string{"at_risk", "dormant", "new"}, Traits: map[string]any{"company": nil}},
				nil, nil,
			}
			if diff := cmp.Diff(want, states); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	one, two, other := v.AddPerson("dana@example.com", nil), v.AddPerson("Dana@example.com", nil), v.AddPerson("lee@example.com", nil)
	who := connectors.Update{Email: " Dana@Example.com ", VendorID: fmt.Sprint(one)}
	done, err := c.Erase(t.Context(), who)
	if err != nil || done.Outcome != connectors.OK || !strings.HasPrefix(done.Proof, "request ") {
		t.Fatalf("erase: %+v, %v", done, err)
	}
	if v.Person(one) != nil || v.Person(two) != nil || v.Person(other) == nil {
		t.Error("not exactly the people of the address are gone")
	}
	if done, err = c.Erase(t.Context(), who); err != nil || done.Outcome != connectors.OK {
		t.Errorf("erasing again: %+v, %v", done, err)
	}
	who = connectors.Update{VendorID: fmt.Sprint(other)}
	v.failing(http.MethodPost, "/leads/delete.json", 1, 200, fmt.Sprintf(`{"requestId":"b#2","success":true,"result":[{"id":%d,"status":"skipped","reasons":[{"code":"1021","message":"Record is used elsewhere"}]}]}`, other))
	if done, err = c.Erase(t.Context(), who); err != nil || done.Outcome != connectors.Permanent || !strings.Contains(done.Message, "used elsewhere") {
		t.Errorf("refused: %+v, %v", done, err)
	}
	v.failing(http.MethodPost, "/leads/delete.json", 1, 200, `{"success":true,"result":[]}`)
	if _, err = c.Erase(t.Context(), who); err == nil {
		t.Error("an answer that tells of nobody proves nothing")
	}
}
