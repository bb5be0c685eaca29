package eloqua_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/eloqua"
)

// fetch makes one step.
func fetch(t *testing.T, c *eloqua.Connector, cursor string) *connectors.Fetched {
	t.Helper()
	got, err := c.Fetch(t.Context(), cursor)
	if err != nil {
		t.Fatalf("fetch: %v", err)
	}
	return got
}

func TestFetch(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	clock := now
	cfg := config(v)
	cfg.Now = func() time.Time { return clock }
	cfg.Settings["activities"] = "FormSubmit,EmailClickthrough"
	c := open(t, cfg)
	dana := v.AddContact("dana@example.com", nil)
	v.Log("FormSubmit", dana, "Contact us", "2026-11-20 09:04:00")
	v.Log("FormSubmit", dana, "Long ago", "2026-11-20 07:04:00")
	v.Log("EmailClickthrough", dana, "Spring", "2026-11-20 09:04:30.5")
	v.Slow(1)

	began := fetch(t, c, "")
	if len(began.Events) != 0 || began.More {
		t.Errorf("the first step gives %+v", began)
	}
	v.took()
	under := fetch(t, c, began.Cursor)
	if len(under.Events) != 0 || under.More || under.Cursor != began.Cursor {
		t.Errorf("while Eloqua works: %+v", under)
	}
	first := fetch(t, c, under.Cursor)
	last := fetch(t, c, first.Cursor)
	events := slices.Concat(first.Events, last.Events)
	var got []string
	for _, e := range events {
		got = append(got, e.Type+" "+e.At.Time().Format("15:04:05.0")+" "+e.Broken)
	}
	if diff := cmp.Diff([]string{"activity.FormSubmit 09:04:00.0 ", "activity.EmailClickthrough 09:04:30.5 "}, got); diff != "" || !first.More || last.More {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(events[0].Body), `"EmailAddress":"dana@example.com"`) {
		t.Errorf("the body is %s", events[0].Body)
	}
	// Before the next exports are due nothing is asked.
	v.took()
	if idle := fetch(t, c, last.Cursor); idle.Cursor != last.Cursor || len(v.took()) != 0 {
		t.Errorf("too early: %+v", idle)
	}
	clock = clock.Add(16 * time.Minute)
	again := fetch(t, c, last.Cursor)
	if !slices.ContainsFunc(v.took(), func(r string) bool { return strings.Contains(r, "\\u003e='2026-11-20 08:05:00'") }) {
		t.Error("the second export does not reach back an hour")
	}
	for range 4 {
		next := fetch(t, c, again.Cursor)
		again.Cursor, again.Events = next.Cursor, append(again.Events, next.Events...)
	}
	if len(again.Events) != 2 || again.Events[0].Dedupe != events[0].Dedupe || again.Events[1].Dedupe != events[1].Dedupe {
		t.Errorf("read again: %+v", again.Events)
	}
}

// TestFetchHeals: what Eloqua has forgotten, or never ends, is begun anew.
func TestFetchHeals(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	clock := now
	cfg := config(v)
	cfg.Now = func() time.Time { return clock }
	cfg.Settings["activities"] = "FormSubmit"
	c := open(t, cfg)
	v.Slow(1000)
	began := fetch(t, c, "")
	v.failing(http.MethodGet, "/syncs/77", 1, 404, "")
	if gone := fetch(t, c, began.Cursor); strings.Contains(gone.Cursor, `"77"`) {
		t.Errorf("the cursor keeps a sync that is gone: %s", gone.Cursor)
	}
	clock = clock.Add(2 * time.Hour)
	v.took()
	late := fetch(t, c, began.Cursor)
	if !strings.Contains(late.Cursor, `"78"`) || !strings.Contains(late.Cursor, `"since":"2026-11-20T09:05:00Z"`) {
		t.Errorf("an export that never ends keeps its place: %s", late.Cursor)
	}
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		body, mine := map[string]string{"/api/bulk/2.0/syncs/78": `{"status":"error"}`, "/api/bulk/2.0/syncs/78/logs": `{"items":[{"severity":"error","statusCode":"ELQ-00122","message":"Invalid filter."}]}`}[r.URL.Path]
		if mine {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}
		return mine
	}
	_, err := c.Fetch(t.Context(), late.Cursor)
	var e *connectors.PushError
	if !errors.As(err, &e) || !strings.Contains(e.Message, "Invalid filter") || !strings.HasPrefix(e.Act, "eloqua: ") {
		t.Errorf("an export that failed: %v", err)
	}
}

// TestFetchOneTypeFails: an export that Eloqua cannot carry out holds up no other
// type of activity, and one that promises more without giving any ends.
func TestFetchOneTypeFails(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Settings["activities"] = "PageView,FormSubmit"
	c := open(t, cfg)
	began := fetch(t, c, "")
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		body, mine := map[string]string{
			"/api/bulk/2.0/syncs/77": `{"status":"error"}`, "/api/bulk/2.0/syncs/77/logs": `{"items":[{"severity":"error","statusCode":"ELQ-00121","message":"There is no such field."}]}`,
			"/api/bulk/2.0/syncs/78": `{"status":"success"}`, "/api/bulk/2.0/syncs/78/data": `{"items":[{"ActivityId":"5","ActivityDate":"2026-11-20 09:00:00"}],"hasMore":false}`,
		}[r.URL.Path]
		if mine {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}
		return mine
	}
	got := fetch(t, c, began.Cursor)
	if len(got.Events) != 1 || got.Events[0].Type != "activity.FormSubmit" {
		t.Fatalf("%d events: %s", len(got.Events), got.Cursor)
	}
	_, err := c.Fetch(t.Context(), got.Cursor)
	var e *connectors.PushError
	if !errors.As(err, &e) || !strings.Contains(e.Message, "no such field") {
		t.Errorf("the failure is told by %v", err)
	}
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		body, mine := map[string]string{"/api/bulk/2.0/syncs/77": `{"status":"success"}`, "/api/bulk/2.0/syncs/77/data": `{"items":[],"hasMore":true}`}[r.URL.Path]
		if mine {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}
		return mine
	}
	if last := fetch(t, c, got.Cursor); last.More || strings.Contains(last.Cursor, `"under"`) {
		t.Errorf("an empty page that promises more: %+v", last)
	}
}

