package surveymonkey_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func held(t *testing.T, sim *surveymonkeysim.Sim, email string) surveymonkeysim.Contact {
	t.Helper()
	k, ok := sim.Contact(email)
	if !ok {
		t.Fatalf("the account has no %s", email)
	}
	k.ID = ""
	return k
}

func TestPushKeepsNamesAndFields(t *testing.T) {
	t.Parallel()
	c, sim := start(t, nil)
	sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "Ada@example.com", Custom: map[string]string{"2": "kept"}, Status: "optout"})
	if diff := cmp.Diff([]string{"ok", "ok"}, push(t, c, person("ada@example.com", "Customer"), person("new@example.com", "Visit"))); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	want := surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "Ada@example.com", Status: "optout", Custom: map[string]string{"2": "kept", "5": "sb:at_risk", "6": "Customer"}}
	if diff := cmp.Diff(want, held(t, sim, "ada@example.com")); diff != "" {
		t.Errorf("a contact that was there (-want +got):\n%s", diff)
	}
	want = surveymonkeysim.Contact{FirstName: "-", LastName: "-", Email: "new@example.com", Status: "active", Custom: map[string]string{"5": "sb:at_risk", "6": "Visit"}}
	if diff := cmp.Diff(want, held(t, sim, "new@example.com")); diff != "" {
		t.Errorf("a new contact (-want +got):\n%s", diff)
	}
	// Leaving the last segment empties the field.
	u := person("new@example.com", "Visit")
	u.Want.Segments, u.Want.Absent = nil, []string{"at_risk", "promoters"}
	push(t, c, u)
	if got := held(t, sim, "new@example.com").Custom["5"]; got != "" {
		t.Errorf("segments = %q", got)
	}
}

// TestPushToAVendorThatRepeats: where the list of existing contacts may only
// repeat what was sent, names are read before anything is overwritten.
func TestPushToAVendorThatRepeats(t *testing.T) {
	t.Parallel()
	sim := surveymonkeysim.New()
	sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "ada@example.com"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(`"update_existing":false`)) {
			var b map[string]any
			if json.Unmarshal(body, &b) != nil {
				t.Errorf("body = %s", body)
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]any{"succeeded": []any{}, "existing": b["contacts"], "invalids": []any{map[string]any{}}})
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, config(server.URL))
	if diff := cmp.Diff([]string{"ok"}, push(t, c, person("ada@example.com", "Customer"))); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	if k := held(t, sim, "ada@example.com"); k.FirstName != "Ada" || k.LastName != "Example" || k.Custom["6"] != "Customer" {
		t.Errorf("contact = %+v", k)
	}
}

func TestPushWithoutCreate(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
	id := sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "ada@example.com"})
	sim.Add(surveymonkeysim.Contact{FirstName: "Bo", LastName: "Out", Email: "bo@example.com", Status: "optout"})
	// A search for a part of an address must not find its owner.
	sim.Add(surveymonkeysim.Contact{FirstName: "No", LastName: "Body", Email: "xlee@example.com"})
	known := person("ada@example.com", "Customer")
	known.VendorID = id
	got := push(t, c, known, person("bo@example.com", "Visit"), person("lee@example.com", "Visit"), connectors.Update{Want: connectors.State{Stage: "Visit"}})
	if diff := cmp.Diff([]string{"ok", "ok", "skipped not_in_vendor", "skipped no_identity"}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if _, there := sim.Contact("lee@example.com"); there {
		t.Error("a contact was created")
	}
	if got := held(t, sim, "bo@example.com"); got.Status != "optout" || got.Custom["6"] != "Visit" || got.FirstName != "Bo" {
		t.Errorf("an opted-out contact = %+v", got)
	}
	if c.Limits().Batch >= 100 {
		t.Errorf("limits = %+v", c.Limits())
	}
}

func TestPushFollowsAChangedAddress(t *testing.T) {
	t.Parallel()
	keys := []lifecycle.Key{{Namespace: "email", Value: "old@example.com"}, {Namespace: "email", Value: "new@example.com"}}
	update := func(id string) connectors.Update {
		u := person("new@example.com", "Customer")
		u.VendorID, u.Keys, u.Known = id, keys, &connectors.State{Stage: "Visit", Segments: []string{"at_risk"}}
		return u
	}
	t.Run("moves", func(t *testing.T) {
		t.Parallel()
		c, sim := start(t, nil)
		id := sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "old@example.com"})
		if diff := cmp.Diff([]string{"ok"}, push(t, c, update(id))); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if _, there := sim.Contact("old@example.com"); there || held(t, sim, "new@example.com").Custom["6"] != "Customer" {
			t.Error("the contact was not moved")
		}
	})
	t.Run("the new address is taken", func(t *testing.T) {
		t.Parallel()
		c, sim := start(t, nil)
		id := sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Old", Email: "old@example.com"})
		sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "New", Email: "new@example.com"})
		if diff := cmp.Diff([]string{"ok"}, push(t, c, update(id))); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		want := map[string]string{"5": "sb:at_risk", "6": "Customer"}
		if got := held(t, sim, "new@example.com"); !maps.Equal(got.Custom, want) || got.LastName != "New" {
			t.Errorf("contact = %+v", got)
		}
	})
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		c, sim := start(t, nil)
		if diff := cmp.Diff([]string{"ok"}, push(t, c, update("4711"))); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if got := held(t, sim, "new@example.com"); got.Custom["5"] != "sb:at_risk" {
			t.Errorf("made anew without everything: %+v", got)
		}
	})
	t.Run("found by an id alone", func(t *testing.T) {
		t.Parallel()
		c, sim := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
		id := sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Old", Email: "old@example.com"})
		u := update(id)
		u.Keys = nil
		if diff := cmp.Diff([]string{"ok"}, push(t, c, u)); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if _, there := sim.Contact("old@example.com"); there || held(t, sim, "new@example.com").LastName != "Old" {
			t.Error("the contact was not moved")
		}
	})
}

