package intercom_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// TestForeignTagsStay: only tags of the managed set are touched, and only where
// they differ.
func TestForeignTagsStay(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("user", "", "dana@example.com", "vip", "sb:promoters", "sb:foreign", "SB:Loyal")
	r := connectortest.Push(t, open(t, config(v.URL)), person("dana@example.com", "", []string{"at_risk", "loyal"}, []string{"promoters", "dormant"}))[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID != id {
		t.Errorf("result %+v", r)
	}
	if diff := cmp.Diff([]string{"vip", "sb:foreign", "SB:Loyal", "sb:at_risk"}, v.Tags(id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	writes := slices.DeleteFunc(v.Took(), func(request string) bool {
		return strings.HasPrefix(request, "GET ") || strings.HasPrefix(request, "POST /contacts/search")
	})
	if len(writes) != 3 { // the new tag is made and set, the other taken off
		t.Errorf("writes %v", writes)
	}
}

// TestManyTags: a contact shows ten of its tags, so beyond that nothing is
// concluded from what it does not show.
func TestManyTags(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	var tags []string
	for i := range 12 {
		tags = append(tags, "tag "+strconv.Itoa(i))
	}
	id := v.AddContact("user", "", "dana@example.com", append(tags, "sb:promoters")...)
	lee := v.AddContact("user", "", "lee@example.com", tags...)
	c := open(t, config(v.URL))
	for _, r := range connectortest.Push(t, c, person("dana@example.com", "", nil, []string{"promoters"}), person("lee@example.com", "", nil, []string{"promoters"})) {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %+v", r)
		}
	}
	if slices.Contains(v.Tags(id), "sb:promoters") || len(v.Tags(lee)) != 12 {
		t.Errorf("tags %v and %v", v.Tags(id), v.Tags(lee))
	}
}

// TestWhoIsWritten is whom an update finds.
func TestWhoIsWritten(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	lead := v.AddContact("lead", "", "dana@example.com")
	old := v.AddContact("user", "", "old@example.com")
	v.AddContact("user", "", "dana@example.com")
	dana := v.AddContact("user", "u-42", "dana.work@example.com")
	newest := v.AddContact("user", "", "dana@example.com")
	keys := func(user string) []lifecycle.Key { return []lifecycle.Key{{Namespace: "user", Value: user}} }
	for _, tt := range []struct {
		name   string
		update connectors.Update
		want   string
		id     string
	}{
		{"newest user of the address", person("Dana@example.com", "A", nil, nil), "ok", newest},
		{"user id before address", connectors.Update{Email: "dana@example.com", Keys: keys("u-42"), Want: connectors.State{Stage: "B"}}, "ok", dana},
		{"unknown user id, known address", connectors.Update{Email: "dana@example.com", Keys: keys("u-99"), Want: connectors.State{Stage: "C"}}, "ok", newest},
		{"id follows a new address", connectors.Update{Email: "dana.new@example.com", VendorID: lead, Want: connectors.State{Stage: "D"}}, "ok", lead},
		{"id with known state", connectors.Update{VendorID: old, Known: &connectors.State{Stage: "X"}, Want: connectors.State{Stage: "E"}}, "ok", old},
		{"gone id, known address", connectors.Update{Email: "dana@example.com", VendorID: "gone1", Known: &connectors.State{Stage: "X"}, Want: connectors.State{Stage: "F"}}, "ok", newest},
		{"gone id and tags only", connectors.Update{Email: "dana@example.com", VendorID: "gone2", Known: &connectors.State{Stage: "G", Absent: []string{"a"}}, Want: connectors.State{Stage: "G", Segments: []string{"a"}}}, "ok", newest},
		{"gone id", connectors.Update{VendorID: "gone3", Want: connectors.State{Stage: "H"}}, "skipped not_in_vendor", ""},
		{"unknown", person("nobody@example.com", "H", nil, nil), "skipped not_in_vendor", ""},
		{"nobody", connectors.Update{Want: connectors.State{Stage: "H"}}, "skipped no_identity", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := connectortest.Push(t, open(t, config(v.URL)), tt.update)[0]
			if connectortest.Outcome(r) != tt.want || r.VendorID != tt.id {
				t.Errorf("result %+v, want %s with %q", r, tt.want, tt.id)
			}
			if tt.id != "" && v.Attribute(tt.id, "sb_stage") != tt.update.Want.Stage {
				t.Errorf("the stage is %v", v.Attribute(tt.id, "sb_stage"))
			}
		})
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	hidden, archived := v.AddContact("user", "u-1", "hidden@example.com"), v.AddContact("user", "u-2", "archived@example.com")
	v.Hide(hidden, false)
	v.Hide(archived, true)
	cfg := config(v.URL)
	cfg.Push.Create = true
	c := open(t, cfg)
	key := func(user string) []lifecycle.Key { return []lifecycle.Key{{Namespace: "user", Value: user}} }
	results := connectortest.Push(t, c,
		connectors.Update{Email: "new@example.com", Keys: key("u-3"), Want: connectors.State{Stage: "Trial", Segments: []string{"trialists"}}},
		person("hidden@example.com", "Trial", nil, nil),
		connectors.Update{Email: "archived@example.com", Keys: key("u-2"), Want: connectors.State{Stage: "Trial"}},
	)
	var got []string
	for _, r := range results {
		got = append(got, connectortest.Outcome(r))
	}
	if diff := cmp.Diff([]string{"ok", "ok", "skipped not_in_vendor"}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sb:trialists"}, v.Tags(results[0].VendorID)); diff != "" || v.Attribute(hidden, "sb_stage") != "Trial" || v.Attribute(archived, "sb_stage") != nil {
		t.Errorf("tags %s, stages %v and %v", diff, v.Attribute(hidden, "sb_stage"), v.Attribute(archived, "sb_stage"))
	}
	if !slices.ContainsFunc(v.Took(), func(r string) bool {
		return strings.HasPrefix(r, `POST /contacts {"role":"user","external_id":"u-3","email":"new@example.com"`)
	}) {
		t.Error("the new contact was not made with its user id")
	}
	cfg.Settings["role_if_new"] = "lead"
	leads := connectortest.Push(t, open(t, cfg),
		connectors.Update{Email: "lead@example.com", Keys: key("u-4"), Want: connectors.State{Stage: "Trial"}},
		connectors.Update{Keys: key("u-5"), Want: connectors.State{Stage: "Trial"}})
	if connectortest.Outcome(leads[0]) != "ok" || connectortest.Outcome(leads[1]) != "skipped no_identity" {
		t.Errorf("leads %+v", leads)
	}
}

// TestTypes: traits take the form of the attribute they go to.
func TestTypes(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("user", "", "dana@example.com")
	for name, kind := range map[string]string{"seats": "integer", "beta": "boolean", "renews": "date", "ltv": "float"} {
		v.AddAttribute(name, kind)
	}
	u := person("dana@example.com", "", nil, nil)
	u.Want.Traits = map[string]any{"seats": "5", "beta": "true", "renews": "2026-12-01", "ltv": 12.5, "note": strings.Repeat("é", 300), "left": nil}
	if r := connectortest.Push(t, open(t, config(v.URL)), u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("result %+v", r)
	}
	got := map[string]any{}
	for name := range u.Want.Traits {
		got[name] = v.Attribute(id, name)
	}
	want := map[string]any{"seats": 5.0, "beta": true, "renews": 1796083200.0, "ltv": 12.5, "note": strings.Repeat("é", 255), "left": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestMissingAttribute(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddContact("user", "", "dana@example.com")
	cfg := config(v.URL)
	cfg.Settings["create_field"] = "false"
	r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Customer", []string{"at_risk"}, nil))[0]
	if connectortest.Outcome(r) != "permanent settings" || !strings.Contains(r.Message, "sb_stage") || v.Writes() != 0 {
		t.Errorf("result %+v, %d writes", r, v.Writes())
	}
}

// TestTagGone: a tag that was deleted at Intercom is made anew.
func TestTagGone(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("user", "", "dana@example.com")
	c := open(t, config(v.URL))
	u := person("dana@example.com", "", []string{"at_risk"}, nil)
	connectortest.Push(t, c, u)
	v.DropTag("sb:at_risk")
	u.VendorID, u.Known = id, &connectors.State{}
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" || !slices.Equal(v.Tags(id), []string{"sb:at_risk"}) {
		t.Errorf("result %+v, tags %v", r, v.Tags(id))
	}
}

// TestFailures are answers of Intercom's own to a write, and what becomes of it.
func TestFailures(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795166100, 0)
	for name, tt := range map[string]struct {
		on, body  string
		status    int
		header    map[string]string
		want      string
		inMessage string
		delay     time.Duration
	}{
		"rate limit":       {on: "PUT /contacts/{id}", status: 429, body: `{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"Exceeded rate limit"}]}`, header: map[string]string{"X-RateLimit-Reset": "1795166107"}, want: "retry rate_limit", delay: 7 * time.Second},
		"invalid":          {on: "PUT /contacts/{id}", status: 400, body: `{"type":"error.list","errors":[{"code":"parameter_invalid","field":"sb_stage","message":"is not a string"},{"code":"x"}]}`, want: "permanent invalid", inMessage: "parameter_invalid (sb_stage): is not a string; x"},
		"stage not kept":   {on: "PUT /contacts/{id}", status: 200, body: `{"type":"contact","id":"c1","custom_attributes":{"sb_stage":"Other"}}`, want: "permanent stage_refused"},
		"scope":            {on: "POST /contacts/{id}/tags", status: 403, body: `{"type":"error.list","errors":[{"code":"api_plan_restricted"}]}`, want: "permanent forbidden", inMessage: "api_plan_restricted"},
		"tag just gone":    {on: "POST /contacts/{id}/tags", status: 404, body: `{"type":"error.list","errors":[{"code":"not_found","message":"Tag Not Found"}]}`, want: "retry not_found"},
		"not even JSON":    {on: "POST /contacts/{id}/tags", status: 502, body: `<html>`, want: "retry server"},
		"tag without id":   {on: "POST /tags", status: 200, body: `{}`, want: "retry bad_answer"},
		"no right to tags": {on: "POST /tags", status: 400, body: `{"type":"error.list","errors":[{"code":"parameter_invalid"}]}`, want: "permanent settings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.AddContact("user", "", "dana@example.com")
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
			cfg := config(server.URL)
			cfg.Now = func() time.Time { return now }
			results, err := open(t, cfg).Push(t.Context(), []connectors.Update{person("dana@example.com", "Customer", []string{"at_risk"}, nil)})
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
