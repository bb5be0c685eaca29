package qualtrics_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/qualtrics/qualtricssim"
)

func lookup(id, recipient string) connectors.Lookup {
	return connectors.Lookup{Type: "surveyengine.completedResponse", Body: []byte(`{"Status":"Complete","SurveyID":"SV_1","ResponseID":"` + id + `","RecipientID":"` + recipient + `"}`)}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	values := func(more map[string]any) map[string]any {
		all := map[string]any{"recordedDate": "2026-01-10T09:15:27Z", "distributionChannel": "email", "finished": 1}
		for name, v := range more {
			all[name] = v
		}
		return all
	}
	type want struct {
		Contacts []map[string]string
		Kind     string
		Score    *float64
		Comment  string
		Recorded string `json:"recorded_at"`
	}
	score := func(n float64) *float64 { return &n }
	tests := []struct {
		name, recipient string
		settings        map[string]string
		values          map[string]any
		want            want
	}{
		{
			"invited", "MLRP_1", nil,
			map[string]any{"recipientEmail": "Ada@example.com", "externalDataReference": "u-1001", "recipientFirstName": "Ada", "QID1": 9, "QID1_NPS_GROUP": 3, "QID2_TEXT": "Fast support"},
			want{[]map[string]string{{"user": "u-1001", "email": "ada@example.com", "first_name": "Ada"}}, "nps", score(9), "Fast support", "2026-01-10T09:15:27Z"},
		},
		{
			"an open link gives one key", "", nil,
			map[string]any{"recipientEmail": "eve@example.com", "externalDataReference": "u-1001", "QID1": "0", "QID1_NPS_GROUP": 1},
			want{[]map[string]string{{"user": "u-1001"}}, "nps", score(0), "", "2026-01-10T09:15:27Z"},
		},
		{
			"anonymous", "", nil, map[string]any{"recipientEmail": "", "QID1": 12, "QID1_NPS_GROUP": 3},
			want{[]map[string]string{}, "", nil, "", "2026-01-10T09:15:27Z"},
		},
		{
			"by settings", "", map[string]string{"nps_question": "QID5", "csat_question": "QID6", "comment_question": "why"},
			map[string]any{"externalDataReference": "u-1", "QID1": 9, "QID1_NPS_GROUP": 3, "QID6": 4, "QID2_TEXT": "no", "why": "Slow"},
			want{[]map[string]string{{"user": "u-1"}}, "csat", score(4), "Slow", "2026-01-10T09:15:27Z"},
		},
		{
			"values of other kinds", "MLRP_1", nil, map[string]any{"recipientEmail": 7, "externalDataReference": nil, "QID1": "NaN", "QID1_NPS_GROUP": nil, "QID2_TEXT": []string{"a"}},
			want{[]map[string]string{}, "", nil, "", "2026-01-10T09:15:27Z"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, sim := start(t, func(cfg *connectors.Config) {
				for name, v := range tt.settings {
					cfg.Settings[name] = v
				}
			})
			sim.Respond("SV_1", "R_1", values(tt.values))
			records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("R_1", tt.recipient)})
			if err != nil || records[0].Err != nil {
				t.Fatalf("enrich: %v, %+v", err, records)
			}
			var got want
			if err := json.Unmarshal(records[0].JSON, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if want := time.Date(2026, 1, 10, 9, 15, 27, 0, time.UTC); !records[0].ModifiedAt.Time().Equal(want) {
				t.Errorf("modified at %v", records[0].ModifiedAt.Time())
			}
		})
	}
}

// TestEnrichWaits: a response may be told of before it can be read.
func TestEnrichWaits(t *testing.T) {
	t.Parallel()
	now := clock
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Now = func() time.Time { return now } })
	ask := func() connectors.Record {
		t.Helper()
		records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("R_1", "")})
		if err != nil {
			t.Fatal(err)
		}
		return records[0]
	}
	for range 3 {
		if r := ask(); r.Err == nil || !r.Err.Retryable || r.Err.RetryAfter != 15*time.Second {
			t.Errorf("not there yet: %+v", r)
		}
		now = now.Add(4 * time.Minute)
	}
	if r := ask(); r.Err != nil || r.JSON != nil {
		t.Errorf("after twelve minutes: %+v, want a record that is gone", r)
	}
	sim.Respond("SV_1", "R_1", map[string]any{})
	if r := ask(); r.Err != nil || r.JSON == nil {
		t.Errorf("it came: %+v", r)
	}
}

func TestEnrichFailures(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	records, err := c.Enrich(t.Context(), []connectors.Lookup{{Body: []byte(`{"SurveyID":"../x","ResponseID":"R_1"}`)}, {Body: []byte("x")}})
	if err != nil || records[0].Err == nil || records[0].Err.Retryable || records[1].Err == nil {
		t.Errorf("ids that are none: %v, %+v", err, records)
	}
	if records, err := c.Enrich(t.Context(), nil); err != nil || len(records) != 0 {
		t.Errorf("nothing: %v, %v", records, err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte(`{"meta":{"httpStatus":"429 - Too Many Requests","error":{"errorMessage":"slow down","errorCode":"RATE"}}}`))
	}))
	t.Cleanup(server.Close)
	_, err = open(t, config(server.URL)).Enrich(t.Context(), []connectors.Lookup{lookup("R_1", ""), lookup("R_2", "")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != 7*time.Second || e.Message != "RATE: slow down" {
		t.Errorf("a full brand: %v", err)
	}
}

// TestTokens: one token serves many calls, and a refused one is fetched anew once.
func TestTokens(t *testing.T) {
	t.Parallel()
	sim := qualtricssim.New()
	var fetched, refuse atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/token" {
			fetched.Add(1)
		}
		sim.ServeHTTP(w, r)
		if refuse.Load() == 1 && r.URL.Path == "/oauth2/token" {
			sim.ExpireToken()
		}
	}))
	t.Cleanup(server.Close)
	cfg := config(server.URL)
	oauth(&cfg)
	c := open(t, cfg)
	push(t, c, people()...)
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d tokens fetched by one push", n)
	}
	sim.ExpireToken()
	if _, err := c.Check(t.Context()); err != nil || fetched.Load() != 2 {
		t.Errorf("an ended token: %v, %d fetched", err, fetched.Load())
	}
	refuse.Store(1)
	sim.ExpireToken()
	_, err := c.Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || fetched.Load() != 3 {
		t.Errorf("a token that is never taken: %v, %d fetched", err, fetched.Load())
	}
}