func TestPushLeavesAFieldInUseAlone(t *testing.T) {
	t.Parallel()
	c, sim := start(t, nil)
	sim.Label("6", "Region")
	_, err := c.Push(t.Context(), []connectors.Update{person("ada@example.com", "Customer")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "Region") || sim.Writes() != 0 {
		t.Errorf("error = %v, %d writes", err, sim.Writes())
	}
}

// TestPushFindsWhoIsToBlame: a call that is refused as a whole for one contact
// does not fail the other 99.
func TestPushFindsWhoIsToBlame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ impossible, refused, retry int }{{1, 1, 0}, {3, 1, 65}} {
		sim := surveymonkeysim.New()
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			calls++
			if bytes.Contains(body, []byte(`"6":"Impossible"`)) {
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"error":{"id":"1004","name":"Bad Request","message":"Invalid schema in the body provided.","http_status_code":400}}`)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			sim.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		c := open(t, config(server.URL))
		var people []connectors.Update
		for i := range 100 {
			stage := "Customer"
			if i%33 == 7 && i/33 < tt.impossible {
				stage = "Impossible"
			}
			people = append(people, person(fmt.Sprintf("p%d@example.com", i), stage))
		}
		count := map[string]int{}
		for _, words := range push(t, c, people...) {
			count[words]++
		}
		if count["permanent invalid"] < tt.refused || count["retry not_attempted"] > tt.retry || count["ok"]+tt.impossible+tt.retry < 100 || count["ok"]+count["permanent invalid"]+count["retry not_attempted"] != 100 || calls > 25 {
			t.Errorf("%d impossible: %v after %d calls", tt.impossible, count, calls)
		}
	}
}

// TestPushPauses: a used up minute or day is waited for, and who has arrived
// before stays so.
func TestPushPauses(t *testing.T) {
	t.Parallel()
	sim := surveymonkeysim.New()
	sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "Example", Email: "ada@example.com"})
	span := "Day"
	var full func(body []byte) bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if full(body) {
			w.Header().Set("X-Ratelimit-App-Global-"+span+"-Remaining", "0")
			w.Header().Set("X-Ratelimit-App-Global-"+span+"-Reset", "40")
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error":{"id":"1040","name":"Rate limit reached","message":"Too many requests were made, try again later.","http_status_code":429}}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, config(server.URL))
	full = func([]byte) bool { return true }
	_, err := c.Push(t.Context(), []connectors.Update{person("ada@example.com", "Customer")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != 40*time.Second || !strings.Contains(e.Message, "try again later") {
		t.Errorf("error = %v, after %v", err, e.RetryAfter)
	}
	span, full = "Minute", func(body []byte) bool { return bytes.Contains(body, []byte(`"update_existing":true`)) }
	results, err := c.Push(t.Context(), []connectors.Update{person("ada@example.com", "Customer"), person("new@example.com", "Visit")})
	if err != nil || results[0].Outcome != connectors.Retry || results[0].Delay != 40*time.Second || results[1].Outcome != connectors.OK {
		t.Errorf("results = %+v, %v", results, err)
	}
}

// TestPushesFitTheDay: one change after the other must not use up what answers
// are read with.
func TestPushesFitTheDay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := clock
	c, sim := start(t, func(cfg *connectors.Config) {
		cfg.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	pushes := 0
	spend := func() *connectors.PushError {
		for range 1000 {
			_, err := c.Push(t.Context(), []connectors.Update{person("ada@example.com", fmt.Sprint("Stage ", pushes))})
			var e *connectors.PushError
			if errors.As(err, &e) {
				return e
			}
			pushes++
		}
		return nil
	}
	e := spend()
	if e == nil || e.Reason != connectors.ReasonRateLimit || !e.Retryable || e.RetryAfter < time.Minute || e.RetryAfter > time.Hour || pushes != 62 {
		t.Fatalf("after %d pushes: %+v", pushes, e)
	}
	u := person("ada@example.com", "Stage 61")
	u.Known = &u.Want
	if got := push(t, c, u); got[0] != "ok" {
		t.Errorf("what costs nothing is refused: %v", got)
	}
	mu.Lock()
	now = now.Add(24 * time.Hour)
	mu.Unlock()
	if spend(); pushes < 120 || pushes > 125 || sim.Writes() < 120 {
		t.Errorf("%d pushes in two days", pushes)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"client_id":      func(cfg *connectors.Config) { cfg.Settings["client_id"] = " " },
		"survey_ids":     func(cfg *connectors.Config) { cfg.Settings["survey_ids"] = "1, two" },
		"stage_field":    func(cfg *connectors.Config) { cfg.Settings["stage_field"] = "7" },
		"segment_field":  func(cfg *connectors.Config) { cfg.Settings["segment_field"] = "6" },
		"push.traits":    func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"status": "x"} },
		"daily_requests": func(cfg *connectors.Config) { cfg.Settings["daily_requests"] = "few" },
		"base_url":       func(cfg *connectors.Config) { cfg.Settings["base_url"] = "api.surveymonkey.com" },
	} {
		cfg := config("")
		change(&cfg)
		_, err := openVendor(cfg)
		if err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s: error = %v", field, err)
		}
	}
}
