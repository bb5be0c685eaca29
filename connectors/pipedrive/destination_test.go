package pipedrive_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/standin"
)

func TestPushHoldsStageAndSegments(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddPerson("Dana Example", "dana@example.com")
	c := connect(t, v)
	if r := connectortest.Push(t, c, wanting("dana@example.com", "Customer", "at_risk", "eu"))[0]; connectortest.Outcome(r) != "ok" || r.VendorID == "" {
		t.Fatalf("result %+v", r)
	}
	want := []standin.Held{{Person: "dana@example.com", Stage: "Customer", Segments: []string{"at_risk", "eu"}}}
	if diff := cmp.Diff(want, v.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	v.writes()
	connectortest.Push(t, c, wanting("dana@example.com", "Customer", "at_risk", "eu"))
	// Everything is sent again, since nothing is known, but segments that are
	// read as being there already are not.
	if w := v.writes(); len(w) != 1 || strings.Contains(w[0], "[") {
		t.Errorf("writes %v", w)
	}
}

func TestPushSkipsWhoIsNotThere(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := connect(t, v)
	if r := connectortest.Push(t, c, wanting("nobody@example.com", "Customer"))[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("result %+v", r)
	}
	if r := connectortest.Push(t, c, connectors.Update{ID: "u", Want: connectors.State{Stage: "Trial"}})[0]; connectortest.Outcome(r) != "skipped no_identity" {
		t.Errorf("result %+v", r)
	}
}

// TestPushLeavesForeignOptions: options that people chose stay, whether or not
// we know their names.
func TestPushLeavesForeignOptions(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddPerson("Dana Example", "dana@example.com")
	v.AddField("sb_segments", "set", "VIP", "promoters", "at_risk")
	v.Set(id, "sb_segments", "VIP", "promoters")
	u := wanting("dana@example.com", "", "at_risk")
	u.Want.Absent = []string{"promoters"}
	if r := connectortest.Push(t, connect(t, v), u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("result %+v", r)
	}
	if got := v.Held()[0].Segments; !cmp.Equal(got, []string{"VIP", "at_risk"}) {
		t.Errorf("segments %v", got)
	}
}

// TestPushFollowsAMerge: the number known is gone, the address leads to the
// surviving person, who gets everything.
func TestPushFollowsAMerge(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	old := v.AddPerson("Dana", "dana@example.com")
	winner := v.AddPerson("Dana Example", "dana@example.com")
	v.Remove(old)
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.VendorID = strconv.FormatInt(old, 10)
	u.Known = &connectors.State{Stage: "Trial", Segments: []string{"at_risk"}}
	r := connectortest.Push(t, connect(t, v), u)[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID != strconv.FormatInt(winner, 10) {
		t.Fatalf("result %+v", r)
	}
	want := []standin.Held{{Person: "dana@example.com", Stage: "Customer", Segments: []string{"at_risk"}}}
	if diff := cmp.Diff(want, v.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
}

func TestPushMakesAgainWhoWasDeleted(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.VendorID, u.Known = "77", &connectors.State{Stage: "Customer"}
	if r := connectortest.Push(t, connect(t, v), u)[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("without create: %+v", r)
	}
	if r := connectortest.Push(t, connect(t, v, creating), u)[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("with create: %+v", r)
	}
	if h := v.Held(); len(h) != 1 || h[0].Stage != "Customer" || len(h[0].Segments) != 1 {
		t.Errorf("held %+v", h)
	}
}

func TestPushTakesTheOldestOfSeveral(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	first := v.AddPerson("Dana", "dana@example.com")
	v.AddPerson("Dana again", "Dana@example.com")
	if r := connectortest.Push(t, connect(t, v), wanting("dana@example.com", "Trial"))[0]; r.VendorID != strconv.FormatInt(first, 10) {
		t.Errorf("result %+v", r)
	}
}

func TestPushWithoutCreatingFields(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddPerson("Dana", "dana@example.com")
	v.AddField("sb_stage", "enum", "Trial")
	c := connect(t, v, setting("create_fields", "false"))
	for name, u := range map[string]connectors.Update{
		"an option is missing": wanting("dana@example.com", "Customer"),
		"a field is missing":   wanting("dana@example.com", "", "at_risk"),
	} {
		if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "permanent settings" || r.Message == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := connectortest.Push(t, c, wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "ok" || r.VendorID != strconv.FormatInt(id, 10) {
		t.Errorf("what is there: %+v", r)
	}
}

func TestPushWritesTraitsByType(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddPerson("Dana", "dana@example.com")
	v.AddField("Seats", "double")
	v.AddField("Tier", "enum", "Gold", "Silver")
	v.AddField("Since", "date")
	v.AddField("Place", "address")
	for name, c := range map[string]struct {
		value any
		want  string
		sent  string
	}{
		"Seats": {int64(12), "ok", ":12}"},
		"Tier":  {"gold", "ok", ":10"},
		"Since": {"2026-02-03T10:00:00Z", "ok", `:"2026-02-03"}`},
		"Place": {"Berlin", "permanent invalid", ""},
		"name":  {"Dana Reed", "ok", `"name":"Dana Reed"`},
		"Other": {"x", "permanent settings", ""},
	} {
		u := connectors.Update{ID: "u", Email: "dana@example.com", Want: connectors.State{Traits: map[string]any{name: c.value}}}
		r := connectortest.Push(t, connect(t, v, trait(name, "x")), u)[0]
		if connectortest.Outcome(r) != c.want {
			t.Errorf("%s: %+v, want %s", name, r, c.want)
		}
		if w := strings.Join(v.writes(), " "); !strings.Contains(w, c.sent) || c.sent == "" && w != "" {
			t.Errorf("%s: writes %s", name, w)
		}
	}
	u := connectors.Update{ID: "u", Email: "dana@example.com", Want: connectors.State{Traits: map[string]any{"Seats": "many"}}}
	if r := connectortest.Push(t, connect(t, v, trait("Seats", "x")), u)[0]; connectortest.Outcome(r) != "permanent invalid" {
		t.Errorf("a word for a number: %+v", r)
	}
}

// TestWrittenComesBackAsEcho: what a push says it wrote is what the webhook of
// that change reports.
func TestWrittenComesBackAsEcho(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddPerson("Dana", "dana@example.com")
	c := connect(t, v, setting("user_id", ""))
	r := connectortest.Push(t, c, wanting("dana@example.com", "Customer", "at_risk", "eu"))[0]
	stage, segments := code("sb_stage"), code("sb_segments")
	body := `{"data":{"id":` + r.VendorID + `,"custom_fields":{"` + stage + `":{"type":"enum","id":102},"` + segments + `":{"type":"set","values":[{"id":104},{"id":103}]}}},` +
		`"previous":{"update_time":"x","custom_fields":{"` + stage + `":null,"` + segments + `":null}},` +
		`"meta":{"action":"change","entity":"person","entity_id":"` + r.VendorID + `","company_id":"4410","id":"i","timestamp":"2026-01-10T09:15:00Z","version":"2.0","change_source":"api","user_id":"331"}}`
	receipt, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"Authorization": {basic("stagebridge", "webhook-password-now")}}})
	if err != nil {
		t.Fatal(err)
	}
	e := receipt.Events[0]
	if e.Echo != "" {
		t.Errorf("echo %q without a user_id", e.Echo)
	}
	if diff := cmp.Diff(r.Written, e.Written); diff != "" {
		t.Errorf("written (-pushed +reported):\n%s", diff)
	}
}

// TestCreationComesBackAsEcho: also where no user is set, a person whom a push
// made is not taken for a new lead.
func TestCreationComesBackAsEcho(t *testing.T) {
	t.Parallel()
	c := connect(t, newVendor(t), creating, setting("user_id", ""))
	r := connectortest.Push(t, c, wanting("Dana@example.com", "Customer"))[0]
	body := `{"data":{"id":` + r.VendorID + `,"emails":[{"value":"dana@example.com","primary":true}]},"previous":null,` +
		`"meta":{"action":"create","entity":"person","entity_id":"` + r.VendorID + `","company_id":"4410","id":"i","timestamp":"2026-01-10T09:15:00Z","version":"2.0","change_source":"api","user_id":"331"}}`
	for text, want := range map[string][]connectors.Field{body: r.Written, strings.Replace(body, `"api"`, `"app"`, 1): nil} {
		if diff := cmp.Diff(want, received(t, text, setting("user_id", "")).Written); diff != "" || len(r.Written) != 1 {
			t.Errorf("written (-pushed +reported):\n%s", diff)
		}
	}
}

// TestPauses reads the vendor's own headers where there is no Retry-After.
func TestPauses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"burst": {map[string]string{"X-Ratelimit-Reset": "2", "X-Daily-Requests-Left": "900"}, 2 * time.Second},
		"day":   {map[string]string{"X-Ratelimit-Reset": "2", "X-Daily-Requests-Left": "0"}, time.Hour},
		"none":  {nil, 0},
		"odd":   {map[string]string{"X-Ratelimit-Reset": "-5"}, 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"success":false,"error":"request over limit"}`)
		}))
		_, err := connect(t, &vendor{url: server.URL}).Push(t.Context(), []connectors.Update{wanting("dana@example.com", "Trial")})
		server.Close()
		e := connectors.AsPushError(err)
		if e == nil || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != c.want {
			t.Errorf("%s: %v, want a pause of %v", name, err, c.want)
		}
	}
}

// TestPushEndsEarly: a limit reached in the middle leaves the rest for later
// and keeps what arrived.
func TestPushEndsEarly(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	var updates []connectors.Update
	for i := range 20 {
		email := "p" + strconv.Itoa(i) + "@example.com"
		v.AddPerson("P", email)
		updates = append(updates, wanting(email, "Trial"))
	}
	patches := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			v.mu.Lock()
			patches++
			over := patches > 5
			v.mu.Unlock()
			if over {
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	count := map[string]int{}
	for _, r := range connectortest.Push(t, connect(t, &vendor{url: server.URL}), updates...) {
		count[string(r.Outcome)]++
		if r.Outcome == connectors.Retry && r.Delay != 3*time.Second {
			t.Errorf("delay %v", r.Delay)
		}
	}
	if count["ok"] != 5 || count["retry"] != 15 || patches > 5+4 {
		t.Errorf("outcomes %v after %d writes", count, patches)
	}
}

// TestPushKeepsToTheBurst: once an answer says that the burst is used up, the
// next request waits, or is left for later when there is no time to.
func TestPushKeepsToTheBurst(t *testing.T) {
	t.Parallel()
	for remaining, want := range map[string]int{"0": 1, "15": 2} {
		v := newVendor(t)
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			w.Header().Set("X-Ratelimit-Remaining", remaining)
			w.Header().Set("X-Ratelimit-Reset", "2")
			v.ServeHTTP(w, r)
		}))
		c := connect(t, &vendor{url: server.URL})
		if _, err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		limit := time.Minute
		if want == 1 {
			limit = 50 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err := c.Check(ctx)
		cancel()
		server.Close()
		if e := connectors.AsPushError(err); calls != want || want == 1 && (e == nil || !e.Retryable || e.RetryAfter <= 0) {
			t.Errorf("%s left: %v after %d calls, want %d", remaining, err, calls, want)
		}
	}
}
