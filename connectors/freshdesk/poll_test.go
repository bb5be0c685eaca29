package freshdesk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/secret"
)

// round polls until nothing more waits, and gives what came and the cursor.
func round(t *testing.T, c *freshdesk.Connector, cursor string) ([]connectors.RawEvent, string) {
	t.Helper()
	var all []connectors.RawEvent
	for range 20 {
		f, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		all, cursor = append(all, f.Events...), f.Cursor
		if !f.More {
			return all, cursor
		}
	}
	t.Fatal("polling does not end")
	return nil, ""
}

func types(events []connectors.RawEvent) []string {
	all := []string{}
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

// atNow makes the connection's clock the account's.
func atNow(v *vendor) connectors.Config {
	cfg := config(v.URL)
	cfg.Now = v.Now
	return cfg
}

func TestFetch(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.PageSize(2)
	dana := v.AddContact("dana@example.com", nil)
	c := open(t, atNow(v))
	v.Pass(time.Hour)
	events, cursor := round(t, c, "")
	if len(events) != 0 || cursor == "" {
		t.Errorf("the first round, which begins at now, brings %v and the cursor %q", types(events), cursor)
	}
	v.Pass(5 * time.Minute)
	v.Change(dana, "Dana Reed")
	v.AddContact("lee@example.com", nil)
	gone := v.AddContact("ann@example.com", nil)
	v.AddContact("bo@example.com", nil)
	v.Delete(gone)
	v.Pass(time.Minute)
	events, again := round(t, c, cursor)
	if diff := cmp.Diff([]string{"contact.updated", "contact.created", "contact.created", "contact.deleted"}, types(events)); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(events[0].Body), `"Dana Reed"`) || events[0].At.Time() != v.Now().Add(-time.Minute) {
		t.Errorf("%s at %v", events[0].Body, events[0].At.Time())
	}
	// A cursor that was not stored brings the same once more.
	repeated, _ := round(t, c, cursor)
	for i := range events {
		if len(repeated) != len(events) || repeated[i].Dedupe != events[i].Dedupe {
			t.Fatalf("the same round again brings %v", types(repeated))
		}
	}
	v.Pass(10 * time.Minute)
	_, again = round(t, c, again) // looks back a little, so it may see them once more
	v.Pass(10 * time.Minute)
	if events, _ := round(t, c, again); len(events) != 0 {
		t.Errorf("a quiet round brings %v", types(events))
	}
	if c.Interval() < time.Second {
		t.Errorf("the interval is %v", c.Interval())
	}
}

// TestFetchEcho: our own write is known again; one that hides somebody else's
// change which has not been told is not.
func TestFetchEcho(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, lee := v.AddContact("dana@example.com", nil), v.AddContact("lee@example.com", nil)
	v.Pass(time.Hour)
	c := open(t, atNow(v))
	early := connectortest.Push(t, c, person("dana@example.com", "Trial", nil, nil))[0]
	if len(early.Written) != 0 {
		t.Errorf("before the first poll nothing is known to have been told, yet %v", early.Written)
	}
	v.Pass(time.Hour)
	_, cursor := round(t, c, "")
	v.Pass(time.Hour)
	v.Change(lee, "Lee Ono")
	v.Pass(time.Minute)
	results := connectortest.Push(t, c, person("dana@example.com", "Customer", []string{"at_risk"}, nil), person("lee@example.com", "Customer", nil, nil))
	v.Pass(time.Minute)
	events, _ := round(t, c, cursor)
	if len(events) != 2 || len(results[1].Written) != 0 {
		t.Fatalf("events %v, written %v", types(events), results[1].Written)
	}
	for _, e := range events {
		if strings.Contains(string(e.Body), dana) {
			if diff := cmp.Diff(results[0].Written, e.Written); diff != "" || len(e.Written) != 1 {
				t.Errorf("dana (-pushed +told):\n%s", diff)
			}
		}
	}
}

func TestFetchIsQuiet(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	for name, change := range map[string]func(*connectors.Config){
		"off":    func(c *connectors.Config) { c.Settings["poll_contacts"] = "off" },
		"no key": func(c *connectors.Config) { delete(c.Secrets, "api_key"); c.Push.Enabled = false },
	} {
		cfg := config(v.URL)
		change(&cfg)
		f, err := open(t, cfg).Fetch(t.Context(), "1795166100")
		if err != nil || f.More || len(f.Events) != 0 || f.Cursor != "1795166100" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	if asked := v.Took(); len(asked) != 0 {
		t.Errorf("asked %v", asked)
	}
}

// TestFetchFailures: a round goes on where it stopped; deleted contacts that
// cannot be asked for are done without.
func TestFetchFailures(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddContact("dana@example.com", nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("state") == "deleted" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"description":"Validation failed","errors":[{"field":"state","message":"Unexpected/invalid field in request","code":"invalid_field"}]}`))
			return
		}
		v.ServeHTTP(w, r)
	}))
	defer server.Close()
	cfg := config(server.URL)
	cfg.Now = v.Now
	if events, cursor := round(t, open(t, cfg), ""); len(events) != 1 || cursor == "" {
		t.Errorf("%v, %q", types(events), cursor)
	}
	cfg.Secrets["api_key"] = []secret.Text{secret.New("wrong")}
	var e *connectors.PushError
	if _, err := open(t, cfg).Fetch(t.Context(), ""); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("with a wrong key: %v", err)
	}
	for _, cursor := range []string{"nonsense", "1795166100,x,1,true", "1795166100,1795166100,0,true", "1795166100,1795166100,-4,", ",,,"} {
		cfg := atNow(v)
		if f, err := open(t, cfg).Fetch(t.Context(), cursor); err != nil || f.Cursor == "" {
			t.Errorf("cursor %q: %+v, %v", cursor, f, err)
		}
	}
}

// TestFetchOdd: what is no contact is kept, not lost.
func TestFetchOdd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id":"x"},7,{"id":1,"updated_at":"yesterday"}]`))
	}))
	defer server.Close()
	f, err := open(t, config(server.URL)).Fetch(t.Context(), "")
	if err != nil || len(f.Events) != 3 || f.Events[0].Broken == "" || f.Events[1].Broken == "" || f.Events[2].Broken != "" || f.Events[2].At != 0 {
		t.Errorf("%+v, %v", f, err)
	}
}
