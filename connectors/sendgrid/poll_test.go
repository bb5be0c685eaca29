package sendgrid_test

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

func TestPollFollowsTheJob(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	job := connectortest.Push(t, c, people()...)[0].Job
	results, err := c.Poll(t.Context(), job, people())
	if err != nil || results != nil {
		t.Fatalf("while it runs: %+v, %v", results, err)
	}
	results, err = c.Poll(t.Context(), job, people())
	if err != nil || len(results) != len(people()) {
		t.Fatalf("at its end: %+v, %v", results, err)
	}
	for i, r := range results {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %d = %+v", i, r)
		}
	}
}

// TestPollReadsBack: where a job had errors, the contacts themselves tell.
func TestPollReadsBack(t *testing.T) {
	t.Parallel()
	counts := `"results":{"requested_count":3,"errored_count":%d}`
	for name, test := range map[string]struct {
		status int
		answer string
		want   []string
	}{
		"completed with errors": {200, `{"status":"completed",` + fmt.Sprintf(counts, 2) + `}`, []string{"ok", "retry bad_answer", "permanent invalid"}},
		"errored":               {200, `{"status":"errored",` + fmt.Sprintf(counts, 2) + `}`, []string{"ok", "retry bad_answer", "permanent invalid"}},
		"forgotten":             {404, `{"errors":[{"message":"not found"}]}`, []string{"ok", "retry bad_answer", "permanent invalid"}},
		"failed":                {200, `{"status":"failed"}`, []string{"retry server", "retry server", "retry server"}},
		"completed":             {200, `{"status":"completed",` + fmt.Sprintf(counts, 0) + `}`, []string{"ok", "ok", "ok"}},
		"pending":               {200, `{"status":"pending"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, nil)
			front := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/imports/") {
					w.WriteHeader(test.status)
					_, _ = w.Write([]byte(test.answer))
					return
				}
				v.ServeHTTP(w, r)
			})
			front.Sim = v.Sim
			c := open(t, front, nil)
			written := person("dana@example.com", "Trial")
			connectortest.Push(t, c, written, person("lee@example.com", "Visit"))
			results, err := c.Poll(t.Context(), "job-1", []connectors.Update{written, person("lee@example.com", "Trial"), person("gone@example.com", "Trial")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range results {
				got = append(got, connectortest.Outcome(r))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPollComparesNames: holding one segment instead of another is not the
// state that was wanted, though their number is the same.
func TestPollComparesNames(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	front := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/imports/") {
			_, _ = w.Write([]byte(`{"status":"errored","results":{"requested_count":1,"errored_count":1}}`))
			return
		}
		v.ServeHTTP(w, r)
	})
	front.Sim = v.Sim
	c := open(t, front, nil)
	u := person("dana@example.com", "Trial")
	u.Want.Segments, u.Want.Absent = []string{"at_risk"}, []string{"promoters"}
	connectortest.Push(t, c, u)
	u.Want.Segments, u.Want.Absent = u.Want.Absent, u.Want.Segments
	results, err := c.Poll(t.Context(), "job-1", []connectors.Update{u})
	if err != nil || len(results) != 1 || connectortest.Outcome(results[0]) != "retry bad_answer" {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestPollErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]connectors.Reason{`{"status":"asleep"}`: connectors.ReasonBadAnswer, `{`: connectors.ReasonBadAnswer} {
		v := newVendor(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		_, err := open(t, v, nil).Poll(t.Context(), "job-1", people())
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != want || !e.Retryable {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestReadUnderstandsBothSpellings of custom fields, by name and by id.
func TestReadUnderstandsBothSpellings(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{`"sb_stage":"Customer","sb_segments":",at_risk,","company":"Acme"`, `"e1_T":"Customer","e2_T":",at_risk,","e3_T":"Acme"`} {
		v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "field_definitions") {
				_, _ = w.Write([]byte(`{"custom_fields":[{"id":"e1_T","name":"sb_stage","field_type":"Text"},{"id":"e2_T","name":"sb_segments","field_type":"Text"},{"id":"e3_T","name":"company","field_type":"Text"}],"reserved_fields":[]}`))
				return
			}
			_, _ = w.Write([]byte(`{"result":{"dana@example.com":{"contact":{"id":"5e2d0000-0000-4000-8000-000000000001","email":"dana@example.com","first_name":"Dana","custom_fields":{` + spelling + `}}},"gone@example.com":{"error":"contact not found"}}}`))
		})
		u := people()[0]
		states, err := open(t, v, nil).Read(t.Context(), []connectors.Update{u, person("gone@example.com", "")})
		if err != nil {
			t.Fatal(err)
		}
		want := []*connectors.State{{
			Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme", "first_name": "Dana"},
		}, nil}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spelling, diff)
		}
	}
}
