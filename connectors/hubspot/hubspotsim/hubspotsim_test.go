package hubspotsim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// call makes one API call and gives status and body.
func call(t *testing.T, s *Sim, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Header().Get(SimulatedHeader) != "hubspot" {
		t.Errorf("%s %s is not labelled as simulated", method, path)
	}
	return w.Code, w.Body.String()
}

func TestLifecycleStageOnlyMovesForward(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	id := s.AddContact(map[string]string{"email": "ann@example.com", StageProperty: "customer"})
	set := func(value string) string {
		t.Helper()
		status, body := call(t, s, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"lifecyclestage":"`+value+`"}}`)
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		c, _ := s.Contact(id)
		return c.Properties[StageProperty]
	}
	if got := set("lead"); got != "customer" {
		t.Errorf("a write back gives %q, want it ignored", got)
	}
	if got := set("evangelist"); got != "evangelist" {
		t.Errorf("a write forward gives %q", got)
	}
	if got := set(""); got != "" {
		t.Errorf("clearing gives %q", got)
	}
	if got := set("lead"); got != "lead" {
		t.Errorf("after clearing a write gives %q", got)
	}
	s.SetContact(id, map[string]string{StageProperty: "subscriber"})
	if c, _ := s.Contact(id); c.Properties[StageProperty] != "subscriber" {
		t.Error("a person cannot move the stage back")
	}
}

func TestBatchesRefuseWhatHubSpotRefuses(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.AddContact(map[string]string{"email": "ann@example.com"})
	for _, c := range []struct {
		name, path, body string
		status           int
		words            string
	}{
		{"one bad row with trace ids", "upsert", `{"inputs":[{"idProperty":"email","id":"a@example.com","objectWriteTraceId":"1","properties":{}},{"idProperty":"email","id":"bad","objectWriteTraceId":"2","properties":{"email":"bad"}}]}`, 207, `"objectWriteTraceId":["2"]`},
		{"one bad row without", "upsert", `{"inputs":[{"idProperty":"email","id":"b@example.com","properties":{}},{"idProperty":"email","id":"bad","properties":{"email":"bad"}}]}`, 400, "INVALID_EMAIL"},
		{"the same id twice", "upsert", `{"inputs":[{"idProperty":"email","id":"a@example.com","objectWriteTraceId":"1","properties":{}},{"idProperty":"email","id":"A@example.com","objectWriteTraceId":"2","properties":{}}]}`, 400, "Duplicate"},
		{"an option that is not there", "upsert", `{"inputs":[{"idProperty":"email","id":"a@example.com","objectWriteTraceId":"1","properties":{"lifecyclestage":"vip"}}]}`, 207, "INVALID_OPTION"},
		{"a property that is not there", "upsert", `{"inputs":[{"idProperty":"email","id":"a@example.com","objectWriteTraceId":"1","properties":{"sb_stage":"x"}}]}`, 207, "PROPERTY_DOESNT_EXIST"},
		{"no such record", "update", `{"inputs":[{"id":"1","objectWriteTraceId":"1","properties":{}}]}`, 207, "OBJECT_NOT_FOUND"},
		{"an address that is taken", "create", `{"inputs":[{"objectWriteTraceId":"1","properties":{"email":"ann@example.com"}}]}`, 207, "Existing ID"},
		{"nobody", "update", `{"inputs":[]}`, 400, "1 to 100"},
		{"no JSON", "update", `{`, 400, "Invalid input JSON"},
	} {
		status, body := call(t, s, "POST", "/crm/v3/objects/contacts/batch/"+c.path, c.body)
		if status != c.status || !strings.Contains(body, c.words) {
			t.Errorf("%s: %d %s; want %d and %q", c.name, status, body, c.status, c.words)
		}
	}
	if _, there := s.ByEmail("b@example.com"); there {
		t.Error("a batch that was refused as a whole wrote something")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1764547200, 0)
	s := New(Options{RateLimit: 2, Now: func() time.Time { return now }})
	for i, want := range []int{200, 200, 429} {
		status, body := call(t, s, "GET", "/account-info/v3/details", "")
		if status != want {
			t.Errorf("call %d: %d %s, want %d", i, status, body, want)
		}
	}
	now = now.Add(10 * time.Second)
	if status, _ := call(t, s, "GET", "/account-info/v3/details", ""); status != 200 {
		t.Errorf("after ten seconds: %d", status)
	}
}

// Run delivers by itself, and again what was refused, with its attempt counted.
func TestRunDeliversUntilTaken(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	attempts := make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var events []struct{ AttemptNumber int }
		if err := json.Unmarshal(body, &events); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if r.Header.Get("X-HubSpot-Signature-v3") == "" || r.Header.Get("X-HubSpot-Signature") == "" {
			t.Error("the delivery is not signed")
		}
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		attempts <- events[0].AttemptNumber
	}))
	t.Cleanup(receiver.Close)
	s := New(Options{Target: receiver.URL, ClientSecret: secret.New("s")})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	s.AddContact(map[string]string{"email": "ann@example.com"})
	select {
	case n := <-attempts:
		if n != 1 {
			t.Errorf("the second delivery says attempt %d, want 1", n)
		}
	case <-ctx.Done():
		t.Fatal("nothing was delivered")
	}
	s.Close()
	<-done
	if c := s.Counts(); c.Delivered == 0 || c.Undelivered == 0 {
		t.Errorf("counts %+v", c)
	}
}

// Events wait while there is nowhere to send them.
func TestDeliverWithoutTarget(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.AddContact(map[string]string{"email": "ann@example.com"})
	waiting := s.Pending()
	if n, err := s.Deliver(t.Context()); n != 0 || err != nil || waiting == 0 || s.Pending() != waiting {
		t.Errorf("delivered %d, %v; %d of %d events wait", n, err, s.Pending(), waiting)
	}
	if got := s.Take(); len(got) != waiting || s.Pending() != 0 {
		t.Errorf("took %d events, %d are left", len(got), s.Pending())
	}
}

// A merged contact answers under its old id, and under those before.
func TestMergedContactAnswers(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	a, b, c := s.AddContact(nil), s.AddContact(nil), s.AddContact(map[string]string{"email": "ann@example.com"})
	s.Merge(b, a)
	s.Merge(c, b)
	for _, id := range []string{a, b, c} {
		if status, body := call(t, s, "GET", "/crm/v3/objects/contacts/"+id+"?properties=email", ""); status != 200 || !strings.Contains(body, "ann@example.com") {
			t.Errorf("contact %s: %d %s", id, status, body)
		}
	}
}

func TestFaultsPassInOrder(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.Fail(Fault{Status: 500})
	s.Fail(Fault{Status: 503, Times: 2})
	for i, want := range []int{500, 503, 503, 200} {
		if status, _ := call(t, s, "GET", "/account-info/v3/details", ""); status != want {
			t.Errorf("call %d: %d, want %d", i, status, want)
		}
	}
	if status, _ := call(t, s, "GET", "/no/such/path", ""); status != 404 {
		t.Errorf("an unknown path gives %d", status)
	}
}
