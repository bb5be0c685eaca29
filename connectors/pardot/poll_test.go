package pardot_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/mapping"
)

// round asks until nothing more waits, and gives the events whose key was not
// seen before, as the inbox would.
func round(t *testing.T, c *pardot.Connector, cursor string, seen map[[32]byte]bool) ([]connectors.RawEvent, string) {
	t.Helper()
	var events []connectors.RawEvent
	for range 50 {
		got, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch at %s: %v", cursor, err)
		}
		for _, e := range got.Events {
			if !seen[e.Dedupe] {
				seen[e.Dedupe] = true
				events = append(events, e)
			}
		}
		if cursor = got.Cursor; !got.More {
			return events, cursor
		}
	}
	t.Fatal("there is always more")
	return nil, ""
}

func types(events []connectors.RawEvent) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

func TestFetch(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	seen := map[[32]byte]bool{}
	events, cursor := round(t, c, "", seen)
	if len(events) != 0 || cursor == "" {
		t.Fatalf("at first: %v, %q", types(events), cursor)
	}
	dana := v.AddProspect("dana@example.com", map[string]any{"firstName": "Dana", "score": 120, "optedOut": false})
	v.AddActivity(4, "Form", "Request a demo", dana)
	v.AddActivity(99, "New", "", dana)
	events, cursor = round(t, c, cursor, seen)
	if diff := cmp.Diff([]string{"prospect", "activity.4", "activity.99"}, types(events)); diff != "" {
		t.Fatalf("types (-want +got):\n%s", diff)
	}
	// What the default rules make of the records as the API gives them.
	rules, err := mapping.Compile("rules.yaml", pardot.Vendor().Descriptor.Rules, mapping.Options{Connection: "marketing", Connector: "pardot"})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		out := rules.Apply(&mapping.Input{Type: e.Type, Raw: e.Body, At: e.At, Dedupe: e.Dedupe[:]})
		if out.Err != nil {
			t.Fatal(out.Err)
		}
		for _, ev := range out.Events {
			told = append(told, fmt.Sprintf("%s %s %v", ev.Name, ev.At.Time().Format("15:04:05"), ev.Identity))
		}
	}
	who := fmt.Sprintf("[email:dana@example.com marketing:%d]", dana)
	want := []string{"Contact:Created 09:00:01 " + who, "Contact:Updated 09:00:01 " + who, "Form:Submitted 09:00:02 " + who}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	// Nothing new, though the windows overlap; then a change, and a deletion.
	if events, cursor = round(t, c, cursor, seen); len(events) != 0 {
		t.Errorf("again: %v", types(events))
	}
	connectortest.Push(t, c, person(1, "dana@example.com", "Lead"))
	lee := v.AddProspect("lee@example.com", nil)
	v.Remove(lee)
	events, _ = round(t, c, cursor, seen)
	if diff := cmp.Diff([]string{"prospect", "prospect.deleted"}, types(events)); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

// Pages are followed by their token; one that has ended begins the query anew.
func TestFetchPages(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	seen := map[[32]byte]bool{}
	_, cursor := round(t, c, "", seen)
	for i := range 2100 {
		v.AddActivity(20, "Visit", fmt.Sprint(i), 7)
	}
	expired := 0
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("nextPageToken") == "page-1" && expired == 0 {
			expired++
			reply(w, http.StatusBadRequest, `{"code":61,"message":"nextPageToken has expired"}`)
			return true
		}
		return false
	})
	events, cursor := round(t, c, cursor, seen)
	if len(events) != 2100 || expired != 1 {
		t.Errorf("%d activities after %d ended tokens", len(events), expired)
	}
	if events, _ = round(t, c, cursor, seen); len(events) != 0 {
		t.Errorf("again: %d activities", len(events))
	}
}

// A token that is never taken does not make reading begin anew for ever: what
// was read stays read.
func TestFetchWithoutPages(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	seen := map[[32]byte]bool{}
	_, cursor := round(t, c, "", seen)
	for i := range 2100 {
		v.AddActivity(20, "Visit", fmt.Sprint(i), 7)
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("nextPageToken") != "" {
			reply(w, http.StatusBadRequest, `{"code":61,"message":"nextPageToken is not known"}`)
			return true
		}
		return false
	})
	if events, _ := round(t, c, cursor, seen); len(events) != 2100 {
		t.Errorf("%d activities", len(events))
	}
}

// Fields that an account does not have are left out, not the activities.
func TestFetchWithoutFurtherFields(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Settings["activity_fields"] = "campaign.name, no.such" })
	_, cursor := round(t, c, "", map[[32]byte]bool{})
	v.AddActivity(4, "Form", "Request a demo", v.AddProspect("dana@example.com", nil))
	events, _ := round(t, c, cursor, map[[32]byte]bool{})
	if !slices.Contains(types(events), "activity.4") {
		t.Errorf("types %v", types(events))
	}
	refused := 0
	for _, r := range v.took() {
		if strings.HasPrefix(r, "GET /visitor-activities") {
			refused++
		}
	}
	if refused != 3 { // refused, without the fields, and the second round
		t.Errorf("%d requests for activities", refused)
	}
}

func TestFetchFails(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api") {
			reply(w, 403, `{"code":122,"message":"Daily API rate limit met"}`)
			return true
		}
		return false
	})
	_, err := c.Fetch(t.Context(), "")
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != time.Hour {
		t.Errorf("fetch: %v", err)
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api") {
			reply(w, 200, `{"values":[7,{"id":"x"},{"id":5,"type":"odd","createdAt":"yesterday"}],"nextPageToken":null}`)
			return true
		}
		return false
	})
	got, err := c.Fetch(t.Context(), `{"step":2,"since":["2026-11-20T09:00:00Z","2026-11-20T09:00:00Z","2026-11-20T09:00:00Z"]}`)
	if err != nil || len(got.Events) != 3 || got.Events[0].Broken == "" || got.Events[1].Broken == "" || got.Events[2].Type != "activity.unknown" || got.Events[2].At != 0 {
		t.Errorf("odd records: %+v, %v", got, err)
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api") {
			reply(w, 200, `{}`)
			return true
		}
		return false
	})
	if _, err := c.Fetch(t.Context(), ""); !errors.As(err, &e) || e.Reason != connectors.ReasonBadAnswer {
		t.Errorf("an answer without records: %v", err)
	}
	v.answer(nil)
	// A cursor that cannot be read begins now.
	for _, cursor := range []string{"{", `{"step":9}`, `{"step":-1,"since":["2026-11-20T09:00:00Z","2026-11-20T09:00:00Z","2026-11-20T09:00:00Z"]}`} {
		if _, err := c.Fetch(t.Context(), cursor); err != nil {
			t.Errorf("cursor %s: %v", cursor, err)
		}
	}
}

func TestFetchIsSwitchedOff(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connectors.Config){
		"by setting":          func(cfg *connectors.Config) { cfg.Settings["poll"] = "off" },
		"without credentials": func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "client_secret") },
	} {
		c, v := start(t, change)
		got, err := c.Fetch(t.Context(), "x")
		if err != nil || got.Cursor != "x" || got.More || len(got.Events) != 0 || len(v.took()) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if c.Interval() != 5*time.Minute {
			t.Errorf("interval %v", c.Interval())
		}
	}
}
