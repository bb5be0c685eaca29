package crisp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if text, err := connect(t, v.url).Check(t.Context()); err != nil || text != `Workspace "Acme" at "acme.example.com"` {
		t.Errorf("check = %q, %v", text, err)
	}
	_, err := connect(t, v.url, func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "token_key") }).Check(t.Context())
	if e := connectors.AsPushError(err); e == nil || e.Reason != connectors.ReasonSettings {
		t.Errorf("without a token: %v", err)
	}
}

func lookup(session string) connectors.Lookup {
	return connectors.Lookup{Type: "message:send", Body: []byte(`{"event":"message:send","data":{"session_id":"` + session + `"}}`)}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddSession("session_1", "dana@example.com", "")
	v.AddSession("session_2", "", "")
	c := connect(t, v.url)
	lookups := []connectors.Lookup{lookup("session_1"), lookup("session_2"), lookup("session_3"), lookup("session_1"), {Body: []byte("{")}}
	want := []string{
		`{"contacts":[{"email":"dana@example.com","name":"Dana"}],"data":{"plan":"Team"},"id":"session_1","segments":[]}`,
		`{"contacts":[],"data":{"plan":"Team"},"id":"session_2","segments":[]}`,
		"", "", "",
	}
	want[3] = want[0]
	for range 2 {
		records, err := c.Enrich(t.Context(), lookups)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			if diff := cmp.Diff(want[i], string(r.JSON)); diff != "" || r.Err != nil {
				t.Errorf("record %d: %v (-want +got):\n%s", i, r.Err, diff)
			}
		}
	}
	// What was asked once is remembered, also that there is no such conversation.
	if calls := v.took(); len(calls) != 3 {
		t.Errorf("calls %v", calls)
	}
}

func TestEnrichFails(t *testing.T) {
	t.Parallel()
	for status, whole := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusUnauthorized: true, http.StatusBadRequest: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		records, err := connect(t, server.URL).Enrich(t.Context(), []connectors.Lookup{lookup("session_1"), {}})
		server.Close()
		if (err != nil) != whole || !whole && (records[0].Err == nil || records[1].Err != nil) {
			t.Errorf("%d: %+v, %v", status, records, err)
		}
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddProfile("dana@example.com")
	other := v.AddProfile("lee@example.com")
	for _, s := range []string{"session_1", "session_2", "session_3"} {
		v.AddSession(s, "dana@example.com", id)
	}
	v.AddSession("session_4", "lee@example.com", other)
	c := connect(t, v.url)
	erase := func(u connectors.Update) *connectors.Erased {
		t.Helper()
		done, err := c.Erase(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if done := erase(connectors.Update{Email: "dana@example.com"}); done.Outcome != connectors.OK || done.Proof != "Crisp deleted profile "+id+" and 3 conversations" {
		t.Errorf("%+v", done)
	}
	if done := erase(connectors.Update{VendorID: id, Email: "dana@example.com"}); done.Outcome != connectors.OK || !strings.Contains(done.Proof, "no such") {
		t.Errorf("again: %+v", done)
	}
	if done := erase(connectors.Update{}); done.Outcome != connectors.Skipped {
		t.Errorf("nobody: %+v", done)
	}
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("session_1"), lookup("session_4")})
	if err != nil || records[0].JSON != nil || records[1].JSON == nil {
		t.Errorf("conversations left: %+v, %v", records, err)
	}
	if _, err := connect(t, "http://127.0.0.1:1").Erase(t.Context(), connectors.Update{Email: "dana@example.com"}); err == nil {
		t.Error("an erasure that nobody knows the outcome of is told as done")
	}
}

// TestEraseByAllAddresses: somebody may have a profile under each address.
func TestEraseByAllAddresses(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	work, home := v.AddProfile("dana@example.com"), v.AddProfile("dana@home.example.com")
	v.AddProfile("lee@example.com")
	done, err := connect(t, v.url).Erase(t.Context(), connectors.Update{
		VendorID: work, Email: "dana@example.com",
		Keys: []lifecycle.Key{{Namespace: lifecycle.NamespaceEmail, Value: "dana@home.example.com"}, {Namespace: lifecycle.NamespaceEmail, Value: "dana@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if done.Outcome != connectors.OK || !strings.Contains(done.Proof, work) || !strings.Contains(done.Proof, home) || strings.Count(done.Proof, "deleted") != 2 {
		t.Errorf("%+v", done)
	}
}
