package surveymonkey_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func openVendor(cfg connectors.Config) (connectors.Connector, error) {
	return surveymonkey.Vendor().Open(cfg)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { delete(cfg.Secrets, "client_secret") })
	sim.Put("/surveys", document(t, `{"data":[{"id":"412093"},{"id":"412094"}]}`))
	done, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := done.Secrets["webhook_token"].Reveal()
	want := []map[string]any{{
		"name": "Stagebridge surveys response_completed", "event_type": "response_completed", "object_type": "survey", "object_ids": []any{"412093", "412094"},
		"subscription_url": "https://bridge.example.com/hooks/surveys/response_completed", "authorization": "Bearer " + token,
	}}
	if diff := cmp.Diff(want, sim.Webhooks()); diff != "" || len(token) < 20 {
		t.Errorf("webhooks (-want +got):\n%s", diff)
	}
	// Again, with one type more: the first is changed, not doubled.
	again, err := c.Register(t.Context(), []string{"response_completed", "response_deleted", "survey_created"})
	if err != nil || again.ID != done.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	there, err := c.Registered(t.Context())
	if err != nil || len(there) != 3 || len(sim.Webhooks()) != 3 {
		t.Errorf("registered: %+v, %v", there, err)
	}
	if err := c.Unregister(t.Context()); err != nil || len(sim.Webhooks()) != 0 {
		t.Errorf("unregister: %v, %v", err, sim.Webhooks())
	}
	if err := c.Unregister(t.Context()); err != nil {
		t.Errorf("unregister twice: %v", err)
	}
	var e *connectors.PushError
	if _, err := c.Register(t.Context(), []string{"no_such"}); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("an unknown type: %v", err)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	sim := surveymonkeysim.New()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		survey := strings.Split(r.URL.Path, "/")[3]
		switch {
		case survey == "2":
			sim.ServeHTTP(w, r) // deleted: not found
		case r.URL.Query().Get("page") == "1":
			w.Write([]byte(`{"data":[{"id":"71","collector_id":"44","recipient_id":"51","date_modified":"2026-11-20T08:00:00+00:00"},{}],"links":{"next":"x"}}`))
		default:
			w.Write([]byte(`{"data":[{"id":"72","date_modified":"2026-11-20T08:30:00+00:00"}],"links":{}}`))
		}
	}))
	t.Cleanup(server.Close)
	cfg := config(server.URL)
	cfg.Settings["survey_ids"] = "2, 3"
	now := clock
	cfg.Now = func() time.Time { return now }
	c := open(t, cfg)
	first, err := c.Fetch(t.Context(), "")
	if err != nil || len(first.Events) != 0 || first.More || first.Cursor == "" || len(asked) != 0 {
		t.Fatalf("the first call: %+v, %v", first, err)
	}
	now = now.Add(c.Interval())
	cursor, more := first.Cursor, true
	var events []connectors.RawEvent
	for more {
		f, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		events, cursor, more = append(events, f.Events...), f.Cursor, f.More
	}
	query := "/responses/bulk?page=%&per_page=100&start_modified_at=2026-11-20T08%3A00%3A00&status=completed"
	want := []string{"/v3/surveys/2" + strings.Replace(query, "%", "1", 1), "/v3/surveys/3" + strings.Replace(query, "%", "1", 1), "/v3/surveys/3" + strings.Replace(query, "%", "2", 1)}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if len(events) != 2 || !events[0].NeedsRecord || events[0].Type != "response_completed" || events[1].At != lifecycle.At(time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC)) {
		t.Errorf("events = %+v", events)
	}
	if events[0].Dedupe != connectors.Dedupe("response_completed", "71") {
		t.Error("a webhook of the same response would count again")
	}
	var at struct{ Since time.Time }
	if err := json.Unmarshal([]byte(cursor), &at); err != nil || !at.Since.Equal(now.Add(-time.Hour)) {
		t.Errorf("the cursor %s does not go on an hour before this round", cursor)
	}
	if _, err := c.Fetch(t.Context(), "nonsense"); err == nil {
		t.Error("a damaged cursor is taken")
	}
}

func TestCheckReadListErase(t *testing.T) {
	t.Parallel()
	c, sim := start(t, nil)
	if words, err := c.Check(t.Context()); err != nil || words != `SurveyMonkey account "ada"` {
		t.Errorf("check = %q, %v", words, err)
	}
	sim.Put("/users/me", document(t, `{"username":"ada","scopes":{"granted":["responses_read","responses_read_detail","surveys_read","webhooks_read","webhooks_write","contacts_read"]}}`))
	if words, err := c.Check(t.Context()); err != nil || !strings.HasSuffix(words, "lacks the scopes contacts_write") {
		t.Errorf("check = %q, %v", words, err)
	}
	custom := map[string]string{"1": "Acme", "5": "sb:vip; theirs; sb:at_risk", "6": "Customer"}
	id := sim.Add(surveymonkeysim.Contact{FirstName: "Ada", LastName: "E", Email: "Ada@example.com", Custom: custom})
	sim.Add(surveymonkeysim.Contact{FirstName: "Bo", LastName: "E", Email: "bo@example.com"})
	sim.Add(surveymonkeysim.Contact{FirstName: "Cy", LastName: "E", Email: "cy@example.com"})
	states, err := c.Read(t.Context(), []connectors.Update{person("ada@example.com", ""), person("nobody@example.com", "")})
	want := []*connectors.State{{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"1": "Acme", "first_name": "Ada"}}, nil}
	if diff := cmp.Diff(want, states); diff != "" || err != nil {
		t.Errorf("read: %v (-want +got):\n%s", err, diff)
	}
	var people []connectors.Listing
	for cursor := "1"; cursor != ""; {
		l, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		people, cursor = append(people, l.People...), l.Cursor
	}
	if len(people) != 3 || people[0].VendorID != id || people[0].Email != "ada@example.com" || len(people[0].State.Segments) != 2 {
		t.Errorf("listed %+v", people)
	}
	who := connectors.Update{VendorID: id, Email: "bo@example.com", Keys: []lifecycle.Key{{Namespace: "email", Value: "ada@example.com"}}}
	e, err := c.Erase(t.Context(), who)
	if err != nil || e.Outcome != connectors.OK || !strings.Contains(e.Proof, id) {
		t.Errorf("erase = %+v, %v", e, err)
	}
	if _, there := sim.Contact("bo@example.com"); there {
		t.Error("the other contact of the person is still there")
	}
	if e, err := c.Erase(t.Context(), who); err != nil || e.Outcome != connectors.OK || e.Proof == "" {
		t.Errorf("erase again = %+v, %v", e, err)
	}
}