// TestFetchKeepsTypesApart: while one type's exports fail, the others are not read
// from the same old time again and again.
func TestFetchKeepsTypesApart(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	clock := now
	cfg := config(v)
	cfg.Now = func() time.Time { return clock }
	cfg.Settings["activities"] = "PageView,FormSubmit"
	c := open(t, cfg)
	cursor := ""
	for range 3 {
		cursor = fetch(t, c, cursor).Cursor
	}
	clock = clock.Add(20 * time.Minute)
	cursor = fetch(t, c, cursor).Cursor
	failing := regexp.MustCompile(`"PageView","sync":"([0-9]+)"`).FindStringSubmatch(cursor)
	if failing == nil {
		t.Fatalf("no export of page views is under way: %s", cursor)
	}
	v.failing(http.MethodGet, "/syncs/"+failing[1], -1, http.StatusOK, `{"status":"error"}`)
	cursor = fetch(t, c, cursor).Cursor // reads the forms
	v.took()
	clock = clock.Add(2 * time.Hour)
	fetch(t, c, cursor)
	took := v.took()
	for kind, since := range map[string]string{"PageView": "08:05:00", "FormSubmit": "08:25:00"} {
		if !slices.ContainsFunc(took, func(r string) bool { return strings.Contains(r, "'"+kind+"'") && strings.Contains(r, since) }) {
			t.Errorf("no export of %s since %s: %v", kind, since, took)
		}
	}
}

// TestFetchNothing: without polling, types or credentials nothing is asked.
func TestFetchNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connectors.Config){
		"off":            func(c *connectors.Config) { c.Settings["poll"] = "false" },
		"no types":       func(c *connectors.Config) { c.Settings["activities"] = "" },
		"no credentials": func(c *connectors.Config) { delete(c.Secrets, "password") },
	} {
		v := newVendor(t)
		cfg := config(v)
		cfg.Push.Enabled = false
		change(&cfg)
		c := open(t, cfg)
		got := fetch(t, c, "here")
		if got.Cursor != "here" || len(got.Events) != 0 || got.More || len(v.took()) != 0 || c.Interval() < time.Second {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestFetchOddActivities: what cannot be read is kept.
func TestFetchOddActivities(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Settings["activities"] = "FormSubmit"
	c := open(t, cfg)
	began := fetch(t, c, "")
	v.failing(http.MethodGet, "/data", 1, 200, `{"items":[{"ActivityId":"1","ActivityDate":"soon"},{"ActivityId":""},7,null],"hasMore":true}`)
	got := fetch(t, c, began.Cursor)
	broken := 0
	for _, e := range got.Events {
		if e.Broken != "" {
			broken++
		}
	}
	if len(got.Events) != 4 || broken != 3 || got.Events[0].At != 0 || !got.More || !strings.Contains(got.Cursor, `"offset":1000`) {
		t.Errorf("%d broken: %+v", broken, got)
	}
}

// TestRelease: the contacts of a notification go on, those of one execution
// with one import.
func TestRelease(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, li := v.AddContact("dana@example.com", nil), v.AddContact("li@example.com", nil)
	c := open(t, config(v))
	body := strings.NewReplacer("10442", dana, "10443", li).Replace(notification)
	receipt, err := c.Receive(call(http.MethodPost, "/notify", stepQuery, "secret-of-the-example-app", now, []byte(body)))
	if err != nil || len(receipt.Events) != 3 || !receipt.Events[2].NeedsRecord {
		t.Fatalf("receive: %+v, %v", receipt, err)
	}
	lookup := connectors.Lookup{Type: receipt.Events[2].Type, Body: receipt.Events[2].Body}
	v.took()
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup, {Type: "release", Body: []byte("nonsense")}, lookup})
	if err != nil || len(records) != 3 || records[0].JSON == nil || records[1].JSON != nil {
		t.Fatalf("enrich: %+v, %v", records, err)
	}
	var r map[string]any
	if err := json.Unmarshal(records[0].JSON, &r); err != nil || r["id"] != "77" || r["released"] != 2.0 {
		t.Errorf("the record is %s", records[0].JSON)
	}
	want := []string{"0b6c7d2e111142228333944455556666/900/" + dana, "0b6c7d2e111142228333944455556666/900/" + li}
	if diff := cmp.Diff(want, v.Released()); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	other := connectors.Lookup{Type: "release", Body: []byte(`{"instance":"1b6c7d2e-1111-4222-8333-944455556666","execution":"901","contacts":["` + li + `"]}`)}
	v.failing(http.MethodPost, "/contacts/imports", 1, 503, "")
	records, err = c.Enrich(t.Context(), []connectors.Lookup{lookup, other})
	if err != nil || records[0].Err == nil || !records[0].Err.Retryable || records[1].Err != nil || records[1].JSON == nil {
		t.Errorf("one of two: %+v, %v", records, err)
	}
	v.failing(http.MethodPost, "/contacts/imports", -1, 503, "")
	if _, err = c.Enrich(t.Context(), []connectors.Lookup{lookup}); err == nil {
		t.Error("a release that failed is told as done")
	}
}
