package freshdesk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestForeignTagsStay: the list is sent whole, with only the managed set changed.
func TestForeignTagsStay(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("dana@example.com", []string{"vip", "SB:Promoters", "sb:foreign", "sb:loyal"})
	c := open(t, config(v.URL))
	r := connectortest.Push(t, c, person("dana@example.com", "", []string{"at_risk", "loyal"}, []string{"promoters", "dormant"}))[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID != id {
		t.Errorf("result %+v", r)
	}
	if diff := cmp.Diff([]string{"vip", "sb:foreign", "sb:loyal", "sb:at_risk"}, v.Tags(id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	writes := v.Writes()
	if r := connectortest.Push(t, c, person("dana@example.com", "", []string{"at_risk"}, []string{"dormant"}))[0]; connectortest.Outcome(r) != "ok" || v.Writes() != writes {
		t.Errorf("held already: %+v, %d writes", r, v.Writes()-writes)
	}
	connectortest.Push(t, c, person("dana@example.com", "", nil, []string{"at_risk", "loyal"}))
	if diff := cmp.Diff([]string{"vip", "sb:foreign"}, v.Tags(id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// TestWhoIsWritten is whom an update finds.
func TestWhoIsWritten(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddContact("dana@example.com", nil, "dana.old@example.com")
	binned, blocked := v.AddContact("binned@example.com", nil), v.AddContact("blocked@example.com", nil)
	v.Delete(binned)
	v.Block(blocked)
	for _, tt := range []struct {
		name   string
		update connectors.Update
		want   string
		id     string
	}{
		{"address", person("Dana@Example.com", "A", nil, nil), "ok", dana},
		{"further address", person("dana.old@example.com", "B", nil, nil), "ok", dana},
		{"id follows a new address", connectors.Update{Email: "dana.new@example.com", VendorID: dana, Want: connectors.State{Stage: "C"}}, "ok", dana},
		{"gone id, known address", connectors.Update{Email: "dana@example.com", VendorID: "99", Known: &connectors.State{Stage: "X"}, Want: connectors.State{Stage: "D"}}, "ok", dana},
		{"binned id, known address", connectors.Update{Email: "dana@example.com", VendorID: binned, Known: &connectors.State{Stage: "X"}, Want: connectors.State{Stage: "E"}}, "ok", dana},
		{"gone id", connectors.Update{VendorID: "99", Want: connectors.State{Stage: "C"}}, "skipped not_in_vendor", ""},
		{"in the bin", person("binned@example.com", "C", nil, nil), "skipped not_in_vendor", ""},
		{"blocked", connectors.Update{VendorID: blocked, Want: connectors.State{Stage: "C"}}, "skipped not_in_vendor", ""},
		{"nobody", connectors.Update{VendorID: "../agents/1", Want: connectors.State{Stage: "C"}}, "skipped no_identity", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := connectortest.Push(t, open(t, config(v.URL)), tt.update)[0]
			if connectortest.Outcome(r) != tt.want || r.VendorID != tt.id {
				t.Errorf("result %+v, want %s with %q", r, tt.want, tt.id)
			}
			if tt.id != "" && v.Field(tt.id, "custom_sb_stage") != tt.update.Want.Stage {
				t.Errorf("the stage is %v", v.Field(tt.id, "custom_sb_stage"))
			}
		})
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	binned := v.AddContact("binned@example.com", nil)
	v.Delete(binned)
	cfg := config(v.URL)
	cfg.Push.Create = true
	c := open(t, cfg)
	results := connectortest.Push(t, c,
		person("new@example.com", "Trial", []string{"trialists"}, []string{"dormant"}), person("binned@example.com", "Trial", nil, nil),
		connectors.Update{VendorID: "99", Email: "late@example.com", Known: &connectors.State{Stage: "Trial"}, Want: connectors.State{Stage: "Trial", Segments: []string{"a"}}})
	var got []string
	for _, r := range results {
		got = append(got, connectortest.Outcome(r))
	}
	if diff := cmp.Diff([]string{"ok", "skipped not_in_vendor", "ok"}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sb:trialists"}, v.Tags(results[0].VendorID)); diff != "" || v.Field(binned, "custom_sb_stage") != nil || v.Field(results[2].VendorID, "custom_sb_stage") != "Trial" {
		t.Errorf("tags %s, stages %v and %v", diff, v.Field(binned, "custom_sb_stage"), v.Field(results[2].VendorID, "custom_sb_stage"))
	}
}

// TestTypes: traits take the form of the field they go to, found by label or
// name.
func TestTypes(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("dana@example.com", nil)
	for label, kind := range map[string]string{"Seats": "custom_number", "Beta": "custom_checkbox", "Renews on": "custom_date", "Note": "custom_text"} {
		v.AddField(label, kind)
	}
	u := person("dana@example.com", "", nil, nil)
	u.Want.Traits = map[string]any{"seats": "5", "Beta": "true", "custom_renews_on": "2026-12-01T00:00:00Z", "Note": strings.Repeat("é", 300)}
	if r := connectortest.Push(t, open(t, config(v.URL)), u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("result %+v", r)
	}
	got := map[string]any{}
	for _, name := range []string{"custom_seats", "custom_beta", "custom_renews_on", "custom_note"} {
		got[name] = v.Field(id, name)
	}
	want := map[string]any{"custom_seats": 5.0, "custom_beta": true, "custom_renews_on": "2026-12-01", "custom_note": strings.Repeat("é", 255)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestMissingField(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddContact("dana@example.com", nil)
	cfg := config(v.URL)
	cfg.Settings["create_field"] = "false"
	r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Customer", []string{"at_risk"}, nil))[0]
	if connectortest.Outcome(r) != "permanent settings" || !strings.Contains(r.Message, "sb_stage") || v.Writes() != 0 {
		t.Errorf("result %+v, %d writes", r, v.Writes())
	}
}

// TestFailures are answers of Freshdesk's own to a write, and what becomes of it.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		on, body  string
		status    int
		header    map[string]string
		want      string
		inMessage string
		delay     time.Duration
	}{
		"rate limit":       {on: "PUT /api/v2/contacts/{id}", status: 429, body: `{"message":"You have exceeded the limit of requests per minute"}`, header: map[string]string{"Retry-After": "26"}, want: "retry rate_limit", delay: 26 * time.Second},
		"invalid":          {on: "PUT /api/v2/contacts/{id}", status: 400, body: `{"description":"Validation failed","errors":[{"field":"custom_sb_stage","message":"It should be one of these values: 'Trial'","code":"invalid_value"}]}`, want: "permanent invalid", inMessage: "Validation failed: custom_sb_stage: It should be one of these values: 'Trial' (invalid_value)"},
		"suspended":        {on: "PUT /api/v2/contacts/{id}", status: 403, body: `{"code":"account_suspended","message":"Your account has been suspended."}`, want: "permanent forbidden", inMessage: "account_suspended: Your account"},
		"bare 404":         {on: "PUT /api/v2/contacts/{id}", status: 404, want: "retry not_found"},
		"stage not kept":   {on: "PUT /api/v2/contacts/{id}", status: 200, body: `{"id":8800001,"custom_fields":{"custom_sb_stage":"Other"},"tags":["sb:at_risk"]}`, want: "permanent stage_refused"},
		"tag not kept":     {on: "PUT /api/v2/contacts/{id}", status: 200, body: `{"id":8800001,"custom_fields":{"custom_sb_stage":"Customer"},"tags":["other"]}`, want: "permanent invalid", inMessage: "sb:at_risk"},
		"no contact":       {on: "PUT /api/v2/contacts/{id}", status: 200, body: `{}`, want: "retry bad_answer"},
		"no administrator": {on: "GET /api/v2/contact_fields", status: 403, body: `{"code":"access_denied","message":"You are not authorized to perform this action."}`, want: "permanent forbidden", inMessage: "access_denied"},
		"not a list":       {on: "GET /api/v2/contacts", status: 200, body: `{}`, want: "retry bad_answer"},
		"not contacts":     {on: "GET /api/v2/contacts", status: 200, body: `[7]`, want: "retry bad_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.AddContact("dana@example.com", nil)
			mux := http.NewServeMux()
			mux.Handle("/", v)
			mux.HandleFunc(tt.on, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			results, err := open(t, config(server.URL)).Push(t.Context(), []connectors.Update{person("dana@example.com", "Customer", []string{"at_risk"}, nil)})
			var r connectors.Result
			if err != nil {
				r = connectors.AsPushError(err).Result()
			} else {
				r = results[0]
			}
			if connectortest.Outcome(r) != tt.want || !strings.Contains(r.Message, tt.inMessage) || r.Delay != tt.delay {
				t.Errorf("result %+v, want %s with %q", r, tt.want, tt.inMessage)
			}
		})
	}
}

// TestDuplicate: what stands in the way of a new contact is written to, where
// it has the address and may be written to.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ named, want string }{
		"named":         {`,"additional_info":{"user_id":8800001}`, "ok"},
		"another's":     {`,"additional_info":{"user_id":8800002}`, "skipped not_in_vendor"},
		"not named":     {``, "skipped not_in_vendor"},
		"named wrongly": {`,"additional_info":{"user_id":99}`, "skipped not_in_vendor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.AddContact("dana@example.com", nil)
			v.AddContact("lee@example.com", nil)
			mux := http.NewServeMux()
			mux.Handle("/", v)
			mux.HandleFunc("GET /api/v2/contacts", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[]`)) })
			mux.HandleFunc("POST /api/v2/contacts", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"description":"Validation failed","errors":[{"field":"email","message":"It should be a unique value","code":"duplicate_value"` + tt.named + `}]}`))
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			cfg := config(server.URL)
			cfg.Push.Create = true
			if r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Customer", nil, nil))[0]; connectortest.Outcome(r) != tt.want {
				t.Errorf("result %+v, want %s", r, tt.want)
			}
		})
	}
}

// TestLimits: a batch is what half a minute's calls allow.
func TestLimits(t *testing.T) {
	t.Parallel()
	for calls, want := range map[string]int{"": 25, "1": 1, "40": 10, "5000": 50} {
		cfg := config("https://acme.freshdesk.com")
		cfg.Settings["calls_per_minute"] = calls
		if l := open(t, cfg).Limits(); l.Batch != want || l.Concurrency != 1 || l.Takes != connectors.TakesState {
			t.Errorf("%q calls: %+v, want a batch of %d", calls, l, want)
		}
	}
}
