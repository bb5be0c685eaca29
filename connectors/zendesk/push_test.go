package zendesk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestForeignTagsStay: tags are added and removed one by one, and only those
// of the managed set.
func TestForeignTagsStay(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddUser("dana@example.com", []string{"vip", "sb_promoters", "sb_foreign"})
	r := connectortest.Push(t, open(t, config(v.URL)), person("dana@example.com", "", []string{"At Risk"}, []string{"promoters", "dormant"}))[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID != id {
		t.Errorf("result %+v", r)
	}
	if diff := cmp.Diff([]string{"vip", "sb_foreign", "sb_at_risk"}, v.Tags(id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	for _, request := range v.Took() {
		if strings.Contains(request, "dormant") || strings.HasPrefix(request, "PUT /users/update_many") {
			t.Errorf("needless: %s", request)
		}
	}
}

// TestNamesOfOneTag: two segments may give one tag; being in one decides.
func TestNamesOfOneTag(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddUser("dana@example.com", nil)
	connectortest.Push(t, open(t, config(v.URL)), person("dana@example.com", "", []string{"at risk"}, []string{"at_risk"}))
	if diff := cmp.Diff([]string{"sb_at_risk"}, v.Tags(id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// TestWhoIsWritten is whom an update finds.
func TestWhoIsWritten(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddUser("dana@example.com", nil, "dana.old@example.com")
	v.AddUser("xlee@example.com", nil)
	for name, tt := range map[string]struct {
		update connectors.Update
		want   string
		id     string
	}{
		"address":                   {person("Dana@Example.com", "A", nil, nil), "ok", dana},
		"further address":           {person("dana.old@example.com", "B", nil, nil), "ok", dana},
		"id follows a new address":  {connectors.Update{Email: "dana.new@example.com", VendorID: dana, Want: connectors.State{Stage: "C"}}, "ok", dana},
		"id alone":                  {connectors.Update{VendorID: dana, Want: connectors.State{Stage: "D"}}, "ok", dana},
		"gone id, known address":    {connectors.Update{Email: "dana@example.com", VendorID: "99", Known: &connectors.State{Stage: "X"}, Want: connectors.State{Stage: "E"}}, "ok", dana},
		"gone id":                   {connectors.Update{VendorID: "99", Want: connectors.State{Stage: "C"}}, "skipped not_in_vendor", ""},
		"part of another's address": {person("lee@example.com", "C", nil, nil), "skipped not_in_vendor", ""},
		"nobody":                    {connectors.Update{VendorID: "users/1", Want: connectors.State{Stage: "C"}}, "skipped no_identity", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := connectortest.Push(t, open(t, config(v.URL)), tt.update)[0]
			if connectortest.Outcome(r) != tt.want || r.VendorID != tt.id {
				t.Errorf("result %+v, want %s with %q", r, tt.want, tt.id)
			}
			if tt.id != "" && v.Field(tt.id, "sb_stage") != tt.update.Want.Stage {
				t.Errorf("the stage is %v", v.Field(tt.id, "sb_stage"))
			}
		})
	}
}

// TestJobs: a job that runs on is followed; each person gets their own result.
func TestJobs(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, lee := v.AddUser("dana@example.com", nil), v.AddUser("lee@example.com", nil)
	v.Hold(2)
	v.Refuse("lee@example.com", "Stage is too long")
	c := open(t, config(v.URL))
	updates := []connectors.Update{person("dana@example.com", "Customer", nil, nil), person("lee@example.com", "Customer", nil, nil)}
	for i, r := range connectortest.Push(t, c, updates...) {
		if r.Outcome != connectors.Submitted || r.Job != "job-1" || r.VendorID == "" || r.Delay == 0 {
			t.Errorf("result %d = %+v, want a submitted one", i, r)
		}
		updates[i].VendorID = r.VendorID
	}
	if results, err := c.Poll(t.Context(), "job-1", updates); err != nil || results != nil {
		t.Errorf("a running job gives %+v, %v", results, err)
	}
	results, err := c.Poll(t.Context(), "job-1", append(updates, connectors.Update{VendorID: "5"}))
	want := []connectors.Result{
		{Outcome: connectors.OK, VendorID: dana},
		{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "UserUpdateError: Stage is too long", VendorID: lee},
		{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: "the job ended without a word about this user", VendorID: "5"},
	}
	if diff := cmp.Diff(want, results); err != nil || diff != "" {
		t.Errorf("%v, results (-want +got):\n%s", err, diff)
	}
	results, err = c.Poll(t.Context(), "job-of-last-week", updates[:1])
	if err != nil || len(results) != 1 || connectortest.Outcome(results[0]) != "retry server" {
		t.Errorf("an unknown job gives %+v, %v", results, err)
	}
}

// TestJobForms are the ways in which a job ends, or does not.
func TestJobForms(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"job_status":{"id":"j","status":"completed","results":[{"id":7,"action":"update","success":true,"status":"Updated"}]}}`: "ok",
		`{"job_status":{"id":"j","status":"completed","results":[{"id":7,"index":0}]}}`:                                           "ok",
		`{"job_status":{"id":"j","status":"completed","results":[{"id":7,"success":false,"error":"UserNotFound"}]}}`:              "retry server",
		`{"job_status":{"id":"j","status":"completed","results":[{"id":7,"success":false}]}}`:                                     "permanent invalid",
		`{"job_status":{"id":"j","status":"completed","results":{"success":true}}}`:                                               "retry server",
		`{"job_status":{"id":"j","status":"failed","message":"out of paper","results":null}}`:                                     "retry server",
		`{"job_status":{"id":"j","status":"killed"}}`:                                                                             "retry server",
		`{"job_status":{"id":"j","status":"queued"}}`:                                                                             "",
		`{"job_status":{"id":"j"}}`: "",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		results, err := open(t, config(server.URL)).Poll(t.Context(), "j", []connectors.Update{{VendorID: "7"}})
		server.Close()
		got := ""
		if len(results) == 1 {
			got = connectortest.Outcome(results[0])
		}
		if err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", body, got, err, want)
		}
	}
}

func TestMissingField(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddUser("dana@example.com", nil)
	cfg := config(v.URL)
	cfg.Settings["create_field"] = "false"
	r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Customer", []string{"at_risk"}, nil))[0]
	if connectortest.Outcome(r) != "permanent settings" || !strings.Contains(r.Message, "sb_stage") {
		t.Errorf("result %+v", r)
	}
	if slices.ContainsFunc(v.Took(), func(request string) bool { return !strings.HasPrefix(request, "GET ") }) {
		t.Error("something was written")
	}
}

// TestFailures are answers of Zendesk's own to a write, and what becomes of it.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		on, body  string
		status    int
		header    map[string]string
		want      string
		inMessage string
	}{
		"too many jobs":     {on: "PUT /api/v2/users/update_many", status: 429, body: `{"error":"TooManyJobs","description":"wait"}`, header: map[string]string{"Ratelimit-Reset": "12"}, want: "retry rate_limit", inMessage: "TooManyJobs"},
		"import is off":     {on: "PUT /api/v2/users/update_many", status: 403, body: `{"error":{"title":"Forbidden","message":"You do not have access to this page"}}`, want: "permanent forbidden", inMessage: "Forbidden: You do not"},
		"no job":            {on: "PUT /api/v2/users/update_many", status: 200, body: `{"job_status":{}}`, want: "retry bad_answer"},
		"tags are off":      {on: "PUT /api/v2/users/{id}/tags", status: 200, body: `{"tags":[]}`, want: "permanent settings", inMessage: "tags on users"},
		"tags without body": {on: "PUT /api/v2/users/{id}/tags", status: 204, want: "ok"},
		"user just gone":    {on: "PUT /api/v2/users/{id}/tags", status: 404, body: `{"error":"RecordNotFound","description":"Not found"}`, want: "retry not_found"},
		"invalid":           {on: "PUT /api/v2/users/{id}/tags", status: 422, body: `{"error":"RecordInvalid","description":"Record validation errors","details":{"tags":[{"description":"Tags: is invalid"}]}}`, want: "permanent invalid", inMessage: "tags: Tags: is invalid"},
		"conflict":          {on: "PUT /api/v2/users/{id}/tags", status: 409, want: "retry conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.AddUser("dana@example.com", nil)
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
			r := connectors.Result{}
			if err != nil {
				e := connectors.AsPushError(err)
				r = e.Result()
			} else {
				r = results[0]
			}
			if connectortest.Outcome(r) != tt.want || !strings.Contains(r.Message, tt.inMessage) {
				t.Errorf("result %+v, want %s with %q", r, tt.want, tt.inMessage)
			}
			if tt.header != nil && r.Delay.Seconds() != 12 {
				t.Errorf("the pause is %v", r.Delay)
			}
		})
	}
}

// TestCreatePace: users are made as fast as Zendesk takes them; the one that
// came too soon is made after the pause, and the next keep the pace.
func TestCreatePace(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	var refused atomic.Int32
	mux := http.NewServeMux()
	mux.Handle("/", v)
	mux.HandleFunc("POST /api/v2/users/create_or_update", func(w http.ResponseWriter, r *http.Request) {
		if refused.Add(1) == 2 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		v.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	cfg := config(server.URL)
	cfg.Push.Create = true
	c := open(t, cfg)
	for _, r := range connectortest.Push(t, c, person("a@example.com", "Trial", nil, nil), person("b@example.com", "Trial", nil, nil)) {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %+v", r)
		}
	}
	// A second refusal is left to the next push.
	refused.Store(1)
	results, err := c.Push(t.Context(), []connectors.Update{person("c@example.com", "Trial", nil, nil)})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != time.Second {
		t.Errorf("%+v, %v", results, err)
	}
}

// TestColleague: who works at Zendesk is not erased by an address.
func TestColleague(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		_, _ = w.Write([]byte(`{"users":[{"id":7700,"email":"ann@example.com","role":"agent"}]}`))
	}))
	defer server.Close()
	e, err := open(t, config(server.URL)).Erase(t.Context(), connectors.Update{Email: "ann@example.com"})
	if err != nil || e.Outcome != connectors.Permanent || !strings.Contains(e.Message, "agent") {
		t.Errorf("%+v, %v", e, err)
	}
}
